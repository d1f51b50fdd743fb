"""Tools and tool choice of a request, in today's form and in that of `functions`."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import FunctionTool, OpaqueTool, Tool, ToolChoice
from penstock.core.errors import ShapeError
from penstock.core.parts import Extras
from penstock.shapes.openai_chat.forms import fold, take_cache
from penstock.shapes.taker import Taker

_MODES = {"auto": "auto", "none": "none", "required": "required", "any": "required"}
_PLACES = ("function", "custom")


def read_tools(t: Taker, shape: str) -> tuple[Tool, ...]:
    """Take the tools out of a request; web search options are a built-in tool, too."""
    items = t.objects("tools")
    if items == []:
        t.rest["tools"] = []
    tools = [_tool(item, shape) for item in items or ()]
    for old in t.objects("functions") or ():
        t.rest["~functions"] = True
        tools.append(_function(old, "function", None, shape))
    search = t.rest.get("web_search_options")
    if isinstance(search, dict):
        tools.append(
            OpaqueTool(shape, {"~option": "web_search_options", "value": t.value("web_search_options")})
        )
    return tuple(tools)


def _tool(t: Taker, shape: str) -> Tool:
    kind = t.rest.get("type", "function")
    inner = t.rest.get(kind) if kind in _PLACES else None
    if not isinstance(inner, dict):
        if kind in _PLACES:
            raise ShapeError(t.path(cast("str", kind)), "an object")
        return OpaqueTool(shape, t.rest)
    if "type" not in t.rest:
        t.rest["~type"] = None
    t.rest.pop("type", None)
    place = cast("str", kind)
    return _function(cast("Taker", t.object(place)), place, t, shape)


def _function(t: Taker, place: str, outer: Taker | None, shape: str) -> FunctionTool:
    name, description = t.need("name"), t.text("description")
    parameters = t.value("parameters")
    strict = t.flag("strict")
    cache = None
    extras = t.extras(shape)
    if outer is not None:
        cache = take_cache(outer, shape)
        fold(outer, place, t)
        extras = outer.extras(shape)
    return FunctionTool(name, description, parameters, strict, cast("Any", place), cache, extras)


def read_choice(t: Taker, shape: str) -> ToolChoice | None:
    """Take the tool choice out of a request."""
    for member in ("tool_choice", "function_call"):
        value = t.rest.get(member)
        found = _choice(value, member, shape)
        if found is not None:
            del t.rest[member]
            return found
        if value is not None and not isinstance(value, str | dict):
            raise ShapeError(member, "a string or an object")
    return None


def _choice(value: Any, member: str, shape: str) -> ToolChoice | None:
    if isinstance(value, str):
        mode = _MODES.get(value)
        if mode is None:
            return None
        said = {"~word": value} if value == "any" else {}
        marks = {**said, **_member(member)}
        return ToolChoice(cast("Any", mode), extras=Extras(shape, marks) if marks else None)
    if not isinstance(value, dict):
        return None
    whole = cast("dict[str, Any]", value)
    t = Taker(whole)
    if member == "function_call":
        name = t.text("name")
        return ToolChoice("named", name, Extras(shape, {**t.rest, **_member(member)})) if name else None
    kind = t.rest.get("type", "function")
    if kind == "allowed_tools":
        allowed: Any = whole.get("allowed_tools")
        mode = cast("dict[str, Any]", allowed).get("mode") if isinstance(allowed, dict) else None
        choice = "required" if mode == "required" else "auto"
        return ToolChoice(choice, extras=Extras(shape, {"~whole": whole}))
    if kind not in _PLACES:
        return None
    inner = t.object(cast("str", kind))
    name = inner.text("name") if inner is not None else None
    if inner is None or name is None:
        return None
    fold(t, cast("str", kind), inner)
    if kind == "function":
        if "type" not in t.rest:
            t.rest["~type"] = None
        t.rest.pop("type", None)
    return ToolChoice("named", name, t.extras(shape))


def _member(member: str) -> dict[str, Any]:
    return {"~member": member} if member != "tool_choice" else {}
