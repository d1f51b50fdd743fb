"""Patterns that anybody may write and anybody's text may meet: RE2, whose time is linear in the text.

RE2 has no backreferences and no lookaround; everything else is as in most engines. Patterns are matched as a
set, in one pass over the text, which only says which of them occur.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import re2

MAX_PATTERN = 1_000
MAX_TEXT = 65_536
_PATTERN_BYTES = 1 << 20
_SET_BYTES = 8 << 20
# re2 has no type stubs; what is used of it stays in this module.
_engine: Any = cast("Any", re2)


class PatternError(ValueError):
    """The pattern cannot be used; the message says why."""


class Patterns:
    """Compiled patterns of at most `MAX_PATTERN` characters each. Raises PatternError.

    What would take more than a megabyte to hold is refused, too.
    """

    __slots__ = ("_set", "texts")

    def __init__(self, texts: Sequence[str]) -> None:
        for text in texts:
            _check(text)
        self.texts = tuple(texts)
        self._set: Any = _engine.Set.SearchSet(_options(_SET_BYTES))
        for text in texts:
            self._set.Add(text)
        self._set.Compile()

    def found(self, text: str) -> list[int]:
        """Which of the patterns occur in the text's first `MAX_TEXT` characters, by index, in order."""
        matched = self._set.Match(text[:MAX_TEXT].encode("utf-8", "replace"))
        return sorted(matched) if matched else []

    def occur(self, text: str) -> bool:
        """Whether any of them occurs."""
        return bool(self._set.Match(text[:MAX_TEXT].encode("utf-8", "replace")))


def _check(text: str) -> None:
    if len(text) > MAX_PATTERN:
        raise PatternError(f"a pattern has at most {MAX_PATTERN} characters, and this one {len(text)}")
    try:
        _engine.compile(text, options=_options(_PATTERN_BYTES))
    except _engine.error as error:
        said = error.args[0] if error.args else ""
        why = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise PatternError(f"RE2 does not take {text!r}: {why}") from None


def _options(memory: int) -> Any:
    options = _engine.Options()
    options.max_mem = memory
    options.log_errors = False
    return options
