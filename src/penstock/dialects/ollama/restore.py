"""Give back a line of Ollama's stream: what came, with what the pivot took of it put back where it stood."""

from __future__ import annotations

from typing import Any

from penstock.core.events import ChoiceFinished, Event, PartStarted, TextDelta, UsageReported
from penstock.core.parts import Part, Refused, Text, Thinking, ToolCall
from penstock.shapes.ollama.calls import write_call
from penstock.shapes.ollama.ending import put_usage, word_of


def field_of(part: Part) -> str | None:
    """The message's field in which a part's text stands."""
    if isinstance(part, Thinking):
        return "thinking"
    return "content" if isinstance(part, Text | Refused) else None


def restored(fields: dict[str, Any], events: tuple[Event, ...], known: dict[int, str]) -> dict[str, Any]:
    """The line whose skeleton is `fields`; `known` has the field of each part, and learns of new ones."""
    line = dict(fields)
    inside: dict[str, Any] = {}
    for event in events:
        if isinstance(event, PartStarted):
            _begin(event, inside, known)
        elif isinstance(event, TextDelta):
            field = known.get(event.index, "content")
            inside[field] = inside.get(field, "") + event.text
        elif isinstance(event, UsageReported):
            put_usage(line, event.usage)
        elif isinstance(event, ChoiceFinished) and event.native:
            line["done_reason"] = word_of(event.finish, event.native, own=True)
    if inside and isinstance(line.get("message"), dict):
        line["message"] = {**line["message"], **inside}
    elif inside:
        if "content" in inside:
            inside["response"] = inside.pop("content")
        line |= inside
    return line


def _begin(event: PartStarted, inside: dict[str, Any], known: dict[int, str]) -> None:
    if isinstance(event.part, ToolCall):
        inside.setdefault("tool_calls", []).append(write_call(event.part, event.part.id))
    elif (field := field_of(event.part)) is not None:
        known[event.index] = field
