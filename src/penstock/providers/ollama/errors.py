"""Read Ollama's error bodies: `{"error": "…"}`."""

from __future__ import annotations

import msgspec

from penstock.shapes.openai import ErrorShape


class _Body(msgspec.Struct):
    error: str | None = None


_decode = msgspec.json.Decoder(_Body).decode


def read_error(body: bytes) -> ErrorShape:
    """What a body says of its error."""
    try:
        return ErrorShape(message=_decode(body).error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ErrorShape()
