"""What the tests of every client share that asks vendors of every API for the same things."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from openai import OpenAI
from pydantic import BaseModel

from penstock.testing.gateway import GatewayThread
from tests.clients.running import run_python
from tests.clients.vendors import script
from tests.clients.vendors.city import CLAUDE_ON_AWS

# A model behind each API, by the name of the vendor's role.
MODELS = {
    "openai": "oai/gpt-5",
    "anthropic": "ant/claude-sonnet-4-5",
    "gemini": "gem/gemini-2.5-flash",
    "bedrock": CLAUDE_ON_AWS,
}
everywhere = pytest.mark.parametrize("vendor", MODELS)
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
WEATHER: dict[str, Any] = {
    "name": "weather",
    "description": "Tell the weather.",
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}


class Forecast(BaseModel):
    """A shape to be filled."""

    city: str
    celsius: int


def results_of(program: str, *groups: str) -> Any:
    """A fixture `got`: what the program of a client's package got of each vendor, asked once.

    `groups` are the environments that it runs in, one for each version of the package; without any, its own.
    """

    @pytest.fixture(scope="module", params=groups or (program,))
    def got(city_gateway: GatewayThread, request: pytest.FixtureRequest) -> dict[str, Any]:
        return run_python(request.param, city_gateway.url, MODELS, program)

    return got


@pytest.fixture
def sdk(city_gateway: GatewayThread, connect: Callable[..., OpenAI]) -> OpenAI:
    """The unmodified `openai` package, through the gateway to the scripted vendors."""
    return connect(city_gateway.url)


class ThinkingShapesAndPictures:
    """Tests of a module's `got` that are the same for all packages with programs of their own."""

    counting = ""  # the vendor whose own count of tokens is passed on

    @everywhere
    def test_thinking_goes_back_with_its_seal(self, got: dict[str, Any], vendor: str) -> None:
        """The vendor finds its own signature in the next turn, as it gave it, whoever it is."""
        for called in got[vendor]["thinking"]:
            assert called["thought"] == script.THOUGHT
            seal = "" if vendor == "openai" else script.SEEN_SEAL  # chat completions have no seals
            assert called["text"] == "The tool said: mild." + seal

    @everywhere
    def test_a_shape_and_a_picture(self, got: dict[str, Any], vendor: str) -> None:
        """The caller's own class is filled; an image in base64 is seen."""
        assert got[vendor]["shaped"] == {"city": "Paris", "celsius": 21}
        assert got[vendor]["picture"] == "Pictures: 1."

    @everywhere
    def test_tokens_are_counted(self, got: dict[str, Any], vendor: str) -> None:
        """Where the vendor counts, its own number; elsewhere an estimate."""
        counted = got[vendor]["count"]
        assert counted == script.COUNTED if vendor == self.counting else 0 < counted < 1000
