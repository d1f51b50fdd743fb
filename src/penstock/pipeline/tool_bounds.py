"""What a request's built-in tools may cost beside its tokens, where the target runs them: held beforehand.

How often a tool is used is bounded by the request where it says so (`max_uses`, `max_tool_calls`), and else by
what is usual: no vendor bounds it for us. A sandbox is made once for an answer; an advisor reads what the
request has, and answers within its `max_tokens`.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec
from msgspec.structs import replace

from penstock.core.price import Ceiling, tool_fees
from penstock.core.target import Target
from penstock.core.usage import NO_USAGE, InnerUse, Usage
from penstock.pipeline.media_bounds import image_tokens
from penstock.pipeline.tool_prices import inner_card
from penstock.shapes.openai_request import OpenAIRequest
from penstock.shapes.openai_responses.tools_used import DRAWING_MODEL

USUAL_USES = 10
_ADVISED, _PICTURES = 3, 2
_ADVICE_TOKENS = 2048
_MOST_USES = 1000
_SEARCHES = ("web_search", "x_search")
_FILES = ("file_search", "collections_search", "attachment_search")
_CODE = ("code_interpreter",)
_GOOGLE = ("googleSearch", "google_search", "googleSearchRetrieval", "google_search_retrieval")
_MARKS = (
    b"web_search", b"x_search", b"file_search", b"s_search", b"attachment_search", b"code_interpreter",
    b"image_generation", b"advisor", b"googleSearch", b"google_search",
)  # fmt: skip
_decode = msgspec.json.Decoder().decode


class ToolBound:
    """`nanousd` is the most that they may cost, None where one has no price; `likely` one use of each."""

    __slots__ = ("likely", "most", "nanousd")

    def __init__(self, nanousd: int | None, most: Usage, likely: Usage) -> None:
        self.nanousd = nanousd
        self.most = most
        self.likely = likely


def tool_bound(request: OpenAIRequest, target: Target, input_tokens: int, cap: int) -> ToolBound | None:
    """The bound of a request's built-in tools at this target; None where it has none that are run there."""
    raw = request.fields.raw.get("tools") if request.fields is not None else None
    if raw is None or not any(mark in raw for mark in _MARKS):
        return None
    if request.endpoint.shape not in target.speaks or request.resumable:
        return None  # translated requests carry none
    try:
        tools = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    most, inner = NO_USAGE, list[InnerUse]()
    for each in cast("list[Any]", tools) if isinstance(tools, list) else ():
        if isinstance(each, dict):
            tool = cast("dict[str, Any]", each)
            most = _with_tool(most, tool, _uses(request, tool, USUAL_USES))
            inner += _models(request, tool, input_tokens + cap)
    if most == NO_USAGE and not inner:
        return None
    once = [min(1, count) for count in msgspec.structs.astuple(most)]
    return ToolBound(_nanousd(target, most, inner), most, Usage(*once))


def _with_tool(most: Usage, tool: dict[str, Any], uses: int) -> Usage:
    kind = tool.get("type")
    if not isinstance(kind, str):
        if any(name in tool for name in _GOOGLE):
            return replace(most, web_searches=most.web_searches + uses, grounded_answers=1)
    elif kind.startswith(_SEARCHES):
        return replace(most, web_searches=most.web_searches + uses)
    elif kind.startswith(_FILES):
        return replace(most, file_searches=most.file_searches + uses)
    elif kind.startswith(_CODE):
        return replace(most, code_sessions=most.code_sessions + 1)
    return most


def _models(request: OpenAIRequest, tool: dict[str, Any], tokens: int) -> list[InnerUse]:
    """What the models that a tool calls may consume."""
    kind = tool.get("type")
    if not isinstance(kind, str):
        return []
    model = tool.get("model")
    name = model if isinstance(model, str) else ""
    if kind.startswith("advisor_"):
        uses = _uses(request, tool, _ADVISED)
        said = _count(tool.get("max_tokens")) or _ADVICE_TOKENS
        return [InnerUse(name, Usage(uses * tokens, uses * said))]
    if kind == "image_generation":
        uses = _uses(request, tool, _PICTURES)
        made = uses * image_tokens(str(tool.get("quality", "")), str(tool.get("size", "")))
        return [InnerUse(name or DRAWING_MODEL, Usage(uses * tokens, made, image_output_tokens=made))]
    return []


def _uses(request: OpenAIRequest, tool: dict[str, Any], usual: int) -> int:
    said = _count(tool.get("max_uses"))
    raw = request.fields.raw.get("max_tool_calls") if request.fields is not None else None
    calls = int(raw) if raw is not None and raw.isdigit() and len(raw) < 6 else 0
    bounds = [each for each in (said, calls) if each]
    return min(*bounds, _MOST_USES) if bounds else usual


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 30 else 0


def _nanousd(target: Target, most: Usage, inner: list[InnerUse]) -> int | None:
    if target.card is None:
        return None
    fees = tool_fees(target.card.rates, most)
    if fees is None:
        return None
    total = -(-fees // 1_000_000)
    for each in inner:
        card = inner_card(target, each.model)
        cost = Ceiling(card).media_nanousd(0, each.counts) if card is not None else None
        if cost is None:
            return None
        total += cost
    return total
