"""LangChain's OpenAI classes, through the gateway to the simulator and to a real model server."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from penstock.testing.gateway import GatewayThread
from tests.clients.llama import CALLS_A_TOOL
from tests.clients.needed import needed

KEY = "sk-test-gateway"
APP = Path(__file__).parent / "apps" / "langchain_app.py"


def run(gateway: GatewayThread, model: str, **env: str) -> dict[str, Any]:
    """What the program got."""
    python = needed("py-langchain") / "bin" / "python"
    done = subprocess.run(
        [str(python), str(APP), gateway.url + "/v1", KEY, model],
        check=False,
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, "LANGSMITH_TRACING": "false", **env},
    )
    if done.returncode != 0:
        pytest.fail(done.stderr[-2000:])
    return json.loads(done.stdout)


def check(got: dict[str, Any]) -> None:
    """What holds for every upstream."""
    assert got["streamed"] == got["chat"]
    assert got["usage"]["output_tokens"] == got["streamed_usage"]["output_tokens"] > 0
    assert got["tool"]["name"] == "weather"
    assert got["tool"]["args"]["unit"] in {"c", "f"}
    assert got["shaped"] in {"c", "f"}
    assert got["response"]
    assert len(got["vectors"]) == 2
    assert got["error"].endswith("AuthenticationError")


def test_against_the_simulator(gateway: GatewayThread) -> None:
    """Invoke, stream with usage, tools, structured output, the Responses API, embeddings, a wrong key."""
    got = run(gateway, "sim/echo")
    check(got)
    assert got["chat"] == "Hello there, big world."


def test_against_a_real_server(llama_gateway: GatewayThread) -> None:
    """The same calls, to llama.cpp."""
    check(run(llama_gateway, "llama/tiny-random", TOOL_BIAS=json.dumps(CALLS_A_TOOL)))
