"""Values deep in a JSON text, replaced without touching a byte beside them.

A place is a path of keys and indices. The text is known to be JSON; keys that stand twice are for the caller to
refuse (`strict_object`), because parsers do not agree on which of them counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

Step = str | int
Path = tuple[Step, ...]

_SPACE = re.compile(rb"[ \t\n\r]*")
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_SCALAR = re.compile(rb"[^ \t\n\r,\]}]+")
_BRACKETS = re.compile(rb'[\[\]{}]|"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_OPEN, _CLOSE, _COMMA = b"{[", b"}]", 0x2C


class DuplicateKeyError(ValueError):
    """A key stands twice in one object."""


def strict_json(text: bytes | str) -> Any:
    """The value of a JSON text. Raises ValueError; DuplicateKeyError where a key stands twice, at any depth."""
    try:
        return json.loads(text, object_pairs_hook=_distinct)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise DuplicateKeyError(f"a key stands twice in one JSON object ({key[:40]!r}); send it once")
            seen.add(key)
    return found


def patched(body: bytes, edits: Mapping[Path, bytes]) -> bytes:
    """The text with the values at these places replaced by other JSON text.

    A place that is not there is not made, and none may lead through another one.
    """
    tree: dict[Step, Any] = {}
    for path, text in edits.items():
        at = tree
        for step in path[:-1]:
            at = at.setdefault(step, {})
        at[path[-1]] = text
    found: list[tuple[int, int, bytes]] = []
    _walk(body, _spaces(body, 0), tree, found)
    pieces: list[bytes] = []
    last = 0
    for start, end, text in found:
        pieces += (body[last:start], text)
        last = end
    pieces.append(body[last:])
    return b"".join(pieces)


def _spaces(body: bytes, at: int) -> int:
    found = _SPACE.match(body, at)
    return found.end() if found is not None else at


def _walk(body: bytes, at: int, tree: dict[Step, Any], found: list[tuple[int, int, bytes]]) -> int:
    """Go through the container that begins at `at`; gives where it ends."""
    opener = body[at : at + 1]
    if opener not in (b"{", b"["):
        return _skip(body, at)
    is_object = opener == b"{"
    at = _spaces(body, at + 1)
    index = 0
    while body[at : at + 1] not in (b"}", b"]", b""):
        step: Step = index
        if is_object:
            key = _STRING.match(body, at)
            if key is None:
                raise ValueError("not a JSON object")
            step = json.loads(key[0])
            at = _spaces(body, _spaces(body, key.end()) + 1)
        below = tree.get(step)
        if isinstance(below, bytes):
            end = _skip(body, at)
            found.append((at, end, below))
            at = end
        else:
            at = _walk(body, at, below, found) if below is not None else _skip(body, at)
        at = _spaces(body, at)
        if at < len(body) and body[at] == _COMMA:
            at = _spaces(body, at + 1)
        index += 1
    return at + 1


def _skip(body: bytes, at: int) -> int:
    """Where the value that begins at `at` ends."""
    first = body[at : at + 1]
    if first == b'"':
        text = _STRING.match(body, at)
        if text is None:
            raise ValueError("a JSON string does not end")
        return text.end()
    if first not in (b"{", b"["):
        scalar = _SCALAR.match(body, at)
        return scalar.end() if scalar is not None else at
    depth = 0
    for mark in _BRACKETS.finditer(body, at):
        kind = mark[0]
        if kind in _OPEN:
            depth += 1
        elif kind in _CLOSE:
            depth -= 1
            if depth == 0:
                return mark.end()
    raise ValueError("a JSON value does not end")
