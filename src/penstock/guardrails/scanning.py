"""RE2 for detectors: where a pattern occurs, and which of many do, in time linear in the text.

Unlike `core.regex`, whose patterns come from anybody, these are our own, and their places in the text count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, cast

import re2

_BYTES: Final = 32 << 20
# re2 has no type stubs; what detectors use of it stays in this module.
_engine: Any = cast("Any", re2)


def _options() -> Any:
    options = _engine.Options()
    options.max_mem = _BYTES
    options.log_errors = False
    return options


class SpanPattern:
    """A pattern whose first group is what is looked for."""

    __slots__ = ("_pattern",)

    def __init__(self, pattern: str) -> None:
        self._pattern: Any = _engine.compile(pattern, options=_options())

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Start and end of the first group of each match, in characters, from left to right."""
        for match in self._pattern.finditer(text):
            start, end = match.span(1)
            if start >= 0:
                yield start, end


class PatternSet:
    """Many patterns, of which one pass over the text says which occur."""

    __slots__ = ("_set", "_size")

    def __init__(self, patterns: Sequence[str]) -> None:
        self._size = len(patterns)
        self._set: Any = _engine.Set.SearchSet(_options())
        for pattern in patterns:
            self._set.Add(pattern)
        self._set.Compile()

    def found(self, data: bytes) -> list[int]:
        """Which of them occur in the UTF-8 text, by index, in no order."""
        return self._set.Match(data) or [] if self._size else []
