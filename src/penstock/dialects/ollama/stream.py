"""Encode streams in Ollama's shape: one JSON object on each line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import msgspec
from msgspec.structs import replace

from penstock.core.chat import ReplyUsage
from penstock.core.events import (
    ArgumentsDelta,
    Broke,
    ChoiceFinished,
    Ended,
    Frame,
    PartEnded,
    PartStarted,
    SignatureDelta,
    Started,
    TextDelta,
    UsageReported,
)
from penstock.core.parts import Refused, Text, Thinking, ToolCall
from penstock.core.seals import into_id
from penstock.dialects.ollama.restore import field_of, restored
from penstock.ports.translation import Asked, WireEvent
from penstock.shapes.ollama import CHAT
from penstock.shapes.ollama.calls import write_call
from penstock.shapes.ollama.ending import put_usage, timestamp, word_of

_encode = msgspec.json.Encoder().encode


class OllamaStreamEncoder:
    """Frames to lines. Of several answers, the first is told; a tool call is told when it is whole."""

    __slots__ = (
        "_asked", "_calls", "_fields", "_finish", "_foreign", "_model", "_over", "_seals", "_texts", "_usage",
    )  # fmt: skip

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._model = asked.model
        self._fields: dict[int, str] = {}  # by part: the field in which its text stands
        self._calls: dict[int, tuple[ToolCall, list[str]]] = {}  # those that are not told yet
        self._texts: dict[int, list[str]] = {}
        self._seals: list[Thinking] = []
        self._finish: ChoiceFinished | None = None
        self._usage: ReplyUsage | None = None
        self._over = self._foreign = False

    def write(self, frame: Frame) -> list[WireEvent]:
        """The wire events for one frame."""
        if frame.extras is not None and frame.extras.shape == CHAT:
            self._over = self._over or frame.extras.fields.get("done") is True
            return [WireEvent(frame.name, _encode(restored(frame.extras.fields, frame.events, self._fields)))]
        self._foreign = True
        out: list[WireEvent] = []
        for event in frame.events:
            handler = _HANDLERS.get(type(event))
            if handler is not None and not self._over and getattr(event, "choice", 0) == 0:
                handler(self, event, out)
        return out

    def end(self) -> list[WireEvent]:
        """Close what is open, once."""
        out: list[WireEvent] = []
        if self._foreign:
            self.ended(Ended(), out)
        return out

    def fail(self, error: Broke) -> list[WireEvent]:
        """Ollama tells an error as a line of its own."""
        if self._over:
            return []
        self._over = True
        return [WireEvent("", _encode({"error": error.message}))]

    def started(self, event: Started, out: list[WireEvent]) -> None:  # noqa: ARG002
        """The model's name stands on every line."""
        self._model = event.model or self._model

    def part_started(self, event: PartStarted, out: list[WireEvent]) -> None:
        """A part begins."""
        part = event.part
        field = field_of(part)
        if isinstance(part, ToolCall):
            self._calls[event.index] = (part, [part.arguments])
        elif field is not None:
            self._fields[event.index] = field
            self._texts[event.index] = []
            self.text(TextDelta(0, event.index, cast("Text | Thinking | Refused", part).text), out)

    def text(self, event: TextDelta, out: list[WireEvent]) -> None:
        """More text or thinking."""
        field = self._fields.get(event.index)
        if field is not None and event.text:
            if field == "thinking":
                self._texts[event.index].append(event.text)
            out.append(self._line({"role": "assistant", "content": "", field: event.text}))

    def arguments(self, event: ArgumentsDelta, out: list[WireEvent]) -> None:  # noqa: ARG002
        """More of a call's arguments."""
        call = self._calls.get(event.index)
        if call is not None:
            call[1].append(event.text)

    def seal(self, event: SignatureDelta, out: list[WireEvent]) -> None:  # noqa: ARG002
        """Ollama has no field for a seal: the id of the next call carries it."""
        if self._fields.get(event.index) == "thinking":
            text = "".join(self._texts[event.index])
            seal = event.signature
            self._seals.append(Thinking(text, sealed=seal) if event.sealed else Thinking(text, seal))

    def part_ended(self, event: PartEnded, out: list[WireEvent]) -> None:
        """A tool call is whole."""
        found = self._calls.pop(event.index, None)
        if found is None:
            return
        call = (
            event.part if isinstance(event.part, ToolCall) else replace(found[0], arguments="".join(found[1]))
        )
        call_id = into_id(call.id, tuple(self._seals), call.signature)
        self._seals.clear()
        written = write_call(replace(call, extras=None), call_id)
        out.append(self._line({"role": "assistant", "content": "", "tool_calls": [written]}))

    def finished(self, event: ChoiceFinished, out: list[WireEvent]) -> None:
        """The reason is told on the last line."""
        self._finish = event
        self._end_calls(out)

    def usage(self, event: UsageReported, out: list[WireEvent]) -> None:  # noqa: ARG002
        """The counts are told on the last line."""
        self._usage = event.usage

    def broke(self, event: Broke, out: list[WireEvent]) -> None:
        """The vendor broke off."""
        out.extend(self.fail(event))

    def ended(self, event: Ended, out: list[WireEvent]) -> None:  # noqa: ARG002
        """The stream is complete."""
        if self._over:
            return
        self._end_calls(out)
        self._over = True
        finish = self._finish.finish if self._finish is not None else "stop"
        reason = word_of(finish, "", own=False)
        line = {**self._head({"role": "assistant", "content": ""}), "done": True, "done_reason": reason}
        if self._usage is not None:
            put_usage(line, self._usage)
        out.append(WireEvent("", _encode(line)))

    def _end_calls(self, out: list[WireEvent]) -> None:
        for index in list(self._calls):
            self.part_ended(PartEnded(0, index), out)

    def _head(self, message: dict[str, Any]) -> dict[str, Any]:
        return {"model": self._model, "created_at": timestamp(self._asked.created_s), "message": message}

    def _line(self, message: dict[str, Any]) -> WireEvent:
        return WireEvent("", _encode({**self._head(message), "done": False}))


_Handler = Callable[[OllamaStreamEncoder, Any, list[WireEvent]], None]
_HANDLERS: dict[type, _Handler] = {
    Started: OllamaStreamEncoder.started,
    PartStarted: OllamaStreamEncoder.part_started,
    TextDelta: OllamaStreamEncoder.text,
    ArgumentsDelta: OllamaStreamEncoder.arguments,
    SignatureDelta: OllamaStreamEncoder.seal,
    PartEnded: OllamaStreamEncoder.part_ended,
    ChoiceFinished: OllamaStreamEncoder.finished,
    UsageReported: OllamaStreamEncoder.usage,
    Broke: OllamaStreamEncoder.broke,
    Ended: OllamaStreamEncoder.ended,
}
