"""Tool calls and their results: `toolUse` and `toolResult`."""

from __future__ import annotations

from typing import Any

from penstock.core.parts import ToolCall
from penstock.shapes.converse.keep import block, json_text, json_value, keep, kept, kept_object
from penstock.shapes.taker import Taker

SERVER_CALL = "server_tool_use"


def decode_tool_use(beside: Taker) -> ToolCall | None:
    """A tool call; None for one that Bedrock runs itself, or that cannot be read."""
    value = beside.rest.get("toolUse")
    if isinstance(value, dict) and value.get("type") == SERVER_CALL:  # pyright: ignore[reportUnknownMemberType]
        return None
    inside = beside.object("toolUse")
    if inside is None:
        return None
    call_id, name = inside.text("toolUseId"), inside.text("name")
    if call_id is None or name is None:
        return None
    given = inside.any("input")
    form = None if isinstance(given, dict) else "none" if given is None else "value"
    return ToolCall(
        id=call_id,
        name=name,
        arguments="" if given is None else json_text(given),
        extras=keep(inside=inside.rest, beside=beside.rest, input=form),
    )


def encode_tool_use(part: ToolCall, call_id: str, name: str) -> dict[str, Any]:
    """The block; arguments that are not an object's JSON are given as the object's one member `input`."""
    value = kept_object(part.extras, "inside")
    value["toolUseId"] = call_id
    value["name"] = name
    form = kept(part.extras, "input")
    if part.arguments or form != "none":
        value["input"] = arguments_value(part.arguments, any_value=form == "value")
    return block(part.extras, "toolUse", value)


def arguments_value(arguments: str, *, any_value: bool = False) -> Any:
    """What a call's arguments say, as the object that Bedrock wants."""
    if not arguments.strip():
        return {}
    try:
        value = json_value(arguments)
    except ValueError:
        return {"input": arguments}
    given: Any = value
    return given if any_value or isinstance(value, dict) else {"input": given}
