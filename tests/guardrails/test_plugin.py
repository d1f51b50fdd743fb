"""The plugin of docs/guards.md, installed as the package that it is, in a gateway of its own process."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import json, sys
from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread
from tests.guardrails.house import chat, content, gateway
REST = '''
guards: {tickets: {kind: tickets, action: redact, options: {prefix: OPS}}}
routes: {r: {policy: up/echo, guards: {input: [tickets], output: [tickets]}}}
'''
with SimulatorThread() as simulator, gateway(simulator, REST) as running:
    told = [content(chat(running.url, "see OPS-123 and ABC-1", stream=stream)) for stream in (False, True)]
    print(json.dumps([told, running.exchanges(2)[0].notes["guard.tickets"]]))
"""


def test_the_documented_plugin_works_once_installed(tmp_path: Path) -> None:
    """`pip install` finds it by its entry point, the configuration names it, and it redacts streams."""
    page = (ROOT / "docs" / "guards.md").read_text().partition("## A plugin")[2]
    toml, code = (re.search(rf"```{kind}\n(.*?)```", page, re.DOTALL) for kind in ("toml", "python"))
    assert toml is not None
    assert code is not None
    package, place = tmp_path / "package", tmp_path / "site"
    package.mkdir()
    (package / "pyproject.toml").write_text(toml[1])
    (package / "ticket_guard.py").write_text(code[1])
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*pip, "--target", place, package], check=True, timeout=60)
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"PYTHONPATH": f"{place}:{ROOT}", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr.decode()
    assert b'[["see <TICKET> and ABC-1", "see <TICKET> and ABC-1"], "redact TICKET:1(pattern)"]' in run.stdout
