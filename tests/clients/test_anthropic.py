"""The `anthropic` package, through the gateway to vendors of every API."""

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
everywhere = pytest.mark.parametrize("vendor", MODELS)


@pytest.fixture(scope="module", params=["anthropic", "anthropic-1"])
def got(city_gateway: GatewayThread, request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the program got of each vendor, with the present version of the package and with the one before."""
    return run_python(request.param, city_gateway.url, MODELS, "anthropic")


@everywhere
def test_a_plain_answer(got: dict[str, Any], vendor: str) -> None:
    """Text, the reason for its end, and usage with what came from the cache."""
    assert got[vendor]["plain"] == {"text": script.HELLO, "stop": "end_turn", "usage": [11, 3, 7]}


@everywhere
def test_the_stream_helper(got: dict[str, Any], vendor: str) -> None:
    """Pieces arrive, and the helper's final message is the plain one."""
    streamed = got[vendor]["streamed"]
    assert streamed["text"] == script.HELLO
    assert streamed["final"] == [script.HELLO]
    assert streamed["pieces"] > 1
    assert streamed["usage"] == [11, 3, 7]


@everywhere
def test_tools_are_called_and_answered(got: dict[str, Any], vendor: str) -> None:
    """Whole and streamed, and by the SDK's own loop over a function."""
    for called in got[vendor]["tools"]:
        assert called == {
            "blocks": ["tool_use"],
            "thought": "",
            "stop": "tool_use",
            "name": "weather",
            "input": {"city": "Paris"},
            "text": "The tool said: mild.",
        }
    assert got[vendor]["runner"] == "The tool said: mild in Paris."


@everywhere
def test_thinking_goes_back_with_its_seal(got: dict[str, Any], vendor: str) -> None:
    """The vendor finds its own signature in the next turn, as it gave it, whoever it is."""
    for called in got[vendor]["thinking"]:
        assert called["blocks"] == ["thinking", "tool_use"]
        assert called["thought"] == script.THOUGHT
        seal = "" if vendor == "openai" else script.SEEN_SEAL  # chat completions have no seals
        assert called["text"] == "The tool said: mild." + seal


@everywhere
def test_a_shape_and_a_picture(got: dict[str, Any], vendor: str) -> None:
    """`parse` gives the caller's own class; an image in base64 is seen."""
    assert got[vendor]["shaped"] == {"city": "Paris", "celsius": 21}
    assert got[vendor]["picture"] == "Pictures: 1."


@everywhere
def test_tokens_are_counted(got: dict[str, Any], vendor: str) -> None:
    """Where the vendor counts, its own number; elsewhere an estimate."""
    counted = got[vendor]["count"]
    assert counted == script.COUNTED if vendor == "anthropic" else 0 < counted < 1000


@everywhere
def test_a_wrong_key(got: dict[str, Any], vendor: str) -> None:
    """The SDK's own exception, with a request id."""
    assert got[vendor]["wrong_key"] == ["AuthenticationError", 401, True, "error"]


def test_an_unknown_model(got: dict[str, Any]) -> None:
    """The SDK's own exception."""
    assert got["unknown_model"] == ["NotFoundError", 404, True, "error"]


def test_models_are_listed(got: dict[str, Any]) -> None:
    """Routes stand in a list that passes the SDK's strict check of its types."""
    assert "hello" in got["listed"]
