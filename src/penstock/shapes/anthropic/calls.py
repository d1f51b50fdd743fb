"""Tool calls and their results: ids, arguments, and thinking that travels in an id."""

from __future__ import annotations

import re
from typing import Any, cast

import msgspec

from penstock.core.errors import ShapeError
from penstock.core.turns import made_id

_ID = re.compile(r"[a-zA-Z0-9_-]+\Z")
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def vendor_id(call_id: str) -> str:
    """The id in the letters that the API takes; the same for a call and its result."""
    return call_id if _ID.match(call_id) else made_id("toolu_", call_id)


def arguments_of(value: dict[str, Any], where: str) -> str:
    """An input object as JSON text."""
    try:
        return _encode(value).decode()
    except RecursionError:
        raise ShapeError(where, "an object that is not nested so deeply") from None


def input_of(arguments: str) -> dict[str, Any]:
    """The input object for a call's arguments; free text, or text that is no object, becomes its one member."""
    if not arguments.strip():
        return {}
    try:
        return _decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return {"input": _loose(arguments)}


def _loose(text: str) -> Any:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
    return cast("Any", value) if isinstance(value, list) else text
