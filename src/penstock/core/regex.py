"""Patterns that anybody may write and anybody's text may meet: RE2, whose time is linear in the text.

RE2 has no backreferences and no lookaround; everything else is as in most engines.
"""

from __future__ import annotations

from typing import Any, Protocol, cast

import re2

MAX_PATTERN = 1_000
MAX_TEXT = 65_536
_MEMORY_BYTES = 1 << 20


class PatternError(ValueError):
    """The pattern cannot be used; the message says why."""


class Pattern(Protocol):
    """A compiled pattern."""

    def search(self, text: str) -> object | None:
        """The first place that it matches, None where there is none."""
        ...


def compile_pattern(text: str) -> Pattern:
    """Compile a pattern of at most `MAX_PATTERN` characters. Raises PatternError.

    What would take more than a megabyte to run, such as `(a{1000}){1000}`, is refused.
    """
    if len(text) > MAX_PATTERN:
        raise PatternError(f"a pattern has at most {MAX_PATTERN} characters, and this one {len(text)}")
    # re2 has no type stubs; what is used of it is in the protocol above.
    engine: Any = cast("Any", re2)
    options = engine.Options()
    options.max_mem = _MEMORY_BYTES
    options.log_errors = False
    try:
        return cast("Pattern", engine.compile(text, options=options))
    except engine.error as error:
        said = error.args[0] if error.args else ""
        why = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise PatternError(f"RE2 does not take this pattern: {why}") from None
