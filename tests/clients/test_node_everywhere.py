"""The JavaScript packages, through the gateway to vendors of several APIs."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.testing.gateway import GatewayThread
from tests.clients.running import run_node
from tests.clients.vendors import script

MODELS = {
    "openai": "oai/gpt-5",
    "anthropic": "ant/claude-sonnet-4-5",
    "gemini": "gem/gemini-2.5-flash",
}
# The classes of the SDKs' own errors: a wrong key, and a model that nobody has.
ERRORS = {
    "openai_chat": ("AuthenticationError", "NotFoundError"),
    "openai_responses": ("AuthenticationError", "NotFoundError"),
    "anthropic": ("AuthenticationError", "NotFoundError"),
    "google": ("ApiError", "ApiError"),
    "ai_openai_responses": ("APICallError", "APICallError"),
    "ai_openai_chat": ("APICallError", "APICallError"),
    "ai_anthropic": ("APICallError", "APICallError"),
}
# What these ask to think, so that a seal has to come back; chat completions of OpenAI have none.
THINK = {"openai_responses", "anthropic", "google", "ai_openai_responses", "ai_anthropic"}
each_way = pytest.mark.parametrize(
    ("client", "vendor"), [(client, vendor) for client in ERRORS for vendor in MODELS]
)


@pytest.fixture(scope="module")
def got(city_gateway: GatewayThread) -> dict[str, Any]:
    """What the program got of each vendor by each package."""
    return run_node("everywhere", city_gateway.url, MODELS)


@each_way
def test_text_stream_tools_and_usage(got: dict[str, Any], client: str, vendor: str) -> None:
    """Equal words whole and streamed, a call and its result, usage, and the vendor's seal back."""
    mine = got[vendor][client]
    assert "failed" not in mine, mine["failed"]
    assert mine["plain"] == mine["streamed"] == script.HELLO
    assert mine["usage"] == [14, 7]
    assert mine["input"] == {"city": "Paris"}
    keeps = client in THINK and (vendor != "openai" or client.endswith("responses"))
    assert mine["tools"] == "The tool said: mild." + (script.SEEN_SEAL if keeps else "")
    assert mine.get("count", 1) > 0
    if client.startswith("ai_"):
        assert mine["shaped"] == {"city": "Paris", "celsius": 21}
        assert mine["picture"] == "Pictures: 1."


@each_way
def test_errors(got: dict[str, Any], client: str, vendor: str) -> None:
    """A wrong key and an unknown model are the package's own errors."""
    wrong, unknown = ERRORS[client]
    assert got[vendor][client]["wrong_key"] == [wrong, 401]
    assert got[vendor][client]["unknown_model"] == [unknown, 404]
