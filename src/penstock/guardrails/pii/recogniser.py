"""One kind of personal data: what it looks like, how it is checked, which words beside it speak for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Check = Callable[[str], bool]
UNLESS_CONTEXT = 0.3
"""The score of what is only reported with a word beside it that says what it is."""


@dataclass(frozen=True, slots=True)
class Recogniser:
    """A row of the table.

    `pattern` is RE2, whose time is linear in the text: no lookaround, no backreferences; where it has a group,
    the first one is the span. `check` is asked with the span as written. `score` holds without a word of
    `context` beside the span, `sure` with one; `never` are words right before it that say that it is something
    else. `source` says who publishes the format. Context and `never` are alternations of lower-case words.
    """

    kind: str
    pattern: str
    source: str
    score: float = 0.85
    sure: float = 0.95
    check: Check | None = None
    context: str = ""
    never: str = ""
    after: str = ""
    loose: bool = False
    longest: int = 64


def digits_of(text: str) -> str:
    """Only the digits of what may be written with separators."""
    return "".join(filter(str.isdecimal, text))


def alnum_of(text: str) -> str:
    """Only letters and digits, in upper case."""
    return "".join(filter(str.isalnum, text)).upper()
