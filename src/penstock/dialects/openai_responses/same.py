"""Frames of this shape as the wire events that they came from.

What the frames' events say goes back to where it stood, and what the decoder marked as a repetition is repeated
from what was really written, so that a change in a delta is a change in all that follows from it.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

import msgspec

from penstock.core.events import (
    ArgumentsDelta,
    Broke,
    ChoiceFinished,
    CitationAdded,
    Event,
    Frame,
    PartEnded,
    PartStarted,
    Started,
    TextDelta,
    UsageReported,
)
from penstock.core.parts import Part, Refused, Text
from penstock.ports.translation import WireEvent
from penstock.shapes.openai_responses.annotations import encode_annotation
from penstock.shapes.openai_responses.content import encode_part
from penstock.shapes.openai_responses.finish import status_fields
from penstock.shapes.openai_responses.items import encode_item
from penstock.shapes.openai_responses.names import mark
from penstock.shapes.openai_responses.stream_events import (
    ADDED,
    ANNOTATION,
    DONE,
    EARLY,
    FAILED,
    GROWING,
    PART_ADDED,
    PART_DONE,
    REASONING_PARTS,
    TERMINAL,
    Growing,
    Place,
    again,
    place_of,
)
from penstock.shapes.openai_responses.usage import encode_usage

_encode = msgspec.json.Encoder().encode
_E = TypeVar("_E", bound=Event)


def _first(events: tuple[Event, ...], kind: type[_E]) -> _E | None:
    return next((event for event in events if isinstance(event, kind)), None)


def _said(events: tuple[Event, ...]) -> str:
    """The text that the events add, without the gap that the decoder put between pieces of thinking."""
    return "".join(
        [
            event.text
            for event in events
            if isinstance(event, TextDelta | ArgumentsDelta) and not mark(event.extras, "~gap")
        ]
    )


class SameShape:
    """The state of one stream; `response` is the last whole response that was written."""

    __slots__ = ("_contents", "_items", "_pieces", "_started", "response", "sequence")

    def __init__(self) -> None:
        self._pieces: dict[Place, list[str]] = {}
        self._contents: dict[tuple[int, int], dict[str, Any]] = {}
        self._items: dict[int, dict[str, Any]] = {}
        self._started: dict[str, Any] | None = None
        self.response: dict[str, Any] | None = None
        self.sequence = -1

    def write(self, frame: Frame) -> WireEvent:
        """The wire event of one frame of this shape."""
        fields = dict(frame.extras.fields) if frame.extras is not None else {}
        if "~done" in fields:
            return WireEvent(frame.name, b"[DONE]")
        kind = fields.get("type") or frame.name
        events = frame.events
        if kind.endswith(".delta") and (growing := GROWING.get(kind[:-6])) is not None:
            self._delta(fields, events, growing)
        else:
            self._other(kind, fields, events)
        number = fields.get("sequence_number")
        if type(number) is int:
            self.sequence = number
        return WireEvent(frame.name, _encode(fields))

    def _other(self, kind: str, fields: dict[str, Any], events: tuple[Event, ...]) -> None:
        if kind in REASONING_PARTS and "~text" in fields:
            self._reasoning_part(fields, REASONING_PARTS[kind])
        elif kind.endswith(".done") and (growing := GROWING.get(kind[:-5])) is not None:
            self._text_done(fields, events, growing)
        elif kind in {PART_ADDED, PART_DONE}:
            self._part(fields, events)
        elif kind in {ADDED, DONE}:
            self._item(fields, events)
        elif kind == ANNOTATION:
            found = _first(events, CitationAdded)
            if found is not None:
                fields["annotation"] = encode_annotation(found.citation, 0)
        elif kind in EARLY or kind in TERMINAL or kind in FAILED:
            self._response(fields, events)
        elif kind == "error" and (broke := _first(events, Broke)) is not None:
            _put_message(fields, broke)

    def _delta(self, fields: dict[str, Any], events: tuple[Event, ...], growing: Growing) -> None:
        if not fields.pop("~delta", False):
            return
        text = fields["delta"] = _said(events)
        place = place_of(fields, growing)
        if place is not None:
            self._pieces.setdefault(place, []).append(text)

    def _text_done(self, fields: dict[str, Any], events: tuple[Event, ...], growing: Growing) -> None:
        how = fields.pop("~text", None)
        place = place_of(fields, growing)
        if how is None or place is None:
            return
        if how in ("here", "rest"):
            self._pieces.setdefault(place, []).append(_said(events))
        fields[growing.full] = "".join(self._pieces.get(place, ()))

    def _reasoning_part(self, fields: dict[str, Any], growing: Growing) -> None:
        del fields["~text"]
        place = place_of(fields, growing)
        if place is not None:
            fields["part"] = {**fields["part"], "text": "".join(self._pieces.get(place, ()))}

    def _part(self, fields: dict[str, Any], events: tuple[Event, ...]) -> None:
        place = place_of(fields, GROWING["response.output_text"])
        if place is None or "part" in fields:
            return
        ended = _first(events, PartEnded)
        begun = _first(events, PartStarted)
        part = ended.part if ended is not None else begun.part if begun is not None else None
        if not isinstance(part, Text | Refused):
            return
        fields["part"] = written = encode_part(part, "output_text") or {}
        if ended is not None:
            self._contents[place[0], place[2]] = written
        elif part.text:
            self._pieces[place] = [part.text]

    def _item(self, fields: dict[str, Any], events: tuple[Event, ...]) -> None:
        at = fields.get("output_index")
        item = fields.get("item")
        if item is None:
            ended = _first(events, PartEnded)
            begun = _first(events, PartStarted)
            part: Part | None = ended.part if ended is not None else begun.part if begun is not None else None
            if part is None:
                return
            fields["item"] = item = encode_item(part)
        elif fields.get("type") == DONE and isinstance(item, dict) and type(at) is int:
            fields["item"] = item = self._message(at, cast("dict[str, Any]", item), events)
        if fields.get("type") == DONE and type(at) is int and isinstance(item, dict):
            self._items[at] = cast("dict[str, Any]", item)

    def _message(self, at: int, item: dict[str, Any], events: tuple[Event, ...]) -> dict[str, Any]:
        content = item.get("content")
        if item.get("type") != "message" or not isinstance(content, list):
            return item
        ended = iter(
            [event.part for event in events if isinstance(event, PartEnded) and event.part is not None]
        )
        written: list[Any] = []
        for kept in cast("list[dict[str, Any]]", content):
            if "~told" in kept:
                written.append(self._contents.get((at, kept["~told"])))
            elif "~here" in kept:
                part = next(ended, None)
                written.append(encode_part(part, "output_text") if part is not None else None)
            else:
                written.append(kept["~item"])
        return {**item, "content": written}

    def _response(self, fields: dict[str, Any], events: tuple[Event, ...]) -> None:
        if not isinstance(fields.get("response"), dict):
            return
        response = fields["response"] = dict(cast("dict[str, Any]", fields["response"]))
        started = _first(events, Started)
        if started is not None:
            self._started = {"id": started.id, "model": started.model}
            response.update({name: value for name, value in self._started.items() if value})
        for name in response.pop("~started", ()):
            response[name] = (self._started or {}).get(name)
        finished = _first(events, ChoiceFinished)
        if finished is not None:
            if isinstance(response.get("output"), list):
                response["output"] = [self._again(kept) for kept in response["output"]]
            if finished.finish != mark(finished.extras, "~finish"):
                response.update(status_fields(finished.finish, refused=False))
        usage = _first(events, UsageReported)
        if usage is not None:
            response["usage"] = encode_usage(usage.usage)
        broke = _first(events, Broke)
        if broke is not None:
            _put_message(response, broke)
        self.response = response

    def _again(self, kept: dict[str, Any]) -> Any:
        if "~item" in kept:
            return kept["~item"]
        return again(self._items.get(kept["~told"], {}), kept)


def _put_message(around: dict[str, Any], broke: Broke) -> None:
    """The error's sentence as the event has it, where one stood."""
    inner = around.get("error")
    if isinstance(inner, dict):
        error = cast("dict[str, Any]", inner)
        if isinstance(error.get("message"), str):
            around["error"] = {**error, "message": broke.message}
    elif isinstance(around.get("message"), str):
        around["message"] = broke.message
