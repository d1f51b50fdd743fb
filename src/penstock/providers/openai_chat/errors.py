"""Error bodies of OpenAI and compatible vendors, and errors inside a stream.

Beside OpenAI's `{"error": {…}}` there are a string under `error`, the fields at the top (`object: error`:
SGLang, Mistral), a list of such objects (Google's compatible endpoint), `detail` (FastAPI servers) and
`message` alone.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from penstock.shapes.openai import ErrorShape

_decode = msgspec.json.Decoder().decode


def read_error(body: bytes) -> ErrorShape:
    """The error that a body tells, however much of one there is."""
    try:
        value = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ErrorShape()
    if isinstance(value, list) and value:
        value = cast("list[Any]", value)[0]
    if not isinstance(value, dict):
        return ErrorShape(message=value if isinstance(value, str) else None)
    said = cast("dict[str, Any]", value)
    inner: Any = said.get("error")
    return _read(cast("dict[str, Any]", inner) if isinstance(inner, dict) else said)


def _read(said: dict[str, Any]) -> ErrorShape:
    inner = said.get("error")
    if isinstance(inner, str) and inner:
        return ErrorShape(inner, _text(said.get("type")), _code(said.get("code")))
    message = _text(said.get("message")) or _detail(said.get("detail")) or _detail(said.get("message"))
    return ErrorShape(message, _text(said.get("type")), _code(said.get("code")))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _code(value: Any) -> str | int | None:
    return value if isinstance(value, str | int) and not isinstance(value, bool) else None


def _detail(value: Any) -> str | None:
    """FastAPI's validation errors: a sentence, or a list of places and sentences."""
    if isinstance(value, dict):
        value = cast("dict[str, Any]", value).get("detail")
    if isinstance(value, str):
        return value
    if not isinstance(value, list) or not value:
        return None
    first: Any = cast("list[Any]", value)[0]
    if not isinstance(first, dict):
        return None
    said = cast("dict[str, Any]", first)
    place: Any = said.get("loc")
    where = ".".join([str(step) for step in cast("list[Any]", place)]) if isinstance(place, list) else ""
    return f"{where}: {said.get('msg')}" if where else _text(said.get("msg"))
