"""An assistant's message in Ollama's shape: thinking, text and calls, each in a field of its own."""

from __future__ import annotations

from typing import Any

from penstock.core.parts import Extras, Part, Refused, Text, Thinking, ToolCall
from penstock.core.seals import from_id
from penstock.shapes.ollama import CHAT
from penstock.shapes.ollama.calls import read_call, write_call
from penstock.shapes.taker import Taker, extras_of


def read_assistant(body: Taker, *seed: object) -> list[Part]:
    """What the assistant said. An empty text is no part; it stays where it is."""
    parts: list[Part] = []
    for name, kind in (("thinking", Thinking), ("content", Text)):
        if body.rest.get(name) != "":
            text = body.text(name)
            if text is not None:
                parts.append(kind(text))
    return parts + read_calls(body, *seed)


def read_calls(body: Taker, *seed: object) -> list[Part]:
    """The tool calls; none, and the field left where it is, where one cannot be read."""
    whole = body.rest.get("tool_calls")
    calls = body.objects("tool_calls")
    if calls is None:
        return []
    parts: list[Part] = []
    for at, each in enumerate(calls):
        call = read_call(each, *seed, at)
        if call is None:
            body.rest["tool_calls"] = whole
            return []
        own, carried = from_id(call.id)
        if own != call.id:
            call = ToolCall(own, call.name, call.arguments, signature=carried.signature, extras=call.extras)
            parts += carried.thinking
        parts.append(call)
    if not calls:
        body.rest["tool_calls"] = []
    return parts


def write_assistant(parts: tuple[Part, ...], extras: Extras | None, ids: dict[str, str]) -> dict[str, Any]:
    """The assistant's message; `ids` replaces ids of calls."""
    out = extras_of(extras, CHAT)
    own = extras is not None and extras.shape == CHAT
    thinking = "".join([part.text for part in parts if isinstance(part, Thinking)])
    text = "".join([part.text for part in parts if isinstance(part, Text | Refused)])
    calls = [part for part in parts if isinstance(part, ToolCall)]
    if not own:
        out["role"] = "assistant"
    if text or not own:
        out["content"] = text
    if thinking:
        out["thinking"] = thinking
    if calls:
        out["tool_calls"] = [write_call(call, ids.get(call.id, call.id)) for call in calls]
    return out
