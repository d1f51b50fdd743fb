"""An assistant's message as Cohere has it: content, plan, calls and citations, each in a field of its own."""

from __future__ import annotations

from typing import Any, cast

from msgspec.structs import replace

from penstock.core.parts import Extras, Part, Thinking, ToolCall
from penstock.core.seals import from_id
from penstock.shapes.cohere import CHAT
from penstock.shapes.cohere.citations import all_citations, with_citations
from penstock.shapes.cohere.parts import PLAN, STRING, read_call, read_piece, write_call, write_piece
from penstock.shapes.taker import Taker, extras_of

LEFT = "~citations"  # those that are about no text


def read_content(body: Taker) -> list[Part]:
    """The content, whether a string or a list."""
    content = body.rest.get("content")
    if isinstance(content, str):
        return [*read_text(body)]
    if isinstance(content, list):
        del body.rest["content"]
        where = body.path("content")
        pieces = cast("list[Any]", content)
        if not pieces:
            body.rest["content"] = []
        return [read_piece(piece, f"{where}[{at}]") for at, piece in enumerate(pieces)]
    return []


def read_text(body: Taker) -> list[Part]:
    """A content that is a string; its form is remembered in the message."""
    text = body.text("content") or ""
    body.rest[STRING] = True
    return [read_piece({"type": "text", "text": text}, "")]


def read_assistant(body: Taker) -> list[Part]:
    """What the assistant said: content, then the plan, then the calls that it led to."""
    parts = read_content(body)
    citations = body.objects("citations")
    if citations is not None:
        left = with_citations(parts, citations)
        if left:
            body.rest[LEFT] = left
        if not citations:
            body.rest["citations"] = []
    plan = body.text("tool_plan")
    if plan is not None:
        parts.append(as_plan(Thinking(plan)))
    whole = body.rest.get("tool_calls")
    calls = body.objects("tool_calls") or []
    read = [read_call(call) for call in calls]
    if calls and all(read):
        for call in read:
            parts += _unsealed(cast("ToolCall", call))
    elif whole is not None:
        body.rest["tool_calls"] = whole
    return parts


def _unsealed(call: ToolCall) -> list[Part]:
    own, carried = from_id(call.id)
    if own == call.id:
        return [call]
    fields = ToolCall(own, call.name, call.arguments, signature=carried.signature, extras=call.extras)
    return [*carried.thinking, fields]


def is_plan(part: Part) -> bool:
    """Whether this thinking stood in `tool_plan`."""
    return isinstance(part, Thinking) and part.extras is not None and PLAN in part.extras.fields


def as_plan(thinking: Thinking) -> Thinking:
    """Thinking that is to stand in `tool_plan`."""
    return replace(thinking, extras=Extras(CHAT, {PLAN: True}))


def write_assistant(parts: tuple[Part, ...], extras: Extras | None, ids: dict[str, str]) -> dict[str, Any]:
    """The assistant's message; `ids` replaces ids of calls."""
    out = extras_of(extras, CHAT)
    string = out.pop(STRING, False)
    left = cast("list[dict[str, Any]]", out.pop(LEFT, []))
    if extras is None or extras.shape != CHAT:
        out["role"] = "assistant"
    plan = "".join([part.text for part in parts if isinstance(part, Thinking) and is_plan(part)])
    pieces: list[dict[str, Any]] = []
    content: list[Part] = []
    for part in parts:
        piece = None if is_plan(part) else write_piece(part)
        if piece is not None:
            pieces.append(piece)
            content.append(part)
    if pieces:
        out["content"] = pieces[0]["text"] if string and len(pieces) == 1 and "text" in pieces[0] else pieces
    if plan or any(is_plan(part) for part in parts):
        out["tool_plan"] = plan
    calls = [part for part in parts if isinstance(part, ToolCall)]
    if calls:
        out["tool_calls"] = [write_call(call, ids.get(call.id, call.id)) for call in calls]
    citations = all_citations(content, left)
    if citations:
        out["citations"] = citations
    return out
