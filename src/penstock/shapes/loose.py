"""Read what can be read of a JSON object whose fields do not all have the types that a Struct names.

Vendors disagree on small things (`status: 0`, `finish_reason: 1`), and an answer that a client could use must
not fail because the gateway wanted to count something in it. This is the slow path; it runs only after the
strict decoder refused.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

import msgspec

_Struct = TypeVar("_Struct", bound=msgspec.Struct)


def decode_loosely(text: bytes, shape: type[_Struct]) -> _Struct:
    """The Struct with every field that fits; raises msgspec.DecodeError where the text is not an object."""
    value = msgspec.json.decode(text)
    if not isinstance(value, dict):
        raise msgspec.ValidationError("a JSON object was expected")
    return _struct(cast("dict[str, Any]", value), shape)


def _struct(value: dict[str, Any], shape: type[_Struct]) -> _Struct:
    fields: dict[str, Any] = {}
    for name, kind in get_type_hints(shape).items():
        if value.get(name) is not None:
            found = _value(value[name], kind)
            if found is not None:
                fields[name] = found
    return shape(**fields)


def _value(value: Any, kind: Any) -> Any:
    """The value as `kind`, or None where it does not fit in any way."""
    if kind is msgspec.Raw:
        return msgspec.Raw(msgspec.json.encode(value))
    for option in get_args(kind) or (kind,):
        if isinstance(value, dict) and isinstance(option, type) and issubclass(option, msgspec.Struct):
            return _struct(cast("dict[str, Any]", value), option)
        if isinstance(value, list) and get_origin(option) is list:
            (inner,) = get_args(option)
            items = [_value(item, inner) for item in cast("list[Any]", value)]
            return [item for item in items if item is not None]
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return None
