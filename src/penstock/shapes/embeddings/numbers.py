"""A vector's numbers as a list or as base64 of their bytes."""

from __future__ import annotations

import base64
import binascii
import struct
from typing import Any, cast

from penstock.core.embedding import Number, VectorForm

_CODES: dict[Number, tuple[str, int]] = {
    "float": ("f", 4),
    "int8": ("b", 1),
    "uint8": ("B", 1),
    "binary": ("b", 1),
    "ubinary": ("B", 1),
}
_NUMERIC = frozenset({int, float})
_WHOLE = frozenset({"int8", "uint8"})


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


def in_form(values: tuple[float, ...] | str, number: Number, wanted: VectorForm) -> list[float] | str:
    """The vector as it was asked for, where it can be: whole numbers can be floats, other types stay."""
    if isinstance(values, str):
        if wanted.packed and number == wanted.number:
            return values
        found = unpack(values, number)
        if found is None:
            return values
        values = found
    if not wanted.packed:
        return list(values)
    text = pack(values, "float" if wanted.number == "float" and number in _WHOLE else number)
    return list(values) if text is None else text
