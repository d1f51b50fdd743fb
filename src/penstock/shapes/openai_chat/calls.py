"""Tool calls in a message, and the single `function_call` that came before them."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from penstock.core.parts import Extras, Opaque, Part, ToolCall
from penstock.core.turns import made_id
from penstock.shapes.openai_chat.forms import cache_control, fold, is_own, take_cache
from penstock.shapes.taker import Taker, extras_of

_encode = msgspec.json.Encoder().encode
_ARGUMENTS = {"function": "arguments", "custom": "input"}


def read_calls(t: Taker, shape: str, seed: str) -> tuple[Part, ...]:
    """Take `tool_calls` and `function_call` out of a message; ids that are missing are made from `seed`."""
    parts: list[Part] = []
    items = t.rest.get("tool_calls")
    if isinstance(items, list) and items:
        del t.rest["tool_calls"]
        where = t.path("tool_calls")
        for at, item in enumerate(cast("list[Any]", items)):
            parts.append(_read_call(item, at, f"{where}[{at}]", shape, seed, strict=t.strict))
    elif items is not None and not isinstance(items, list):
        t.objects("tool_calls")  # refuses it where the client wrote it
    old = t.rest.get("function_call")
    if isinstance(old, dict) and cast("dict[str, Any]", old).get("name"):
        parts.append(_read_old(t, shape, seed))
    return tuple(parts)


def _read_call(item: Any, at: int, where: str, shape: str, seed: str, *, strict: bool) -> Part:
    if not isinstance(item, dict) and not strict:
        return Opaque(shape, {"~call": item})
    t = Taker(item, where, strict=strict)
    kind = t.rest.get("type", "function")
    place = "custom" if kind == "custom" else "function"
    said = t.rest.get(place)
    if not isinstance(said, dict) or (
        not strict and not isinstance(cast("dict[str, Any]", said).get("name"), str)
    ):
        return Opaque(shape, {"~call": item})
    inner = cast("Taker", t.object(place))
    name, arguments = inner.need("name"), _take_arguments(inner, _ARGUMENTS[place])
    fold(t, place, inner)
    if kind == place:
        if "type" not in t.rest:
            t.rest["~type"] = None
        t.rest.pop("type", None)
    elif t.rest["type"] is not None:
        t.rest["~type"] = t.rest.pop("type")
    call_id = t.text("id") if t.rest.get("id") else None
    if call_id is None:
        if "id" not in t.rest:
            t.rest["~id"] = None
        call_id = made_id("call_", seed, at, name, arguments)
    cache = take_cache(t, shape)
    return ToolCall(call_id, name, arguments, cast("Any", place), cache, extras=t.extras(shape))


def _take_arguments(t: Taker, name: str) -> str:
    value = t.rest.get(name)
    if isinstance(value, str):
        del t.rest[name]
        return value
    if isinstance(value, dict | list):
        del t.rest[name]
        t.rest["~value"] = True
        return _encode(value).decode()
    if name not in t.rest:
        t.rest["~bare"] = True
    return ""


def _read_old(t: Taker, shape: str, seed: str) -> ToolCall:
    inner = cast("Taker", t.object("function_call"))
    name, arguments = inner.need("name"), _take_arguments(inner, "arguments")
    inner.rest["~old"] = True
    return ToolCall(old_id(name, seed), name, arguments, extras=Extras(shape, inner.rest))


def old_id(name: str, seed: object) -> str:
    """The id of a `function_call`, which has none: its result names the function only."""
    return made_id("call_", "function_call", seed, name)


def is_old(part: ToolCall, shape: str) -> bool:
    """Whether the call was written as a `function_call`."""
    return is_own(part.extras, shape) and "~old" in cast("Extras", part.extras).fields


def write_calls(parts: list[ToolCall | Opaque], out: dict[str, Any], shape: str) -> None:
    """Put calls into a message."""
    items: list[Any] = []
    for part in parts:
        if isinstance(part, Opaque):
            items.append(part.value["~call"])
        elif is_old(part, shape):
            out["function_call"] = write_old(part, shape)
        else:
            items.append(write_call(part, shape))
    if items:
        out["tool_calls"] = items


def write_call(part: ToolCall, shape: str) -> dict[str, Any]:
    """One item of `tool_calls`."""
    out = extras_of(part.extras, shape)
    place: str = part.type
    inner = dict(out.pop(place, {}))
    inner["name"] = part.name
    _put_arguments(part.arguments, inner, _ARGUMENTS[place])
    kind = out.pop("~type", place)
    if kind is not None and "type" not in out:
        out["type"] = kind
    out[place] = inner
    if "~id" in out:
        del out["~id"]
    elif "id" not in out:
        out["id"] = part.id
    if part.cache is not None:
        out["cache_control"] = cache_control(part.cache, shape)
    return out


def write_old(part: ToolCall, shape: str) -> dict[str, Any]:
    """The call as a `function_call`."""
    out = extras_of(part.extras, shape)
    out.pop("~old", None)
    out["name"] = part.name
    _put_arguments(part.arguments, out, "arguments")
    return out


def _put_arguments(arguments: str, inner: dict[str, Any], name: str) -> None:
    if inner.pop("~value", None):
        try:
            inner[name] = msgspec.json.decode(arguments)
        except msgspec.DecodeError:
            inner[name] = arguments
    elif (not inner.pop("~bare", None) or arguments) and (arguments or name not in inner):
        inner[name] = arguments
