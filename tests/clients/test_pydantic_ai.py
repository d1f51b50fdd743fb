"""Pydantic AI by four APIs, through the gateway to vendors of other ones."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.testing.gateway import GatewayThread
from tests.clients.running import run_python
from tests.clients.vendors import script

MODELS = {
    "openai": "oai/gpt-5",
    "anthropic": "ant/claude-sonnet-4-5",
    "gemini": "gem/gemini-2.5-flash",
}
APIS = ["chat", "responses", "anthropic", "google"]


@pytest.fixture(scope="module")
def got(city_gateway: GatewayThread) -> dict[str, Any]:
    """What the program got of each vendor by each API."""
    return run_python("pydantic-ai", city_gateway.url, MODELS)


@pytest.mark.parametrize("vendor", MODELS)
@pytest.mark.parametrize("api", APIS)
def test_an_agent_works(got: dict[str, Any], vendor: str, api: str) -> None:
    """Text, a stream, a tool loop, a shape, a picture, usage and a wrong key."""
    mine = got[vendor][api]
    assert mine["plain"] == mine["streamed"] == script.HELLO
    assert mine["usage"] == [14, 3, 7]
    assert "mild in Paris" in mine["tools"]
    assert mine["shaped"] == {"city": "Paris", "celsius": 21}
    assert mine["picture"] == "Pictures: 1."
    assert mine["wrong_key"] == 401


@pytest.mark.parametrize("vendor", ["anthropic", "gemini"])
@pytest.mark.parametrize("api", APIS)
def test_thinking_goes_back_with_its_seal(got: dict[str, Any], vendor: str, api: str) -> None:
    """What the agent keeps of a turn holds the vendor's signature, in every API."""
    assert got[vendor][api]["thinking"].endswith(script.SEEN_SEAL)
