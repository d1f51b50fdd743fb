"""Calls of the caller's own tools, functions and free-text tools alike, and their outputs."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.errors import ShapeError
from penstock.core.parts import Part, Text, Thinking, ToolCall, ToolResult
from penstock.core.seals import from_id
from penstock.shapes.openai_responses.content import decode_parts
from penstock.shapes.openai_responses.names import SHAPE, is_own, wire_fields
from penstock.shapes.taker import Taker

CALLS = {"function_call": "arguments", "custom_tool_call": "input"}
OUTPUTS = {"function": "function_call_output", "custom": "custom_tool_call_output"}


def decode_call(value: dict[str, Any], where: str, *, strict: bool) -> tuple[tuple[Thinking, ...], ToolCall]:
    """A call, and the thinking that travelled in its id."""
    taker = Taker(value, where, strict=strict)
    kind = taker.rest["type"]
    call_id, name = taker.need("call_id"), taker.need("name")
    arguments = taker.need(CALLS[kind])
    own_id, carried = from_id(call_id)
    call = ToolCall(
        own_id,
        name,
        arguments,
        "function" if kind == "function_call" else "custom",
        signature=carried.signature,
        extras=taker.extras(SHAPE),
    )
    return carried.thinking, call


def encode_call(call: ToolCall) -> dict[str, Any]:
    """A call with the fields that it came with; a foreign one has no item id and no status yet."""
    kind = "function_call" if call.type == "function" else "custom_tool_call"
    out = wire_fields(call.extras) if is_own(call.extras) else {}
    out["type"] = kind
    out["call_id"] = call.id
    out["name"] = call.name
    out[CALLS[kind]] = call.arguments
    return out


def decode_output(value: dict[str, Any], where: str, *, strict: bool) -> ToolResult:
    """What a tool gave: a text, or a list of content parts."""
    taker = Taker(value, where, strict=strict)
    call_id, _ = from_id(taker.need("call_id"))
    found = taker.any("output")
    content: tuple[Part, ...]
    if isinstance(found, str):
        content = (Text(found),) if found else ()
        taker.rest["~output"] = "text"
    elif isinstance(found, list):
        content = decode_parts(cast("list[Any]", found), taker.path("output"), strict=strict)
        taker.rest["~output"] = "list"
    else:
        raise ShapeError(taker.path("output"), "a string or a list")
    return ToolResult(call_id, content=content, extras=taker.extras(SHAPE))
