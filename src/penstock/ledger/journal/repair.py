"""Events that cannot be encoded as they are: numbers beyond 64 bits, halves of surrogate pairs.

Both can only come from outside (an upstream's absurd counts, a client's broken text). The event is what was
charged and must be kept, so what cannot be written is cut to what can.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from penstock.core.exchange import Entry

# What every reader, SQLite's sums included, takes without losing exactness.
LARGEST = 2**53


def encodable(event: Entry) -> Any:
    """The event as plain lists with every number at most `LARGEST` and all text valid UTF-8."""
    return _fit(_plain(event))


def _plain(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        tag = value.__struct_config__.tag
        fields = [_plain(getattr(value, name)) for name in value.__struct_fields__]
        return [tag, *fields] if tag is not None else fields
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in cast("list[Any]", value)]
    return value


def _fit(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return max(-LARGEST, min(LARGEST, value))
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_fit(each) for each in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {_fit(key): _fit(each) for key, each in cast("dict[Any, Any]", value).items()}
    return value
