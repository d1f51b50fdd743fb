"""The `openai-agents` package, through the gateway to vendors of every API."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.testing.gateway import GatewayThread
from tests.clients.running import run_python
from tests.clients.vendors import script
from tests.clients.vendors.city import CLAUDE_ON_AWS

MODELS = {
    "openai": "oai/gpt-5",
    "anthropic": "ant/claude-sonnet-4-5",
    "gemini": "gem/gemini-2.5-flash",
    "bedrock": CLAUDE_ON_AWS,
}


@pytest.fixture(scope="module")
def got(city_gateway: GatewayThread) -> dict[str, Any]:
    """What the program got of each vendor."""
    return run_python("openai-agents", city_gateway.url, MODELS, OPENAI_AGENTS_DISABLE_TRACING="1")


@pytest.mark.parametrize("api", ["responses", "chat"])
@pytest.mark.parametrize("vendor", MODELS)
def test_an_agent_talks_calls_a_tool_and_fills_a_shape(got: dict[str, Any], vendor: str, api: str) -> None:
    """Its own loop, whole and streamed, over the responses API (its default) and over chat."""
    seen = got[vendor][api]
    assert seen["plain"] == seen["streamed"] == script.HELLO
    assert seen["usage"] == [14, 7]
    assert seen["tools"] == "The tool said: mild in Paris."
    assert seen["shaped"] == {"city": "Paris", "celsius": 21}
