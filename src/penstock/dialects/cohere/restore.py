"""Give back an event of Cohere's stream: what came, with what the pivot took of it put back where it stood."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from penstock.core.events import (
    ArgumentsDelta,
    ChoiceFinished,
    CitationAdded,
    Event,
    PartStarted,
    Started,
    TextDelta,
    UsageReported,
)
from penstock.core.parts import Text, Thinking, ToolCall
from penstock.shapes.cohere import CHAT
from penstock.shapes.cohere.events import PATHS, filled
from penstock.shapes.cohere.finish import word_of
from penstock.shapes.cohere.units import write_usage


def restored(fields: dict[str, Any], events: tuple[Event, ...]) -> dict[str, Any]:
    """The event whose skeleton is `fields`."""
    kind = fields.get("type")
    path = PATHS.get(kind, ()) if isinstance(kind, str) else ()
    members: dict[str, Any] = {}
    for each in events:
        write = _WRITERS.get(type(each))
        if write is not None:
            members |= write(each, fields)
    call = cast("dict[str, Any] | None", members.pop("~function", None))
    event = filled(fields, path, members) if members else fields
    if call is not None:
        event = filled(event, (*path, "function"), call)
    if "~field" in event or "~arguments" in event:
        event = {name: value for name, value in event.items() if not name.startswith("~")}
    return event


def _text(event: TextDelta, fields: dict[str, Any]) -> dict[str, Any]:
    return {fields.get("~field", "tool_plan"): event.text}


def _arguments(event: ArgumentsDelta, fields: dict[str, Any]) -> dict[str, Any]:
    null = fields.get("~arguments")
    return {"arguments": null if null and event.text == "{}" else event.text}


def _part(event: PartStarted, fields: dict[str, Any]) -> dict[str, Any]:
    part = event.part
    if fields.get("type") == "content-start" and isinstance(part, Text | Thinking):
        return {"thinking" if isinstance(part, Thinking) else "text": part.text}
    if fields.get("type") == "tool-call-start" and isinstance(part, ToolCall):
        return {"id": part.id, "~function": {"name": part.name, "arguments": part.arguments}}
    return {}


def _citation(event: CitationAdded, fields: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001
    found = {"start": event.citation.start, "end": event.citation.end}
    return {name: value for name, value in found.items() if value is not None}


def _started(event: Started, fields: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001
    return {"id": event.id} if event.id else {}


def _finished(event: ChoiceFinished, fields: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001
    return {"finish_reason": word_of(event.finish, event.native, own=True)}


def _usage(event: UsageReported, fields: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001
    return {"usage": write_usage(event.usage, CHAT)}


_WRITERS: dict[type, Callable[[Any, dict[str, Any]], dict[str, Any]]] = {
    TextDelta: _text,
    ArgumentsDelta: _arguments,
    PartStarted: _part,
    CitationAdded: _citation,
    Started: _started,
    ChoiceFinished: _finished,
    UsageReported: _usage,
}
