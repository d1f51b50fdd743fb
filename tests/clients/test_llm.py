"""The `llm` command, set up as its documents say for a server that speaks OpenAI's API."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from penstock.testing.gateway import GatewayThread
from tests.clients.needed import needed
from tests.clients.running import KEY, environment
from tests.clients.vendors import script


def test_it_is_answered_by_another_vendor(city_gateway: GatewayThread, tmp_path: Path) -> None:
    """Its stream comes from Anthropic, and it shows the usage."""
    program = needed("py-llm") / "bin" / "llm"
    model = {"model_id": "gw", "model_name": "ant/claude-sonnet-4-5", "api_key_name": "gw"}
    models = [{**model, "api_base": city_gateway.url + "/v1"}]
    (tmp_path / "extra-openai-models.yaml").write_text(json.dumps(models))
    (tmp_path / "keys.json").write_text(json.dumps({"gw": KEY}))
    done = subprocess.run(
        [str(program), "-m", "gw", "-u", "Hello"],
        check=False,
        capture_output=True,
        text=True,
        timeout=100,
        env=environment(LLM_USER_PATH=str(tmp_path)),
        stdin=subprocess.DEVNULL,
    )
    assert done.stdout.strip() == script.HELLO, done.stderr
    assert "14 input, 7 output" in done.stderr
