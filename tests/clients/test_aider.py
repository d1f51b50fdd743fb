"""The `aider` command, set up as its documents say for a server that speaks OpenAI's API."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from penstock.testing.gateway import GatewayThread
from tests.clients.needed import needed
from tests.clients.running import KEY, environment
from tests.clients.vendors import script

_QUIETLY = (
    "--yes-always", "--no-git", "--no-pretty", "--no-fancy-input", "--no-check-update", "--analytics-disable",
    "--no-show-model-warnings", "--no-show-release-notes",
)  # fmt: skip


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="aider has no release for this Python")
def test_it_is_answered_by_another_vendor(city_gateway: GatewayThread, tmp_path: Path) -> None:
    """One message, without a terminal: its stream comes from Anthropic, by a route's name."""
    program = needed("py-aider") / "bin" / "aider"
    where = {"OPENAI_API_BASE": city_gateway.url + "/v1", "OPENAI_API_KEY": KEY, "HOME": str(tmp_path)}
    done = subprocess.run(
        [str(program), "--model", "openai/gpt-4o", "--message", "Hello", *_QUIETLY],
        check=False,
        capture_output=True,
        text=True,
        timeout=100,
        env=environment(**where),
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert script.HELLO in done.stdout
    (settled,) = [each for each in city_gateway.exchanges() if each.request.route == "gpt-4o"][-1:]
    assert settled.attempts[-1].usage.output_tokens == script.OUTPUT
