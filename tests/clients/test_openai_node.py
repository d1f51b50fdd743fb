"""The unmodified `openai` package for Node, through the gateway to the simulator and to a real model server."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from penstock.testing.gateway import GatewayThread
from scripts.test_tools import node
from tests.clients.llama import CALLS_A_TOOL
from tests.clients.needed import needed

KEY = "sk-test-gateway"
APP = Path(__file__).parent / "node" / "app.mjs"


def run(gateway: GatewayThread, model: str, **env: str) -> dict[str, Any]:
    """What the script got."""
    folder = needed("npm")
    command = [str(node()), str(APP), str(folder), gateway.url + "/v1", KEY, model]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=100, env={**os.environ, **env}
    )
    if done.returncode != 0:
        pytest.fail(done.stderr[-2000:])
    return json.loads(done.stdout)


def check_common(got: dict[str, Any], model: str) -> None:
    """What holds for every upstream."""
    assert got["streamed"] == got["chat"]
    assert got["usage"]["completion_tokens"] > 0
    assert got["requestId"] == got["headerId"]
    assert got["target"] == model
    assert got["tool"]["name"] == "weather"
    assert json.loads(got["tool"]["arguments"])["unit"] in {"c", "f"}
    assert len(got["vectors"]) == 2
    assert got["responseStreamed"] == got["response"]
    assert got["lastEvent"] == "response.completed"


def test_against_the_simulator(gateway: GatewayThread) -> None:
    """Chat, stream, tools, embeddings, responses, sound, models, errors."""
    got = run(gateway, "sim/echo")
    check_common(got, "sim/echo")
    assert got["chat"] == "Hello there, big world."
    assert got["sound"] == "RIFF"
    assert got["heard"]
    assert "chat" in got["models"]
    assert got["error"]["name"] == "RateLimitError"
    assert got["error"]["code"] == "upstream_rate_limited"
    assert got["error"]["id"].startswith("req_")
    assert got["broken"] == "APIError"


def test_against_a_real_server(llama_gateway: GatewayThread) -> None:
    """The same calls, to llama.cpp."""
    model = "llama/tiny-random"
    check_common(run(llama_gateway, model, TOOL_BIAS=json.dumps(CALLS_A_TOOL)), model)
