"""Decode Ollama's streams, of `/api/chat` and of `/api/generate`: one JSON object on each line.

What is left of a line is kept with its frame, with a hole where the text was.
"""

from __future__ import annotations

from typing import Any, Literal, cast

import msgspec

from penstock.core.errors import ShapeError
from penstock.core.events import (
    Broke,
    ChoiceFinished,
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
from penstock.core.parts import Extras, Text, Thinking, ToolCall
from penstock.providers.ollama.response import read_logprobs
from penstock.shapes.ollama import CHAT
from penstock.shapes.ollama.ending import finish_of, seconds_of, take_usage
from penstock.shapes.ollama.messages import read_calls
from penstock.shapes.taker import Taker

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_Kind = Literal["thinking", "text"]


class OllamaStreamDecoder:
    """The lines of one stream."""

    __slots__ = ("_calls", "_lines", "_next", "_open", "_started")

    def __init__(self) -> None:
        self._started = False
        self._next = 0
        self._lines = 0
        self._open: tuple[_Kind, int] | None = None
        self._calls = False

    def read(self, name: str, data: bytes) -> Frame:
        """One line. Raises ShapeError."""
        if not data:
            return Frame(name)
        try:
            line = _decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ShapeError("line", "a JSON object") from error
        events: list[Event] = []
        if isinstance(line.get("error"), str):
            return Frame(name, (Broke(line["error"]),), Extras(CHAT, line))
        if not self._started:
            self._started = True
            model = line.get("model")
            events.append(
                Started("", model if isinstance(model, str) else "", seconds_of(line.get("created_at")))
            )
        message = line.get("message")
        if isinstance(message, dict):
            fields = cast("dict[str, Any]", message)
            self._text(fields, "thinking", "thinking", events)
            self._text(fields, "content", "text", events)
            if "tool_calls" in fields:
                line["message"] = self._read_calls(fields, line, events)
        else:
            self._text(line, "thinking", "thinking", events)
            self._text(line, "response", "text", events)
        if line.get("logprobs"):
            found = line["logprobs"]
            logprobs = read_logprobs(cast("list[Any]", found) if isinstance(found, list) else None)
            if logprobs is not None and logprobs.tokens:
                events.append(LogprobsAdded(0, logprobs))
        if line.get("done") is True:
            self._done(line, events)
        self._lines += 1
        return Frame(name, tuple(events), Extras(CHAT, line))

    def _text(self, fields: dict[str, Any], name: str, kind: _Kind, events: list[Event]) -> None:
        text = fields.get(name)
        if not text or not isinstance(text, str):
            return
        del fields[name]
        if self._open is None or self._open[0] != kind:
            self._close(events)
            self._open = (kind, self._next)
            self._next += 1
            events.append(PartStarted(0, self._open[1], Text("") if kind == "text" else Thinking()))
        events.append(TextDelta(0, self._open[1], text))

    def _close(self, events: list[Event]) -> None:
        if self._open is not None:
            events.append(PartEnded(0, self._open[1]))
            self._open = None

    def _read_calls(self, fields: dict[str, Any], line: dict[str, Any], events: list[Event]) -> dict[str, Any]:
        body = Taker(fields)
        for part in read_calls(body, line.get("model"), line.get("created_at"), self._lines):
            if isinstance(part, ToolCall):
                self._close(events)
                self._calls = True
                events.append(PartStarted(0, self._next, part))
                events.append(PartEnded(0, self._next))
                self._next += 1
        return body.rest

    def _done(self, line: dict[str, Any], events: list[Event]) -> None:
        self._close(events)
        word = line.get("done_reason")
        if isinstance(word, str):
            del line["done_reason"]
            events.append(ChoiceFinished(0, finish_of(word, calls=self._calls), word))
        else:
            events.append(ChoiceFinished(0, finish_of("stop", calls=self._calls)))
        usage = take_usage(line)
        if usage is not None:
            events.append(UsageReported(usage))
        events.append(Ended())
