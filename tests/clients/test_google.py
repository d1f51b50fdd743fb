"""The `google-genai` package, through the gateway to vendors of every API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.everywhere import ThinkingShapesAndPictures, everywhere, results_of
from tests.clients.vendors import script

got = results_of("google", "google", "google-2")


class TestShared(ThinkingShapesAndPictures):
    """What every package is asked."""

    counting = "gemini"


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
