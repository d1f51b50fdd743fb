"""Decode Cohere's chat streams: one event at a time, each piece of text taken out of where it stands.

What is left of an event is kept with its frame, with a hole where the text was, so that an encoder of the same
shape can put the text back.
"""

from __future__ import annotations

from typing import Any, Literal, cast

import msgspec

from penstock.core.chat import Logprobs
from penstock.core.errors import ShapeError
from penstock.core.events import (
    ArgumentsDelta,
    Broke,
    ChoiceFinished,
    CitationAdded,
    Ended,
    Event,
    Frame,
    LogprobsAdded,
    PartEnded,
    PartStarted,
    Started,
    TextDelta,
    UsageReported,
)
from penstock.core.parts import Extras, Opaque, Part, Text, Thinking, ToolCall
from penstock.providers.cohere.response import read_logprobs
from penstock.shapes.cohere import CHAT
from penstock.shapes.cohere.citations import read_citation
from penstock.shapes.cohere.events import DONE, PATHS, inner
from penstock.shapes.cohere.finish import finish_of
from penstock.shapes.cohere.parts import PLAN
from penstock.shapes.cohere.units import read_usage
from penstock.shapes.taker import Taker

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_Kind = Literal["content", "call", "plan"]
_PLAN = Thinking(extras=Extras(CHAT, {PLAN: True}))


class CohereStreamDecoder:
    """The events of one stream. Content and calls are numbered apart by Cohere, together in the pivot."""

    __slots__ = ("_empty_calls", "_next", "_parts", "_text")

    def __init__(self) -> None:
        self._next = 0
        self._parts: dict[tuple[_Kind, int], int] = {}
        self._empty_calls: set[int] = set()
        self._text = 0  # the text part that a citation is about where it does not say

    def read(self, name: str, data: bytes) -> Frame:
        """One event. Raises ShapeError."""
        if data == b"[DONE]":
            return Frame(name, (), Extras(CHAT, {DONE: True}))
        try:
            event = _decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ShapeError("event", "a JSON object") from error
        kind = event.get("type")
        read = _READERS.get(kind) if isinstance(kind, str) else None
        if read is not None:
            return Frame(name, tuple(read(self, event)), Extras(CHAT, event))
        if kind is None and isinstance(event.get("message"), str):
            return Frame(name, (Broke(event["message"]),), Extras(CHAT, event))
        return Frame(name, (), Extras(CHAT, event))

    def _new(self, kind: _Kind, number: int) -> int:
        at = self._parts[kind, number] = self._next
        self._next += 1
        return at

    def message_start(self, event: dict[str, Any]) -> list[Event]:
        """The reply's id."""
        reply_id = event.get("id")
        if not isinstance(reply_id, str):
            return [Started()]
        del event["id"]
        return [Started(reply_id)]

    def content_start(self, event: dict[str, Any]) -> list[Event]:
        """A block of text or thinking begins."""
        content = inner(event, PATHS["content-start"])
        if content is None:
            return []
        at = self._new("content", _number(event))
        kind = content.get("type")
        field = "thinking" if kind == "thinking" else "text"
        text = content.get(field)
        part: Part
        if not isinstance(text, str):
            part = Opaque(CHAT, dict(content))
        else:
            del content[field]
            part = Thinking(text) if kind == "thinking" else Text(text)
            if kind != "thinking":
                self._text = at
        return [PartStarted(0, at, part)]

    def content_delta(self, event: dict[str, Any]) -> list[Event]:
        """More of a block."""
        content = inner(event, PATHS["content-delta"])
        if content is None:
            return []
        number = _number(event)
        for field in ("text", "thinking"):
            text = content.get(field)
            if isinstance(text, str):
                del content[field]
                event["~field"] = field
                events: list[Event] = []
                at = self._parts.get(("content", number))
                if at is None:
                    at = self._new("content", number)
                    events.append(PartStarted(0, at, Text("") if field == "text" else Thinking()))
                events.append(TextDelta(0, at, text))
                return events + self._logprobs(event)
        return []

    def _logprobs(self, event: dict[str, Any]) -> list[Event]:
        found = event.get("logprobs")
        if found is None:
            return []
        items = cast("list[Any]", found) if isinstance(found, list) else [found]
        read: Logprobs | None = read_logprobs(items)
        return [LogprobsAdded(0, read)] if read is not None and read.tokens else []

    def content_end(self, event: dict[str, Any]) -> list[Event]:
        """A block is complete."""
        at = self._parts.get(("content", _number(event)))
        return [] if at is None else [PartEnded(0, at)]

    def plan_delta(self, event: dict[str, Any]) -> list[Event]:
        """More of the plan, which is thinking."""
        message = inner(event, PATHS["tool-plan-delta"])
        text = message.get("tool_plan") if message is not None else None
        if message is None or not isinstance(text, str):
            return []
        del message["tool_plan"]
        events: list[Event] = []
        at = self._parts.get(("plan", 0))
        if at is None:
            at = self._new("plan", 0)
            events.append(PartStarted(0, at, _PLAN))
        events.append(TextDelta(0, at, text))
        return events

    def call_start(self, event: dict[str, Any]) -> list[Event]:
        """A tool call begins."""
        call = inner(event, PATHS["tool-call-start"])
        function = call.get("function") if call is not None else None
        if call is None or not isinstance(function, dict):
            return []
        fields = cast("dict[str, Any]", function)
        call_id, name, arguments = call.get("id"), fields.get("name"), fields.get("arguments")
        if not isinstance(call_id, str) or not isinstance(name, str) or not isinstance(arguments, str):
            return []
        del call["id"], fields["name"], fields["arguments"]
        at = self._new("call", _number(event))
        if not arguments:
            self._empty_calls.add(at)
        return [PartStarted(0, at, ToolCall(call_id, name, arguments))]

    def call_delta(self, event: dict[str, Any]) -> list[Event]:
        """More of a call's arguments."""
        function = inner(event, PATHS["tool-call-delta"])
        text = function.get("arguments") if function is not None else None
        at = self._parts.get(("call", _number(event)))
        if function is None or not isinstance(text, str) or at is None:
            return []
        del function["arguments"]
        if at in self._empty_calls:
            self._empty_calls.discard(at)
            if text == "null":  # what Cohere writes where there are no arguments
                event["~arguments"] = "null"
                text = "{}"
        return [ArgumentsDelta(0, at, text)]

    def call_end(self, event: dict[str, Any]) -> list[Event]:
        """A call is complete."""
        at = self._parts.get(("call", _number(event)))
        return [] if at is None else [PartEnded(0, at)]

    def citation(self, event: dict[str, Any]) -> list[Event]:
        """A source for a piece of the text."""
        found = inner(event, PATHS["citation-start"])
        if found is None:
            return []
        number = found.get("content_index")
        at = self._parts.get(("content", number)) if isinstance(number, int) else self._text
        if at is None or found.get("type", "TEXT_CONTENT") != "TEXT_CONTENT":
            return []
        citation = read_citation(Taker(found))
        # The frame has the rest; what the pivot took is put back from it.
        found.pop("start", None)
        found.pop("end", None)
        return [CitationAdded(0, at, citation)]

    def message_end(self, event: dict[str, Any]) -> list[Event]:
        """Why it ended, and the usage."""
        delta = inner(event, PATHS["message-end"])
        if delta is None:
            return [Ended()]
        events: list[Event] = []
        usage, finish, error = delta.get("usage"), delta.get("finish_reason"), delta.get("error")
        if isinstance(usage, dict):
            del delta["usage"]
            events.append(UsageReported(read_usage(cast("dict[str, Any]", usage), CHAT)))
        if isinstance(error, str) and error:
            events.append(Broke(error, str(finish or "")))
            return events
        if isinstance(finish, str):
            del delta["finish_reason"]
            events.insert(0, ChoiceFinished(0, finish_of(finish), finish))
        events.append(Ended())
        return events


def _number(event: dict[str, Any]) -> int:
    number = event.get("index")
    return number if isinstance(number, int) else 0


_READERS: dict[str, Any] = {
    "message-start": CohereStreamDecoder.message_start,
    "content-start": CohereStreamDecoder.content_start,
    "content-delta": CohereStreamDecoder.content_delta,
    "content-end": CohereStreamDecoder.content_end,
    "tool-plan-delta": CohereStreamDecoder.plan_delta,
    "tool-call-start": CohereStreamDecoder.call_start,
    "tool-call-delta": CohereStreamDecoder.call_delta,
    "tool-call-end": CohereStreamDecoder.call_end,
    "citation-start": CohereStreamDecoder.citation,
    "message-end": CohereStreamDecoder.message_end,
}
