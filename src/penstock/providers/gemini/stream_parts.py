"""The parts of one candidate as they arrive: texts and sound go on, everything else comes whole."""

from __future__ import annotations

from typing import Any, cast

from msgspec.structs import replace

from penstock.core.events import (
    ArgumentsDelta,
    AudioDelta,
    CitationAdded,
    Event,
    PartEnded,
    PartStarted,
    SignatureDelta,
    TextDelta,
)
from penstock.core.parts import Audio, Extras, Inline, Part, Text, Thinking, ToolCall
from penstock.providers.gemini.partial_args import PartialArgs
from penstock.shapes.gemini import SHAPE
from penstock.shapes.gemini.calls import CallIds, text_of_json
from penstock.shapes.gemini.grounding import read_citations
from penstock.shapes.gemini.parts import read_part
from penstock.shapes.gemini.reader import Reader, own_fields

_EMPTY_TEXT = Text("")
_EMPTY_THOUGHT = Thinking()


class Answer:
    """One candidate: which part is open, and what is to be known of the earlier ones."""

    __slots__ = ("_args", "_ids", "_kind", "_next", "_open", "_texts", "calls", "choice")

    def __init__(self, choice: int, seed: str) -> None:
        self.choice = choice
        self.calls = False
        self._ids = CallIds(seed, choice)
        self._next = 0
        self._open = -1
        self._kind = ""
        self._texts: dict[int, list[str]] = {}
        self._args: PartialArgs | None = None

    def only_text(self, parts: list[Any], events: list[Event]) -> bool:
        """The usual case, one more piece of text; whether it was that."""
        part = parts[0]
        if len(parts) != 1 or not isinstance(part, dict) or len(cast("dict[str, Any]", part)) != 1:
            return False
        text = cast("dict[str, Any]", part).get("text")
        if not isinstance(text, str):
            return False
        if self._kind != "text":
            self._start(_EMPTY_TEXT, "text", events)
            self._texts[self._open] = []
        self._texts[self._open].append(text)
        events.append(TextDelta(self.choice, self._open, text))
        return True

    def plain(self, part: Part, events: list[Event]) -> None:
        """One more part that holds no more than a text, or nothing."""
        if isinstance(part, Text):
            self._more(part, "text", events)
        else:
            self._whole(part, events)

    def part(self, reader: Reader, events: list[Event]) -> None:
        """One more part."""
        call = reader.rest.get("functionCall")
        if isinstance(call, dict) and self._piece(reader, cast("dict[str, Any]", call), events):
            return
        carried, part = read_part(reader, self._ids)
        for each in carried:
            self._whole(each, events)
        if isinstance(part, Text):
            self._more(part, "text", events)
        elif isinstance(part, Thinking):
            self._more(part, "thought", events)
        elif isinstance(part, ToolCall):
            self._call(part, events)
            events.append(ArgumentsDelta(self.choice, self._open, part.arguments))
            self._close(events)
        elif isinstance(part, Audio) and isinstance(part.source, Inline):
            self._sound(part, part.source, events)
        else:
            self._whole(part, events)

    def _start(self, part: Part, kind: str, events: list[Event]) -> None:
        self._close(events)
        self._open, self._kind = self._next, kind
        self._next += 1
        events.append(PartStarted(self.choice, self._open, part))

    def _close(self, events: list[Event]) -> None:
        if self._open >= 0:
            events.append(PartEnded(self.choice, self._open))
            self._open, self._kind = -1, ""

    def _more(self, part: Text | Thinking, kind: str, events: list[Event]) -> None:
        if self._kind != kind:
            self._start(_EMPTY_TEXT if kind == "text" else _EMPTY_THOUGHT, kind, events)
        at = self._open
        if kind == "text":
            self._texts.setdefault(at, []).append(part.text)
        events.append(TextDelta(self.choice, at, part.text, part.extras))
        if part.signature is not None:
            events.append(SignatureDelta(self.choice, at, part.signature))
            self._close(events)  # a part has one signature

    def _call(self, part: ToolCall, events: list[Event]) -> None:
        self.calls = True
        self._start(replace(part, arguments="", signature=None), "call", events)
        if part.signature is not None:
            events.append(SignatureDelta(self.choice, self._open, part.signature))

    def _sound(self, part: Audio, source: Inline, events: list[Event]) -> None:
        kind = "audio " + source.media_type
        if self._kind != kind:
            self._start(Audio(None, part.format), kind, events)
        notes = {**own_fields(part.extras), "~type": source.media_type}
        events.append(AudioDelta(self.choice, self._open, source.data, Extras(SHAPE, notes)))

    def _whole(self, part: Part, events: list[Event]) -> None:
        self._start(part, "whole", events)
        self._close(events)

    def _piece(self, reader: Reader, call: dict[str, Any], events: list[Event]) -> bool:
        """A function call whose arguments arrive in pieces; whether this was one."""
        goes_on = (call.get("willContinue") or call.get("will_continue")) is True
        pieces = call.get("partialArgs", call.get("partial_args"))
        begins = isinstance(call.get("name"), str)
        if self._args is None or begins:
            if not goes_on and not isinstance(pieces, list):
                return False
            self._end_args(events, None)
            _, part = read_part(reader, self._ids)
            if not isinstance(part, ToolCall):
                self._whole(part, events)
                return True
            self._call(part, events)
            self._args = PartialArgs()
            extras = Extras(SHAPE, {"~silent": True})
        else:
            del reader.rest["functionCall"]
            extras = Extras(SHAPE, {**reader.left(), "functionCall": call})
        for each in cast("list[Any]", pieces) if isinstance(pieces, list) else ():
            self._args.add(each)
        if isinstance(call.get("args"), dict):
            self._args.whole(call["args"])
        if not goes_on:
            self._end_args(events, extras)
        elif "functionCall" in extras.fields:
            events.append(ArgumentsDelta(self.choice, self._open, "", extras))
        return True

    def _end_args(self, events: list[Event], extras: Extras | None) -> None:
        if self._args is not None:
            text = text_of_json(self._args.value(), "functionCall.partialArgs")
            self._args = None
            silent = extras or Extras(SHAPE, {"~silent": True})
            events.append(ArgumentsDelta(self.choice, self._open, text, silent))
            self._close(events)

    def cited(self, candidate: dict[str, Any], events: list[Event]) -> None:
        """The sources that came beside the parts."""
        if "groundingMetadata" in candidate or "citationMetadata" in candidate:
            texts = {at: "".join(pieces) for at, pieces in self._texts.items()}
            for at, citation in read_citations(candidate, texts):
                events.append(CitationAdded(self.choice, at, citation))

    def finish(self, events: list[Event]) -> None:
        """Nothing follows, as far as is known."""
        self._end_args(events, None)
        self._close(events)
