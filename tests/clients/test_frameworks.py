"""Libraries on top of the vendors' SDKs, through the gateway to vendors of several APIs."""

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
# The same vendors by names that a library knows.
KNOWN = {"openai": "gpt-4.1-mini", "anthropic": "gpt-4o", "gemini": "gpt-4.1"}
FORECAST = {"city": "Paris", "celsius": 21}
Run = Any  # a function that remembers what a program printed


@pytest.fixture(scope="module")
def run(city_gateway: GatewayThread) -> Run:
    """Each program runs once, for all vendors."""
    told: dict[str, Any] = {}

    def once(group: str, program: str = "", models: dict[str, str] = MODELS) -> Any:
        if group not in told:
            told[group] = None  # a program that failed is not started again
            told[group] = run_python(group, city_gateway.url, models, program=program or group)
        return told[group] if told[group] is not None else pytest.fail(f"{group}'s program failed before")

    return once


@pytest.mark.parametrize("vendor", MODELS)
@pytest.mark.parametrize("api", ["chat", "responses", "anthropic"])
def test_langchain(run: Run, vendor: str, api: str) -> None:
    """Text, a stream, a tool loop, a shape, a picture, usage and a wrong key, by each of its classes."""
    got = run("langchain", "langchain_everywhere")[vendor][api]
    assert got["plain"] == got["streamed"] == script.HELLO
    assert got["usage"] == [14, 3, 7]
    assert got["tools"] == "The tool said: mild in Paris."
    assert got["shaped"] == FORECAST
    assert got["picture"] == "Pictures: 1."
    assert got["wrong_key"].endswith("AuthenticationError")
    keeps = vendor != "openai" or api == "responses"  # chat completions of OpenAI have no seals
    assert got["thinking"] == "The tool said: mild in Paris." + (script.SEEN_SEAL if keeps else "")


@pytest.mark.parametrize("vendor", MODELS)
@pytest.mark.parametrize("mode", ["TOOLS", "JSON_SCHEMA"])
def test_instructor(run: Run, vendor: str, mode: str) -> None:
    """A class is filled by a forced tool and by a schema, whole and growing."""
    got = run("instructor")[vendor][mode]
    assert got["whole"] == got["grown"] == FORECAST
    assert got["usage"] == [14, 7]


@pytest.mark.parametrize("vendor", MODELS)
@pytest.mark.parametrize("api", ["openai", "anthropic", "gemini"])
def test_litellm(run: Run, vendor: str, api: str) -> None:
    """Text, a stream with usage, a tool and its result, a picture and a wrong key, by three APIs."""
    got = run("litellm")[vendor][api]
    assert got["plain"] == got["streamed"] == script.HELLO
    assert got["usage"] == got["streamed_usage"] == [14, 7]
    assert got["call"] == ["weather", {"city": "Paris"}]
    assert "mild" in got["tools"]
    assert got["picture"] == "Pictures: 1."
    assert got["wrong_key"] == 401


@pytest.mark.parametrize("vendor", MODELS)
def test_llama_index(run: Run, vendor: str) -> None:
    """Text, a stream, a tool, a class filled by a tool, a picture and a wrong key."""
    got = run("llama-index")[vendor]
    assert got["plain"] == got["streamed"] == script.HELLO
    assert got["usage"] == [14, 7]
    assert got["tools"] == "mild in Paris"
    assert got["shaped"] == FORECAST
    assert got["picture"] == "Pictures: 1."
    assert got["wrong_key"] == 401


@pytest.mark.parametrize("vendor", MODELS)
def test_dspy(run: Run, vendor: str) -> None:
    """Text, usage, a signature filled by a schema and a wrong key, under names that it knows."""
    got = run("dspy", models=KNOWN)[vendor]
    assert got["plain"] == script.HELLO
    assert got["usage"] == [14, 7]
    assert got["shaped"] == FORECAST
    assert got["wrong_key"] is True


@pytest.mark.parametrize("vendor", MODELS)
def test_crewai(run: Run, vendor: str) -> None:
    """An agent's answer, a stream, a tool loop, a class that is filled, usage and a wrong key."""
    got = run("crewai")[vendor]
    assert got["plain"] == got["streamed"] == script.HELLO
    assert got["usage"] == [14, 7]
    assert got["tools"] == "The tool said: mild in Paris."
    assert got["shaped"] == FORECAST
    assert got["wrong_key"] == 401


@pytest.mark.parametrize("vendor", MODELS)
def test_mistralai(run: Run, vendor: str) -> None:
    """Mistral's SDK finds chat completions at the path that it knows, its own members and all."""
    got = run("mistral")[vendor]
    assert got["plain"] == got["streamed"] == script.HELLO
    assert got["usage"] == [14, 7]
    assert got["call"] == ["weather", {"city": "Paris"}]
    assert got["tools"] == "The tool said: mild."
    assert got["shaped"] == FORECAST
    assert got["picture"] == "Pictures: 1."
    assert got["wrong_key"] == 401


def test_mistralai_and_an_unknown_model(run: Run) -> None:
    """It is the SDK's own error, with the status."""
    assert run("mistral")["unknown_model"] == 404
