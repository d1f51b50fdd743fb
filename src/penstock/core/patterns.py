"""Names with `*` in them."""

from __future__ import annotations

from collections.abc import Iterable


def matched(patterns: Iterable[str], names: tuple[str, ...]) -> bool:
    """Whether any of the names matches any of the patterns."""
    return any(matches(pattern, name) for pattern in patterns for name in names)


def matches(pattern: str, name: str) -> bool:
    """Whether a name matches a pattern, in which `*` stands for anything; the case of letters does not count.

    Linear in both: names come from clients.
    """
    pieces = pattern.casefold().split("*")
    text = name.casefold()
    if len(pieces) == 1:
        return text == pieces[0]
    first, last = pieces[0], pieces[-1]
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in pieces[1:-1]:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True
