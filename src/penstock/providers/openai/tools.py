"""What an OpenAI-shaped answer tells of the vendor's own tools, read only where there is something to read."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from penstock.core.usage import NO_TOOLS, ToolUse
from penstock.shapes.openai import Answer, ResponseObject, UsageShape
from penstock.shapes.openai_responses.tools_used import tools_used

_decode = msgspec.json.Decoder().decode


def tools_of_usage(shape: UsageShape) -> ToolUse:
    """What a chat completion's usage tells: see shapes/openai_chat/usage.py."""
    inside = shape.server_tool_use_details or shape.server_tool_use
    told = (inside.web_search_requests if inside is not None else None) or shape.num_search_queries
    return ToolUse(int(told)) if told and 0 < told < 1 << 40 else NO_TOOLS


def tools_of_response(response: ResponseObject | Answer) -> ToolUse:
    """What a response tells: see shapes/openai_responses/tools_used.py."""
    usage = response.usage
    counted = bytes(usage.server_side_tool_usage_details) if usage is not None else b""
    told, output = bytes(response.tool_usage), bytes(response.output)
    if not counted and not told and b'_call"' not in output:
        return NO_TOOLS
    value = {
        "usage": {"server_side_tool_usage_details": _read(counted)},
        "output": _read(output),
        "tool_usage": _read(told),
        "tools": _read(bytes(response.tools)),
    }
    return tools_used(cast("dict[str, Any]", value))


def _read(raw: bytes) -> object:
    try:
        return _decode(raw) if raw else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
