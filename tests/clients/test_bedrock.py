"""boto3's `converse` and `converse_stream`, through the gateway to vendors of every API.

boto3 sends an API key over HTTPS alone, so the gateway has a certificate here.
"""

from __future__ import annotations

from typing import Any

import pytest

from penstock.testing.gateway import GatewayThread
from tests.clients.running import run_python
from tests.clients.vendors import script
from tests.clients.vendors.city import CLAUDE_ON_AWS, CONFIG
from tests.translation.upstream import CannedUpstream
from tests.transport.certificates import Authority

MODELS = {
    "openai": "oai/gpt-5",
    "anthropic": "ant/claude-sonnet-4-5",
    "gemini": "gem/gemini-2.5-flash",
    "bedrock": CLAUDE_ON_AWS,
}
everywhere = pytest.mark.parametrize("vendor", MODELS)


@pytest.fixture(scope="module")
def got(city: CannedUpstream, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the program got of each vendor."""
    authority = Authority()
    trusted = authority.file(tmp_path_factory.mktemp("authority"))
    config = CONFIG.replace("CITY", city.url)
    urls = {"simulator": "http://127.0.0.1:9/v1"}
    with GatewayThread(config, urls=urls, tls=authority.server("localhost")) as gateway:
        url = f"https://localhost:{gateway.port}"
        return run_python("bedrock", url, MODELS, AWS_CA_BUNDLE=trusted)


@everywhere
def test_a_plain_answer_and_a_stream(got: dict[str, Any], vendor: str) -> None:
    """Text, the reason for its end, and usage with what came from the cache, both ways."""
    expected = {"text": script.HELLO, "stop": "end_turn", "usage": [11, 3, 7]}
    assert got[vendor]["plain"] == expected
    streamed, pieces = got[vendor]["streamed"]
    assert streamed == expected
    assert pieces > 1


@everywhere
def test_tools_are_called_and_answered(got: dict[str, Any], vendor: str) -> None:
    """Whole and streamed."""
    for called in got[vendor]["tools"]:
        assert (called["name"], called["input"]) == ("weather", {"city": "Paris"})
        assert called["stop"] == "tool_use"
        assert called["text"] == "The tool said: mild."


@everywhere
def test_thinking_goes_back_with_its_seal(got: dict[str, Any], vendor: str) -> None:
    """The vendor finds its own signature in the next turn, as it gave it, whoever it is."""
    for called in got[vendor]["thinking"]:
        assert called["thought"] == script.THOUGHT
        seal = "" if vendor == "openai" else script.SEEN_SEAL  # chat completions have no seals
        assert called["text"] == "The tool said: mild." + seal


@everywhere
def test_a_shape_and_a_picture(got: dict[str, Any], vendor: str) -> None:
    """A JSON schema is filled; an image in base64 is seen."""
    assert got[vendor]["shaped"] == {"city": "Paris", "celsius": 21}
    assert got[vendor]["picture"] == "Pictures: 1."


def test_a_wrong_key_and_an_unknown_model(got: dict[str, Any]) -> None:
    """Both have a code that AWS's own service has, the second a class in boto3 too."""
    assert got["wrong_key"] == ["ClientError", "UnrecognizedClientException", 403]
    assert got["unknown_model"] == ["ResourceNotFoundException", "ResourceNotFoundException", 404]
