"""Frames that came from Converse, back into the message that each of them was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from penstock.core.events import (
    ArgumentsDelta,
    Broke,
    ChoiceFinished,
    CitationAdded,
    Frame,
    PartEnded,
    PartStarted,
    SignatureDelta,
    TextDelta,
    UsageReported,
)
from penstock.core.parts import Thinking, ToolCall
from penstock.core.seals import wrap
from penstock.ports.translation import WireEvent
from penstock.shapes.converse import SIGNER
from penstock.shapes.converse.citations import encode_citation
from penstock.shapes.converse.finish import stop_reason_of
from penstock.shapes.converse.keep import kept, kept_object
from penstock.shapes.converse.thinking import blob_of
from penstock.shapes.converse.tool_blocks import arguments_value, encode_tool_use
from penstock.shapes.converse.usage import encode_usage

_Delta = TextDelta | ArgumentsDelta | CitationAdded | SignatureDelta
_encode = msgspec.json.Encoder().encode


def to_wire(name: str, payload: dict[str, Any]) -> WireEvent:
    """A message with a JSON payload."""
    return WireEvent(name, _encode(payload))


class SameShape:
    """Remembers which parts are thinking, and what is open, for a stream that its vendor breaks off."""

    __slots__ = ("_finished", "_open", "_thinking", "_writers", "began", "wrote")

    def __init__(self) -> None:
        self.began = self.wrote = False
        self._finished = False
        self._open: dict[int, None] = {}
        self._thinking: set[int] = set()
        self._writers: dict[type, Callable[[Any, Frame], dict[str, Any] | None]] = {
            PartStarted: self._start,
            TextDelta: self._text,
            ArgumentsDelta: lambda event, frame: _delta(event, frame, "toolUse", {"input": event.text}),
            SignatureDelta: _signature,
            CitationAdded: _citation,
            PartEnded: self._stop,
            ChoiceFinished: self._finish,
            UsageReported: lambda event, _: {"usage": encode_usage(event.usage)},
            Broke: lambda event, _: {"message": event.message} if event.message else {},
        }

    def write(self, frame: Frame) -> list[WireEvent]:
        """The message of the frame: one for each of its events that a message can say."""
        self.began = self.wrote = True
        rest = kept_object(frame.extras, "rest")
        out: list[WireEvent] = []
        for event in frame.events:
            writer = self._writers.get(type(event))
            said = writer(event, frame) if writer is not None else None
            if said is not None:
                out.append(to_wire(frame.name, {**rest, **said}))
        return out or [to_wire(frame.name, rest)]

    def _start(self, event: PartStarted, frame: Frame) -> dict[str, Any] | None:
        self._open[event.index] = None
        if isinstance(event.part, Thinking):
            self._thinking.add(event.index)
        if frame.name != "contentBlockStart" or not isinstance(event.part, ToolCall):
            return None
        start = encode_tool_use(event.part, event.part.id, event.part.name)
        if kept(frame.extras, "input") == "none":
            del start["toolUse"]["input"]
        elif kept(frame.extras, "input") == "value":
            start["toolUse"]["input"] = arguments_value(event.part.arguments, any_value=True)
        return {"contentBlockIndex": event.index, "start": start}

    def _text(self, event: TextDelta, frame: Frame) -> dict[str, Any]:
        if event.index in self._thinking:
            return _delta(event, frame, "reasoningContent", {"text": event.text})
        return _delta(event, frame, "text", event.text)

    def _stop(self, event: PartEnded, _: Frame) -> dict[str, Any]:
        self._open.pop(event.index, None)
        return {"contentBlockIndex": event.index}

    def _finish(self, event: ChoiceFinished, _: Frame) -> dict[str, Any]:
        self._finished = True
        return {"stopReason": stop_reason_of(event.finish, event.native, own=True)}

    def end(self) -> list[WireEvent]:
        """What is missing where the vendor's stream stopped before its `messageStop`."""
        if self._finished:
            return []
        stops = [to_wire("contentBlockStop", {"contentBlockIndex": index}) for index in self._open]
        return [*stops, to_wire("messageStop", {"stopReason": "end_turn"})]


def _delta(event: _Delta, frame: Frame, name: str, said: Any) -> dict[str, Any]:
    more = kept(frame.extras, "delta")
    delta: dict[str, Any] = {**more, name: said} if more else {name: said}
    return {"contentBlockIndex": event.index, "delta": delta}


def _citation(event: CitationAdded, frame: Frame) -> dict[str, Any]:
    return _delta(event, frame, "citation", encode_citation(event.citation))


def _signature(event: SignatureDelta, frame: Frame) -> dict[str, Any]:
    if event.sealed:
        return _delta(event, frame, "reasoningContent", {"redactedContent": blob_of(event.signature)})
    return _delta(event, frame, "reasoningContent", {"signature": wrap(event.signature, SIGNER)})
