"""Errors in each vendor's words, as the one form that decides on retry and fallback."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from penstock.core.events import Broke
from penstock.providers.openai.errors import read_error
from penstock.shapes.openai import ErrorShape

_READERS: dict[str, Callable[[bytes], ErrorShape]] = {}


def error_of(shape: str, body: bytes) -> ErrorShape:
    """What an error body says, however much of it can be read."""
    return _READERS.get(shape, read_error)(body)


def told_error(broke: Broke) -> bytes:
    """An error inside a stream as the JSON object that `failure_of_event` reads."""
    return msgspec.json.encode(
        {"message": broke.message, "type": broke.type, "code": broke.status or broke.code}
    )
