"""Reading the fields of OpenAI's media requests; a wrong type is a ShapeError that names the field."""

from __future__ import annotations

import re
from typing import Any

from penstock.core.errors import ShapeError
from penstock.core.media import Size
from penstock.shapes.taker import real

_SIZE = re.compile(r"([1-9]\d{0,4})x([1-9]\d{0,4})")
# The gateway's own and those that say who asks: no vendor's business.
_OURS = frozenset({"model", "metadata", "user", "safety_identifier", "stream", "service_tier", "store"})


def text_of(body: dict[str, Any], name: str) -> str | None:
    """A text, None where it is absent or null."""
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise ShapeError(name, "a text")
    return value


def needed(body: dict[str, Any], name: str) -> str:
    """A text that must be there."""
    value = text_of(body, name)
    if not value:
        raise ShapeError(name, "a text with something in it")
    return value


def number_of(body: dict[str, Any], name: str) -> float | None:
    """A number, None where it is absent or null."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ShapeError(name, "a number")
    return real(value)


def size_of(body: dict[str, Any]) -> Size | None:
    """`WIDTHxHEIGHT`, None where it is left to the vendor."""
    text = text_of(body, "size")
    if text is None or text == "auto":
        return None
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ShapeError("size", "WIDTHxHEIGHT, such as 1024x1024")
    return int(found[1]), int(found[2])


def others(body: dict[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """What OpenAI's API does not have: the vendor's own parameters."""
    return {name: value for name, value in body.items() if name not in known and name not in _OURS}
