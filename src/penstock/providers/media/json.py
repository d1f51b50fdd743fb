"""Reading vendors' JSON: what is not as documented is a ShapeError that names the field."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from penstock.core.errors import ShapeError
from penstock.shapes.taker import real

_decode = msgspec.json.Decoder().decode
encode = msgspec.json.Encoder().encode


def read_object(body: bytes) -> dict[str, Any]:
    """A JSON object. Raises ShapeError."""
    try:
        value = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ShapeError("the answer", f"JSON ({error})") from None
    if not isinstance(value, dict):
        raise ShapeError("the answer", "a JSON object")
    return cast("dict[str, Any]", value)


def text_at(value: dict[str, Any], name: str) -> str:
    """A member that must be a text with something in it. Raises ShapeError."""
    text = value.get(name)
    if not isinstance(text, str) or not text:
        raise ShapeError(name, "a text")
    return text


def object_at(value: dict[str, Any], name: str) -> dict[str, Any]:
    """A member that must be an object. Raises ShapeError."""
    inner = value.get(name)
    if not isinstance(inner, dict):
        raise ShapeError(name, "an object")
    return cast("dict[str, Any]", inner)


def objects_at(value: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """A member that is a list of objects, empty where it is absent. Raises ShapeError."""
    inner = value.get(name)
    if inner is None:
        return []
    if not isinstance(inner, list):
        raise ShapeError(name, "a list")
    found = cast("list[Any]", inner)
    if not all(isinstance(each, dict) for each in found):
        raise ShapeError(name, "a list of objects")
    return cast("list[dict[str, Any]]", found)


def loose_text(value: object) -> str:
    """A text where it is one, else nothing."""
    return value if isinstance(value, str) else ""


def seconds_of(value: object) -> float | None:
    """A number of seconds that may be missing."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        return None
    return real(value)


def milliseconds(seconds: float | None) -> int:
    """For the ledger; 0 where nothing was said."""
    return round(seconds * 1000) if seconds else 0
