"""Error bodies: Anthropic's, and those of the clouds that pass its API on (Bedrock `message`, Vertex `status`).

https://platform.claude.com/docs/en/api/errors
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from penstock.shapes.openai import ErrorShape

_decode = msgspec.json.Decoder().decode


def read_error(body: bytes) -> ErrorShape:
    """The error in a body, however much of one there is."""
    try:
        value: Any = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ErrorShape()
    if isinstance(value, list) and value:
        value = cast("list[Any]", value)[0]  # Google's streams put the object into a list
    if not isinstance(value, dict):
        return ErrorShape(message=value) if isinstance(value, str) else ErrorShape()
    members = cast("dict[str, Any]", value)
    error = members.get("error")
    if isinstance(error, str):
        return ErrorShape(message=error)
    inner = cast("dict[str, Any]", error) if isinstance(error, dict) else members
    message = _text(inner.get("message")) or _text(inner.get("Message"))
    kind = _text(inner.get("type")) or _text(inner.get("status")) or _text(inner.get("__type"))
    code = inner.get("code")
    known = isinstance(code, str | int) and not isinstance(code, bool)
    return ErrorShape(message=message, type=kind, code=code if known else None)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
