"""Encode chat streams in Cohere's shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

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
from penstock.core.parts import Part, Refused, Text, Thinking, ToolCall
from penstock.core.seals import into_id
from penstock.dialects.cohere.restore import restored
from penstock.ports.translation import Asked, WireEvent
from penstock.shapes.cohere import CHAT
from penstock.shapes.cohere.citations import write_citation
from penstock.shapes.cohere.events import DONE
from penstock.shapes.cohere.finish import word_of
from penstock.shapes.cohere.units import write_usage

_encode = msgspec.json.Encoder().encode


class CohereStreamEncoder:
    """Frames to Cohere's events. Of several answers, the first is told."""

    __slots__ = (
        "_asked",
        "_cited",
        "_finish",
        "_foreign",
        "_indexes",
        "_open",
        "_over",
        "_seals",
        "_started",
        "_texts",
        "_usage",
    )

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._started = self._over = self._foreign = False
        self._indexes: dict[int, tuple[str, int]] = {}  # by part: what it is, and its number among its kind
        self._open: set[int] = set()
        self._texts: dict[int, list[str]] = {}
        self._finish: ChoiceFinished | None = None
        self._usage: UsageReported | None = None
        self._seals: list[Thinking] = []
        self._cited = 0

    def write(self, frame: Frame) -> list[WireEvent]:
        """The wire events for one frame."""
        if frame.extras is not None and frame.extras.shape == CHAT:
            return [WireEvent(frame.name, self._own(frame, frame.extras.fields))]
        self._foreign = True
        out: list[WireEvent] = []
        for event in frame.events:
            self._event(event, out)
        return out

    def end(self) -> list[WireEvent]:
        """Close what is open, once."""
        out: list[WireEvent] = []
        self._finished(out)
        return out

    def fail(self, error: Broke) -> list[WireEvent]:
        """Cohere tells errors at the message's end."""
        if self._over:
            return []
        self._over = True
        delta = {"error": error.message, "finish_reason": "ERROR"}
        return [_wire("message-end", {"delta": delta})]

    def _own(self, frame: Frame, fields: dict[str, Any]) -> bytes:
        if DONE in fields:
            self._over = True
            return b"[DONE]"
        self._over = self._over or fields.get("type") == "message-end"
        return _encode(restored(fields, frame.events))

    def _event(self, event: Event, out: list[WireEvent]) -> None:
        handler = _HANDLERS.get(type(event))
        if handler is None or self._over or getattr(event, "choice", 0) != 0:
            return
        if not self._started:
            self._started = True
            message: dict[str, Any] = {
                "role": "assistant",
                "content": [],
                "tool_plan": "",
                "tool_calls": [],
                "citations": [],
            }
            out.append(_wire("message-start", {"id": self._asked.request_id, "delta": {"message": message}}))
        handler(self, event, out)

    def part_started(self, event: PartStarted, out: list[WireEvent]) -> None:
        """A block of content or a call begins."""
        part = event.part
        field = _field(part)
        if field is None:
            return
        number = sum([1 for known, _ in self._indexes.values() if (known == "call") is (field == "call")])
        self._indexes[event.index] = (field, number)
        self._open.add(event.index)
        self._texts[event.index] = []
        if isinstance(part, ToolCall):
            function = {"name": part.name, "arguments": ""}
            call_id = into_id(part.id, tuple(self._seals), part.signature)
            self._seals.clear()
            call = {"id": call_id, "type": "function", "function": function}
            out.append(_wire("tool-call-start", {"index": number, "delta": {"message": {"tool_calls": call}}}))
            if part.arguments:
                self.arguments(ArgumentsDelta(0, event.index, part.arguments), out)
            return
        content = {"type": field, field: ""}
        out.append(_wire("content-start", {"index": number, "delta": {"message": {"content": content}}}))
        text = cast("Text | Thinking | Refused", part).text
        if text:
            self.text(TextDelta(0, event.index, text), out)
        for citation in part.citations if isinstance(part, Text) else ():
            self.citation(CitationAdded(0, event.index, citation), out)

    def text(self, event: TextDelta, out: list[WireEvent]) -> None:
        """More of a block's text."""
        found = self._indexes.get(event.index)
        if found is None:
            return
        field, number = found
        self._texts[event.index].append(event.text)
        delta = {"message": {"content": {field: event.text}}}
        out.append(_wire("content-delta", {"index": number, "delta": delta}))

    def arguments(self, event: ArgumentsDelta, out: list[WireEvent]) -> None:
        """More of a call's arguments."""
        found = self._indexes.get(event.index)
        if found is not None:
            delta = {"message": {"tool_calls": {"function": {"arguments": event.text}}}}
            out.append(_wire("tool-call-delta", {"index": found[1], "delta": delta}))

    def citation(self, event: CitationAdded, out: list[WireEvent]) -> None:
        """A source of a block's text."""
        found = self._indexes.get(event.index)
        if found is not None:
            text = "".join(self._texts[event.index])
            body = write_citation(event.citation, text, found[1])
            number, self._cited = self._cited, self._cited + 1
            out.append(_wire("citation-start", {"index": number, "delta": {"message": {"citations": body}}}))
            out.append(_wire("citation-end", {"index": number}))

    def part_ended(self, event: PartEnded, out: list[WireEvent]) -> None:
        """A block or a call is complete."""
        found = self._indexes.get(event.index)
        if found is not None and event.index in self._open:
            self._open.discard(event.index)
            name = "tool-call-end" if found[0] == "call" else "content-end"
            out.append(_wire(name, {"index": found[1]}))

    def finished(self, event: ChoiceFinished, out: list[WireEvent]) -> None:  # noqa: ARG002
        """Why it ended is told at the message's end."""
        self._finish = event

    def usage(self, event: UsageReported, out: list[WireEvent]) -> None:  # noqa: ARG002
        """Usage is told at the message's end."""
        self._usage = event

    def broke(self, event: Broke, out: list[WireEvent]) -> None:
        """The vendor broke off."""
        out.extend(self.fail(event))

    def ended(self, event: Ended, out: list[WireEvent]) -> None:  # noqa: ARG002
        """The stream is complete."""
        self._finished(out)

    def seal(self, event: SignatureDelta, out: list[WireEvent]) -> None:  # noqa: ARG002
        """Cohere has no field for a seal: the id of the next call carries it."""
        found = self._indexes.get(event.index)
        if found is None or found[0] != "thinking":
            return
        text = "".join(self._texts[event.index])
        if event.sealed:
            self._seals.append(Thinking(text, sealed=event.signature))
        else:
            self._seals.append(Thinking(text, event.signature))

    def ignored(self, event: Started, out: list[WireEvent]) -> None:
        """Said already."""

    def _finished(self, out: list[WireEvent]) -> None:
        if self._over or not self._foreign:
            return
        if not self._started:
            self._event(Started(), out)
        for index in sorted(self._open):
            self.part_ended(PartEnded(0, index), out)
        self._over = True
        finish = self._finish
        calls = any(kind == "call" for kind, _ in self._indexes.values())
        reason = finish.finish if finish is not None else "tool_calls" if calls else "stop"
        delta: dict[str, Any] = {"finish_reason": word_of(reason, "", own=False)}
        if self._usage is not None:
            delta["usage"] = write_usage(self._usage.usage, CHAT)
        out.append(_wire("message-end", {"delta": delta}))
        out.append(WireEvent("", b"[DONE]"))


_Handler = Callable[[CohereStreamEncoder, Any, list[WireEvent]], None]
_HANDLERS: dict[type, _Handler] = {
    Started: CohereStreamEncoder.ignored,
    PartStarted: CohereStreamEncoder.part_started,
    TextDelta: CohereStreamEncoder.text,
    ArgumentsDelta: CohereStreamEncoder.arguments,
    CitationAdded: CohereStreamEncoder.citation,
    PartEnded: CohereStreamEncoder.part_ended,
    ChoiceFinished: CohereStreamEncoder.finished,
    UsageReported: CohereStreamEncoder.usage,
    SignatureDelta: CohereStreamEncoder.seal,
    Broke: CohereStreamEncoder.broke,
    Ended: CohereStreamEncoder.ended,
}


def _field(part: Part) -> str | None:
    if isinstance(part, ToolCall):
        return "call"
    if isinstance(part, Thinking):
        return "thinking"
    return "text" if isinstance(part, Text | Refused) else None


def _wire(kind: str, members: dict[str, Any]) -> WireEvent:
    return WireEvent(kind, _encode({"type": kind, **members}))
