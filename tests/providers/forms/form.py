"""One API's form: where it is asked, what must arrive there, and its answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.translation.upstream import Answer

MODEL = "some-model"
TEXT = ("Good ", "day.")
CALL_ID = "call_1"
CALL_NAME = "weather"
CALL_ARGUMENTS = ('{"city": "Bern', '", "days": 3}')
# What every answer of these forms reports: all input, of it read from a cache where the API says so, output.
INPUT, CACHED, OUTPUT = 11, 4, 5


@dataclass(frozen=True, kw_only=True)
class Form:
    """See the module.

    Attributes:
        path: Where it is asked below the base URL; the argument says whether it streams.
        text, text_stream: An answer with `TEXT`.
        call, call_stream: An answer with the one tool call.
        refusal: An error with this status and sentence.
        wrong_key: What it answers to a key that it does not know, the key given, as many vendors echo it.
        cap: Where the bound on output tokens stands in the request.
        tool: Where the name of the first tool stands in the request.
        names_model: Whether the request's body names the model.
        caches: Whether its usage says how much was read from a cache.
    """

    path: Callable[[bool], str]
    text: Answer
    text_stream: Answer
    call: Answer
    call_stream: Answer
    refusal: Callable[[int, str], Answer]
    wrong_key: Callable[[str], Answer]
    cap: tuple[str, ...]
    tool: tuple[str | int, ...]
    names_model: bool = True
    caches: bool = True


def found(body: Any, path: tuple[str | int, ...]) -> Any:
    """What stands in a JSON value at a path; None where there is nothing."""
    for step in path:
        try:
            body = body[step]
        except (KeyError, IndexError, TypeError):
            return None
    return body
