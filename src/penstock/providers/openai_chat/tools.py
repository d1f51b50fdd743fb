"""Tools and tool choice of a request to a chat completions API."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatRequest, FunctionTool, ToolChoice
from penstock.ports.translation import Addressee
from penstock.shapes.openai_chat.forms import cache_control
from penstock.shapes.taker import extras_of


def write_tools(request: ChatRequest, out: dict[str, Any], to: Addressee, shape: str) -> None:
    """Put the tools into the request."""
    if not request.tools:
        _write_parallel(request, out, to)
        return
    if "tools" in to.profile.lacks:
        to.losses.drop("tools")
        return
    functions = "~functions" in out
    items: list[dict[str, Any]] = []
    for tool in request.tools:
        if isinstance(tool, FunctionTool):
            item = _write_tool(tool, to, shape, bare=functions)
            if item is not None:
                items.append(item)
        elif tool.shape == shape:
            if "~option" in tool.value:
                out[tool.value["~option"]] = tool.value["value"]
            else:
                items.append(tool.value)
        else:
            to.losses.drop("tool.opaque")
    if items:
        out["functions" if functions else "tools"] = items
        _write_parallel(request, out, to)


def _write_parallel(request: ChatRequest, out: dict[str, Any], to: Addressee) -> None:
    value = request.parallel_tool_calls
    if value is None or (not request.tools and request.extras is None):
        return
    if "parallel_tool_calls" in to.profile.lacks:
        if not value:
            to.losses.drop("parallel_tool_calls")
        return
    out["parallel_tool_calls"] = value


def _write_tool(tool: FunctionTool, to: Addressee, shape: str, *, bare: bool) -> dict[str, Any] | None:
    out = extras_of(tool.extras, shape)
    if tool.type == "custom" and not out and "tool.custom" in to.profile.lacks:
        to.losses.drop("tool.custom")
        return None
    inner = out if bare else dict(out.pop(tool.type, {}))
    inner["name"] = tool.name
    members = {"description": tool.description, "parameters": tool.parameters, "strict": tool.strict}
    inner.update({name: value for name, value in members.items() if value is not None})
    if bare:
        return inner
    kind = out.pop("~type", tool.type)
    out[tool.type] = inner
    if tool.cache is not None and (tool.cache.extras is not None or "cache" not in to.profile.lacks):
        out["cache_control"] = cache_control(tool.cache, shape)
    return {"type": kind, **out} if kind is not None else out


def write_choice(request: ChatRequest, out: dict[str, Any], to: Addressee, shape: str) -> None:
    """Put the tool choice into the request."""
    choice = request.tool_choice
    if choice is None:
        return
    base = extras_of(choice.extras, shape)
    own = bool(request.extras is not None and request.extras.shape == shape)
    if not own and not ("tools" in out or "functions" in out):
        return
    if "tool_choice" in to.profile.lacks:
        if choice.mode != "auto":
            to.losses.drop("tool_choice")
        return
    member = base.pop("~member", "tool_choice")
    out[member] = _choice(choice, base, request, old=member == "function_call")


def _choice(choice: ToolChoice, base: dict[str, Any], request: ChatRequest, *, old: bool) -> Any:
    if "~whole" in base:
        return base["~whole"]
    if choice.mode != "named":
        return base.get("~word", choice.mode) if choice.mode == "required" else choice.mode
    if old:
        return {**base, "name": choice.name}
    custom = any(
        isinstance(tool, FunctionTool) and tool.name == choice.name and tool.type == "custom"
        for tool in request.tools
    )
    place = base["type"] if base.get("type") in ("function", "custom") else "custom" if custom else "function"
    kind = base.pop("~type", place)
    said = {**base, place: {**base.get(place, {}), "name": choice.name}}
    return {**said, "type": kind} if kind is not None else said
