"""The `google-genai` package, through the gateway to vendors of every API."""

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


@pytest.fixture(scope="module", params=["google", "google-2"])
def got(city_gateway: GatewayThread, request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the program got of each vendor, with the present version of the package and with the one before."""
    return run_python(request.param, city_gateway.url, MODELS, "google")


@everywhere
def test_a_plain_answer_and_a_stream(got: dict[str, Any], vendor: str) -> None:
    """Text, the reason for its end, and usage with what came from the cache, both ways."""
    expected = {"text": script.HELLO, "stop": "STOP", "usage": [14, 3, 7]}
    assert got[vendor]["plain"] == expected
    assert got[vendor]["streamed"] == expected


@everywhere
def test_functions_are_called_and_answered(got: dict[str, Any], vendor: str) -> None:
    """Whole and streamed, and by the SDK itself."""
    for called in got[vendor]["tools"]:
        assert (called["name"], called["input"]) == ("weather", {"city": "Paris"})
        assert called["text"] == "The tool said: mild."
    assert got[vendor]["automatic"] == "The tool said: mild in Paris."


@everywhere
def test_thinking_goes_back_with_its_seal(got: dict[str, Any], vendor: str) -> None:
    """The vendor finds its own signature in the next turn, as it gave it, whoever it is."""
    for called in got[vendor]["thinking"]:
        assert called["thought"] == script.THOUGHT
        seal = "" if vendor == "openai" else script.SEEN_SEAL  # chat completions have no seals
        assert called["text"] == "The tool said: mild." + seal


@everywhere
def test_a_shape_and_a_picture(got: dict[str, Any], vendor: str) -> None:
    """The caller's own class is filled; an image in base64 is seen."""
    assert got[vendor]["shaped"] == {"city": "Paris", "celsius": 21}
    assert got[vendor]["picture"] == "Pictures: 1."


@everywhere
def test_tokens_are_counted(got: dict[str, Any], vendor: str) -> None:
    """Where the vendor counts, its own number; elsewhere an estimate."""
    counted = got[vendor]["count"]
    assert counted == script.COUNTED if vendor == "gemini" else 0 < counted < 1000


@pytest.mark.parametrize("vendor", ["gemini", "openai"])
def test_texts_become_vectors(got: dict[str, Any], vendor: str) -> None:
    """One vector for each text."""
    assert got[vendor]["vectors"] == [3, 3]


@everywhere
def test_a_wrong_key(got: dict[str, Any], vendor: str) -> None:
    """The SDK's own exception."""
    assert got[vendor]["wrong_key"] == ["ClientError", 401, "UNAUTHENTICATED"]


def test_an_unknown_model(got: dict[str, Any]) -> None:
    """The SDK's own exception."""
    assert got["unknown_model"] == ["ClientError", 404, "NOT_FOUND"]
