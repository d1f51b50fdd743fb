"""Programs that use a client as its documents say, run in an environment of their own."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from scripts.test_tools import node
from tests.clients.needed import needed

KEY = "sk-test-gateway"
HERE = Path(__file__).parent
# A client tells nobody about its run, and takes no credential or address from whoever runs the tests.
QUIET = {
    "ANONYMIZED_TELEMETRY": "false",
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_TRACING_ENABLED": "false",
    "OTEL_SDK_DISABLED": "true",
    "DO_NOT_TRACK": "1",
    "LANGSMITH_TRACING": "false",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "AI_SDK_LOG_WARNINGS": "false",
}
_TAKEN = ("OPENAI_", "ANTHROPIC_", "GEMINI_", "GOOGLE_", "AWS_", "MISTRAL_", "CO_", "LITELLM_", "AZURE_")


def environment(**more: str) -> dict[str, str]:
    """The environment of a client's program."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_TAKEN)}
    return {**kept, **QUIET, **more}


def run_command(command: list[str], **env: str) -> dict[str, Any]:
    """What a program prints, as JSON."""
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=100, env=environment(**env)
    )
    if done.returncode != 0:
        pytest.fail(done.stderr[-3000:])
    return json.loads(done.stdout)


def run_python(group: str, url: str, models: dict[str, str], program: str = "", **env: str) -> dict[str, Any]:
    """Run a group's program against a gateway: its results by the name of the model's role."""
    python = needed(f"py-{group}") / "bin" / "python"
    file = HERE / "apps" / f"{(program or group).replace('-', '_')}_app.py"
    return run_command([str(python), str(file), url, KEY, json.dumps(models)], **env)


def run_node(name: str, url: str, models: dict[str, str]) -> dict[str, Any]:
    """The same for JavaScript."""
    folder = needed("npm")
    program = HERE / "node" / f"{name}.mjs"
    return run_command([str(node()), str(program), str(folder), url, KEY, json.dumps(models)])
