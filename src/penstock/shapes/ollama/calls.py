"""Tool calls in Ollama's shape: arguments are objects, and older versions give no ids."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from penstock.core.parts import ToolCall
from penstock.core.turns import made_id
from penstock.shapes.ollama import CHAT
from penstock.shapes.taker import Taker, extras_of

MADE = "~made"  # the id is ours
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def read_call(body: Taker, *seed: object) -> ToolCall | None:
    """A tool call, None where it cannot be read; `seed` makes its id where there is none."""
    function = body.object("function")
    name = function.text("name") if function is not None else None
    if function is None or name is None:
        return None
    arguments = function.value("arguments")
    if arguments is None and function.rest.get("arguments") is not None:
        return None
    text = _encode(arguments).decode() if arguments is not None else ""
    call_id = body.text("id") if body.rest.get("id") else None
    if not call_id:
        call_id = made_id("call_", *seed, name, text)
        body.rest[MADE] = True
    if function.rest:
        body.rest["function"] = function.rest
    return ToolCall(call_id, name, text, extras=body.extras(CHAT))


def write_call(call: ToolCall, call_id: str) -> dict[str, Any]:
    """A tool call; arguments that are no object stand as text under `input`."""
    own = extras_of(call.extras, CHAT)
    function = dict(cast("dict[str, Any]", own.pop("function", {})))
    function["name"] = call.name
    if call.arguments or call.extras is None or call.extras.shape != CHAT:
        function["arguments"] = object_of(call.arguments)
    if not own.pop(MADE, False):
        own["id"] = call_id
    return {**own, "function": function}


def object_of(text: str) -> dict[str, Any]:
    """The object that the JSON text is."""
    if not text:
        return {}
    try:
        value = _decode(text.encode())
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        value = text
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {"input": text}
