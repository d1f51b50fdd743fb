"""A vector's numbers as a list or as base64 of their bytes."""

from __future__ import annotations

import base64
import binascii
import struct
from typing import Any, cast

from penstock.core.embedding import Number

_CODES: dict[Number, tuple[str, int]] = {
    "float": ("f", 4),
    "int8": ("b", 1),
    "uint8": ("B", 1),
    "binary": ("b", 1),
    "ubinary": ("B", 1),
}
_NUMERIC = frozenset({int, float})


def pack(values: tuple[float, ...], number: Number) -> str | None:
    """The numbers' bytes, little end first, in base64; None where one does not fit its type."""
    code, _ = _CODES[number]
    try:
        return base64.b64encode(struct.pack(f"<{len(values)}{code}", *values)).decode()
    except (struct.error, OverflowError):
        return None


def unpack(text: str, number: Number) -> tuple[float, ...] | None:
    """The numbers in base64; None where the text is not what it should be."""
    code, size = _CODES[number]
    try:
        data = base64.b64decode(text, validate=True)
        return struct.unpack(f"<{len(data) // size}{code}", data)
    except (ValueError, binascii.Error, struct.error):
        return None


def values_of(value: Any) -> tuple[float, ...] | str | None:
    """A vector as a vendor wrote it: its numbers, or its base64; None where it is neither."""
    if isinstance(value, list):
        members = cast("list[Any]", value)
        return tuple(members) if _NUMERIC.issuperset(map(type, members)) else None
    return value if isinstance(value, str) else None


def in_form(values: tuple[float, ...] | str, number: Number, *, packed: bool) -> list[float] | str:
    """The vector as a list or packed, as it was asked for; as it is where it cannot be brought to that."""
    if isinstance(values, str):
        found = None if packed else unpack(values, number)
        return values if found is None else list(found)
    text = pack(values, number) if packed else None
    return list(values) if text is None else text
