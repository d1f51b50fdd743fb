"""An answer's events as a Messages client expects them: one content block after the other, each closed.

A frame of this shape gives back the wire event that it came from. For others the encoder keeps the order that
the API promises: blocks never overlap, so what a vendor says of a later tool call waits while an earlier one is
open.
https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import msgspec

from penstock.core.chat import ReplyUsage
from penstock.core.events import (
    ArgumentsDelta,
    Broke,
    ChoiceFinished,
    CitationAdded,
    Ended,
    Frame,
    PartEnded,
    PartStarted,
    SignatureDelta,
    Started,
    TextDelta,
    UsageReported,
)
from penstock.dialects.anthropic.encode import message_id
from penstock.dialects.anthropic.errors import broken
from penstock.dialects.anthropic.open_blocks import OpenBlocks
from penstock.dialects.anthropic.own_stream import OwnEvents
from penstock.ports.translation import Asked, WireEvent
from penstock.shapes.anthropic import own
from penstock.shapes.anthropic.finish import foreign_finish
from penstock.shapes.anthropic.usage import write_usage

_encode = msgspec.json.Encoder().encode


class AnthropicStream:
    """The encoder of one stream."""

    __slots__ = (
        "_asked",
        "_blocks",
        "_ended",
        "_finish",
        "_model",
        "_on",
        "_own",
        "_started",
        "_tier",
        "_usage",
    )

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._started = self._ended = False
        self._model, self._tier = asked.model, ""
        self._finish: ChoiceFinished | None = None
        self._usage: ReplyUsage | None = None
        self._blocks = OpenBlocks()
        self._own = OwnEvents()
        self._on: dict[type, Callable[[Any], None]] = {
            PartStarted: self._blocks.start,
            TextDelta: self._blocks.text,
            ArgumentsDelta: self._blocks.arguments,
            SignatureDelta: self._blocks.seal,
            CitationAdded: self._blocks.cite,
            PartEnded: self._blocks.end,
        }

    def write(self, frame: Frame) -> list[WireEvent]:
        """The wire events for one frame."""
        if own(frame.extras):
            event = self._own.event(frame)
            if event is not None:
                self._watch(frame)
                return [event]
        for event in frame.events:
            if type(event) is Started:
                self._model, self._tier = event.model or self._model, event.service_tier or self._tier
            elif type(event) is UsageReported:
                self._usage = event.usage
        out: list[WireEvent] = []
        if frame.events:
            self._begin(out)
        if len(frame.events) > 1:
            self._blocks.look_ahead(frame.events)
        for event in frame.events:
            self._take(event, out)
        return out

    def _take(self, event: Any, out: list[WireEvent]) -> None:
        kind: Any = cast("Any", type(event))
        handler = self._on.get(kind)
        if handler is not None:
            if event.choice == 0 and not self._ended:
                handler(event)
                self._blocks.drain(out)
        elif kind is ChoiceFinished:
            if event.choice == 0:
                self._finish = event
        elif kind is Ended:
            out += self.end()
        elif kind is Broke:
            out += self.fail(event)

    def _watch(self, frame: Frame) -> None:
        """Note what a frame of this shape says, so that `end` can close a stream that breaks off."""
        for event in frame.events:
            kind = type(event)
            if kind is Started:
                self._started = True
            elif kind is UsageReported:
                self._usage = event.usage  # type: ignore[union-attr]
            elif kind is ChoiceFinished:
                self._finish = event  # type: ignore[assignment]
            elif kind is Ended or kind is Broke:
                self._ended = True
            elif kind is PartStarted:
                self._blocks.skip(event.index)  # type: ignore[union-attr]

    def _begin(self, out: list[WireEvent]) -> None:
        if self._started:
            return
        self._started = True
        usage = {**write_usage(self._usage, self._tier), "output_tokens": 0}
        message: dict[str, Any] = {
            "id": message_id(self._asked),
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage,
        }
        out.append(WireEvent("message_start", _encode({"type": "message_start", "message": message})))

    def end(self) -> list[WireEvent]:
        """What closes the stream; nothing where it is closed."""
        if self._ended:
            return []
        out: list[WireEvent] = []
        self._begin(out)
        self._own.close(out)
        self._blocks.close(out)
        self._ended = True
        if not self._own.finished:
            finish = self._finish
            reason = foreign_finish(finish.finish if finish is not None else None, calls=self._blocks.calls)
            delta = {
                "stop_reason": reason,
                "stop_sequence": finish.stop_sequence if finish is not None else None,
            }
            usage = write_usage(self._usage, self._tier)
            usage.pop("service_tier", None)
            event = {"type": "message_delta", "delta": delta, "usage": usage}
            out.append(WireEvent("message_delta", _encode(event)))
        out.append(WireEvent("message_stop", b'{"type":"message_stop"}'))
        return out

    def fail(self, error: Broke) -> list[WireEvent]:
        """An error in mid-stream; nothing follows."""
        self._ended = True
        return [broken(error)]
