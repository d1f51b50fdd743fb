"""Frames of this shape back to the wire events that they came from, with what the pivot says of them now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from penstock.core.events import (
    ArgumentsDelta,
    Broke,
    ChoiceFinished,
    CitationAdded,
    Ended,
    Event,
    Frame,
    PartEnded,
    PartStarted,
    SignatureDelta,
    Started,
    TextDelta,
    UsageReported,
)
from penstock.core.parts import Thinking, ToolCall
from penstock.core.seals import wrap
from penstock.dialects.anthropic.shown import sealed_call
from penstock.ports.translation import WireEvent
from penstock.shapes.anthropic import SHAPE, own
from penstock.shapes.anthropic.blocks import write_block
from penstock.shapes.anthropic.citations import write_citation
from penstock.shapes.anthropic.finish import write_finish
from penstock.shapes.anthropic.usage import counts_of, write_usage
from penstock.shapes.taker import extras_of, put

_encode = msgspec.json.Encoder().encode
_Fields = dict[str, Any]


class OwnEvents:
    """Remembers the kinds of open blocks, and what has been closed."""

    __slots__ = ("_open", "_thinking", "finished")

    def __init__(self) -> None:
        self._thinking: set[int] = set()
        self._open: int | None = None
        self.finished = False

    def event(self, frame: Frame) -> WireEvent | None:
        """The wire event; None where the frame's events are no longer what one event of its kind can say."""
        fields = extras_of(frame.extras, SHAPE)
        kind = fields.get("type")
        if frame.events:
            write = _WRITERS.get(kind) if isinstance(kind, str) else None
            if write is None or not write(self, fields, frame.events):
                return None
        return WireEvent(frame.name or str(kind), _encode(fields))

    def close(self, out: list[WireEvent]) -> None:
        """Close the block that is open."""
        if self._open is not None:
            event = {"type": "content_block_stop", "index": self._open}
            out.append(WireEvent("content_block_stop", _encode(event)))
            self._open = None

    def message_start(self, fields: _Fields, events: tuple[Event, ...]) -> bool:
        """The reply begins."""
        start = events[0]
        if not isinstance(start, Started):
            return False
        message = extras_of(start.extras, SHAPE)
        put(message, id=start.id or None, model=start.model or None)
        for event in events[1:]:
            if isinstance(event, UsageReported):
                message["usage"] = write_usage(event.usage, start.service_tier)
        fields["message"] = message
        return True

    def block_start(self, fields: _Fields, events: tuple[Event, ...]) -> bool:
        """A block begins."""
        event = events[0]
        if not isinstance(event, PartStarted) or len(events) > 1:
            return False
        part = event.part
        block = write_block(sealed_call(part) if isinstance(part, ToolCall) else part)
        if block is None:
            return False
        self._open = event.index
        if isinstance(part, Thinking):
            self._thinking.add(event.index)
        else:
            self._thinking.discard(event.index)
        fields["index"], fields["content_block"] = event.index, block
        return True

    def block_delta(self, fields: _Fields, events: tuple[Event, ...]) -> bool:
        """More of a block."""
        event = events[0]
        if len(events) > 1:
            return False
        delta: _Fields
        if isinstance(event, TextDelta):
            delta = self._text(event)
        elif isinstance(event, ArgumentsDelta):
            delta = {"type": "input_json_delta", "partial_json": event.text}
        elif isinstance(event, SignatureDelta) and not event.sealed:
            delta = {"type": "signature_delta", "signature": wrap(event.signature, SHAPE)}
        elif isinstance(event, CitationAdded):
            delta = {"type": "citations_delta", "citation": write_citation(event.citation)}
        else:
            return False
        fields["index"] = event.index
        fields["delta"] = {**extras_of(event.extras, SHAPE), **delta} if event.extras is not None else delta
        return True

    def _text(self, event: TextDelta) -> _Fields:
        said = extras_of(event.extras, SHAPE).get("type")
        if said == "thinking_delta" or (said is None and event.index in self._thinking):
            return {"type": "thinking_delta", "thinking": event.text}
        return {"type": "text_delta", "text": event.text}

    def block_stop(self, fields: _Fields, events: tuple[Event, ...]) -> bool:
        """A block is complete."""
        event = events[0]
        if not isinstance(event, PartEnded):
            return False
        self._open = None
        fields["index"] = event.index
        return True

    def message_delta(self, fields: _Fields, events: tuple[Event, ...]) -> bool:
        """Why the answer ended, and what it used."""
        for event in events:
            if isinstance(event, ChoiceFinished):
                self.finished = True
                delta = extras_of(event.extras, SHAPE)
                delta["stop_reason"] = write_finish(event.finish, event.native)
                fields["delta"] = put(delta, stop_sequence=event.stop_sequence)
            elif isinstance(event, UsageReported):
                fields["usage"] = _usage(event)
            else:
                return False
        return True

    def message_stop(self, fields: _Fields, events: tuple[Event, ...]) -> bool:  # noqa: ARG002 - one signature for all
        """The end."""
        self._open = None
        self.finished = True
        return isinstance(events[0], Ended)

    def error(self, fields: _Fields, events: tuple[Event, ...]) -> bool:
        """The vendor broke off."""
        event = events[0]
        if not isinstance(event, Broke):
            return False
        if event.extras is not None:  # else the event has no error object, and stays as it is
            error = extras_of(event.extras, SHAPE)
            fields["error"] = put(error, type=event.type or None, message=event.message or None)
        return True


def _usage(event: UsageReported) -> _Fields:
    """The usage as this event said it: often less than the whole, which the start of the message began."""
    said = extras_of(event.extras, SHAPE)
    whole = extras_of(event.usage.extras, SHAPE)
    if own(event.extras) and counts_of(whole) == event.usage.counts:
        return said
    return write_usage(event.usage)


_WRITERS: dict[str, Callable[[OwnEvents, _Fields, tuple[Event, ...]], bool]] = {
    "message_start": OwnEvents.message_start,
    "content_block_start": OwnEvents.block_start,
    "content_block_delta": OwnEvents.block_delta,
    "content_block_stop": OwnEvents.block_stop,
    "message_delta": OwnEvents.message_delta,
    "message_stop": OwnEvents.message_stop,
    "error": OwnEvents.error,
}
