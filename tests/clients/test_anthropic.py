"""The `anthropic` package, through the gateway to vendors of every API."""

from __future__ import annotations

from typing import Any

from tests.clients.everywhere import ThinkingShapesAndPictures, everywhere, results_of
from tests.clients.vendors import script

got = results_of("anthropic", "anthropic", "anthropic-1")


class TestShared(ThinkingShapesAndPictures):
    """What every package is asked."""

    counting = "anthropic"


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
def test_thinking_stands_before_the_call(got: dict[str, Any], vendor: str) -> None:
    """As blocks, in the API's order."""
    assert [called["blocks"] for called in got[vendor]["thinking"]] == [["thinking", "tool_use"]] * len(
        got[vendor]["thinking"]
    )


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
