"""A vendor's error body."""

from __future__ import annotations

import msgspec

from penstock.shapes.openai import ErrorShape, decode_error

_envelope = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_text = msgspec.json.Decoder(str).decode


def read_error(body: bytes) -> ErrorShape:
    """The error in a body, however much of one there is; xAI puts its sentence where others have an object."""
    try:
        members = _envelope(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ErrorShape()
    inner = members.get("error")
    found = _object(bytes(inner)) if inner is not None else None
    if found is not None:
        return found
    outer = _object(body) or ErrorShape()
    try:
        return ErrorShape(_text(inner) if inner is not None else outer.message, outer.type, outer.code)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return outer


def _object(text: bytes) -> ErrorShape | None:
    try:
        return decode_error(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
