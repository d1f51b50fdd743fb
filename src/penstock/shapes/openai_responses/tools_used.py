"""What OpenAI's own tools, and those of vendors with its API, did for a response.

OpenAI tells searches and the tokens of drawn pictures beside the usage, in `tool_usage`; before it did, the
response's items were all there is: of web searches those whose action is `search` (a page that is opened is not
one). Code is billed by container, files by search: https://developers.openai.com/api/docs/pricing (built-in
tools). xAI counts its tools in the usage: https://docs.x.ai/developers/pricing.
"""

from __future__ import annotations

from typing import Any, cast

from penstock.core.usage import NO_TOOLS, InnerUse, ToolUse, Usage

# What draws where the tool names no model.
DRAWING_MODEL = "gpt-image-1"
_NONE: dict[str, Any] = {}
_CALL = "_call"


def tools_used(response: dict[str, Any]) -> ToolUse:
    """The uses that a whole response tells."""
    usage = _object(response.get("usage"))
    details = _object(usage.get("server_side_tool_usage_details"))
    details = details or _object(response.get("server_side_tool_usage_details"))
    if any(_n(count) for count in details.values()):
        return _counted(details)
    told = _object(response.get("tool_usage"))
    items = [_object(each) for each in _list(response.get("output"))]
    calls = [each for each in items if str(each.get("type", "")).endswith(_CALL)]
    if not calls and not told:
        return NO_TOOLS
    searched = _object(told.get("web_search")).get("num_requests")
    boxes = {each.get("container_id") for each in calls if each.get("type") == "code_interpreter_call"}
    kinds = [each.get("type") for each in calls]
    return ToolUse(
        web_searches=_n(searched) if searched is not None else sum([_searches(each) for each in calls]),
        file_searches=kinds.count("file_search_call"),
        code_sessions=len(boxes),
        inner=_drawn(response, told, [each for each in calls if each.get("type") == "image_generation_call"]),
    )


def _counted(details: dict[str, Any]) -> ToolUse:
    return ToolUse(
        web_searches=_n(details.get("web_search_calls")) + _n(details.get("x_search_calls")),
        file_searches=_n(details.get("file_search_calls")) + _n(details.get("document_search_calls")),
        code_sessions=_n(details.get("code_interpreter_calls")),
    )


def _searches(item: dict[str, Any]) -> int:
    if item.get("type") == "x_search_call":
        return 1
    if item.get("type") != "web_search_call":
        return 0
    return int(_object(item.get("action")).get("type") in (None, "search"))


def _drawn(
    response: dict[str, Any], told: dict[str, Any], pictures: list[dict[str, Any]]
) -> tuple[InnerUse, ...]:
    """What the model that draws consumed: its tokens, or how many pictures where those are not told."""
    counts = _object(told.get("image_gen"))
    given, made = _n(counts.get("input_tokens")), _n(counts.get("output_tokens"))
    if not given and not made and not pictures:
        return ()
    model = next((str(each["model"]) for each in pictures if each.get("model")), "")
    for tool in [_object(each) for each in _list(response.get("tools"))]:
        if tool.get("type") == "image_generation":
            model = model or str(tool.get("model") or "")
    if not given and not made:
        return (InnerUse(model or DRAWING_MODEL, Usage(images=len(pictures))),)
    used = Usage(
        input_tokens=given,
        output_tokens=made,
        image_input_tokens=_n(_object(counts.get("input_tokens_details")).get("image_tokens")),
        image_output_tokens=_n(_object(counts.get("output_tokens_details")).get("image_tokens")),
    )
    return (InnerUse(model or DRAWING_MODEL, used),)


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else _NONE


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _n(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return int(value) if 0 < value < 1 << 40 else 0
