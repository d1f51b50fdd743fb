"""Tools and the choice among them."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import FunctionTool, OpaqueTool, Tool, ToolChoice
from penstock.core.errors import ShapeError
from penstock.core.parts import Extras
from penstock.shapes.openai_responses.names import SHAPE, is_own, wire_fields
from penstock.shapes.taker import Taker, put

_MODES = frozenset({"auto", "none", "required"})
_NAMED = ("function", "custom")


def decode_tool(value: Any, where: str) -> Tool:
    """One tool of a request; a vendor's built-in one is kept as it came."""
    taker = Taker(value, where, strict=True)
    kind = taker.rest.get("type")
    if kind not in _NAMED:
        return OpaqueTool(SHAPE, taker.rest)
    return FunctionTool(
        taker.need("name"),
        taker.text("description"),
        taker.value("parameters"),
        taker.flag("strict"),
        "function" if kind == "function" else "custom",
        extras=taker.extras(SHAPE),
    )


def encode_tool(tool: FunctionTool) -> dict[str, Any]:
    """One tool. A foreign one is not strict unless it says so, though this API's default is strict."""
    out = wire_fields(tool.extras)
    if not is_own(tool.extras) and tool.type == "function":
        # Both are required by the API, and a schema that says nothing takes an object without members.
        out.update(parameters={"type": "object", "properties": {}}, strict=False)
    out["type"] = tool.type
    out["name"] = tool.name
    strict = tool.strict if tool.type == "function" else None
    return put(out, description=tool.description, parameters=tool.parameters, strict=strict)


def encode_tools(tools: tuple[Tool, ...]) -> list[dict[str, Any]]:
    """The tools that this shape can say."""
    out: list[dict[str, Any]] = []
    for tool in tools:
        if isinstance(tool, FunctionTool):
            out.append(encode_tool(tool))
        elif tool.shape == SHAPE:
            out.append(tool.value)
    return out


def decode_tool_choice(value: Any, where: str) -> ToolChoice:
    """A mode, a named tool, a set of allowed tools, or a built-in tool that must be used."""
    if isinstance(value, str):
        if value not in _MODES:
            raise ShapeError(where, "auto, none, required or an object")
        return ToolChoice(cast("Any", value), "", Extras(SHAPE, {"~form": "text"}))
    taker = Taker(value, where, strict=True)
    kind = taker.rest.get("type")
    if kind in _NAMED:
        return ToolChoice("named", taker.need("name"), taker.extras(SHAPE))
    mode = taker.rest.get("mode")
    return ToolChoice("auto" if mode == "auto" else "required", "", taker.extras(SHAPE))


def encode_tool_choice(choice: ToolChoice, tools: tuple[Tool, ...]) -> str | dict[str, Any]:
    """The choice, as a word where a word says it."""
    fields = wire_fields(choice.extras)
    if choice.mode == "named":
        kind = next(
            (tool.type for tool in tools if isinstance(tool, FunctionTool) and tool.name == choice.name),
            "function",
        )
        return {"type": kind, **(fields if fields.get("type") in _NAMED else {}), "name": choice.name}
    if not fields or fields.get("type") in _NAMED or choice.mode == "none":
        return choice.mode
    if "mode" in fields:
        fields["mode"] = choice.mode
    elif choice.mode == "auto":
        return "auto"
    return fields
