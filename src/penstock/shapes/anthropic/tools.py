"""Tools that the caller runs, the vendor's own ones, and which of them may be called.

https://platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools
"""

from __future__ import annotations

from typing import Any, Literal

from penstock.core.chat import FunctionTool, OpaqueTool, Tool, ToolChoice
from penstock.core.parts import Extras
from penstock.shapes.anthropic import SHAPE
from penstock.shapes.anthropic.cache import read_cache, write_cache
from penstock.shapes.taker import Taker, extras_of

_Mode = Literal["auto", "none", "required", "named"]
_READ: dict[str, _Mode] = {"auto": "auto", "none": "none", "any": "required", "tool": "named"}
_WRITE: dict[_Mode, str] = {mode: word for word, mode in _READ.items()}


def read_tool(taker: Taker) -> Tool:
    """A tool; one with another `type` than `custom` is the vendor's own."""
    kind = taker.rest.get("type")
    if kind is not None and kind != "custom":
        return OpaqueTool(SHAPE, taker.rest)
    name = taker.need("name")
    description, schema = taker.text("description"), taker.value("input_schema")
    strict, cache = taker.flag("strict"), read_cache(taker)
    return FunctionTool(name, description, schema, strict, cache=cache, extras=taker.extras(SHAPE))


def write_tool(tool: Tool) -> dict[str, Any] | None:
    """The tool as this API takes it; None for another vendor's own."""
    if isinstance(tool, OpaqueTool):
        return tool.value if tool.shape == SHAPE else None
    value = extras_of(tool.extras, SHAPE)
    value["name"] = tool.name
    if tool.description is not None:
        value["description"] = tool.description
    if tool.parameters is not None:
        value["input_schema"] = tool.parameters
    if tool.strict is not None:
        value["strict"] = tool.strict
    return write_cache(value, tool.cache)


def read_choice(taker: Taker) -> tuple[ToolChoice | None, bool | None]:
    """The `tool_choice`: which tools, and whether several at a time; an unknown one stays where it is."""
    value = taker.rest.get("tool_choice")
    if not isinstance(value, dict):
        return None, None
    inner = Taker(value, taker.path("tool_choice"), strict=taker.strict)
    word = inner.text("type")
    mode = _READ.get(word) if word is not None else None
    if mode is None:
        return None, None
    name = inner.need("name") if mode == "named" else ""
    alone = inner.flag("disable_parallel_tool_use")
    del taker.rest["tool_choice"]
    extras = Extras(SHAPE, inner.rest) if inner.rest else None
    return ToolChoice(mode, name, extras), None if alone is None else not alone


def write_choice(choice: ToolChoice | None, parallel: bool | None) -> dict[str, Any] | None:
    """The `tool_choice` member, None where nothing is to be said."""
    if choice is None:
        return {"type": "auto", "disable_parallel_tool_use": True} if parallel is False else None
    value = extras_of(choice.extras, SHAPE)
    value["type"] = _WRITE[choice.mode]
    if choice.mode == "named":
        value["name"] = choice.name
    if parallel is not None:
        value["disable_parallel_tool_use"] = not parallel
    return value
