"""Frames as chat completion chunks."""

from __future__ import annotations

from typing import Any, cast

import msgspec
from msgspec.structs import replace

from penstock.core.events import (
    ArgumentsDelta,
    AudioDelta,
    Broke,
    ChoiceFinished,
    CitationAdded,
    Ended,
    Event,
    Frame,
    LogprobsAdded,
    PartEnded,
    PartStarted,
    SignatureDelta,
    Started,
    TextDelta,
    UsageReported,
)
from penstock.core.parts import Extras, Refused, ToolCall
from penstock.dialects.openai_chat.delta import Chunk, Open, fill
from penstock.dialects.openai_chat.encode import TIERS, reply_id, wants_old_calls
from penstock.ports.translation import Asked, WireEvent
from penstock.shapes.openai_chat import SHAPE
from penstock.shapes.openai_chat.errors import broke_object
from penstock.shapes.openai_chat.finish import write_finish
from penstock.shapes.openai_chat.forms import is_own
from penstock.shapes.openai_chat.logprobs import write_logprobs
from penstock.shapes.openai_chat.usage import write_usage

_encode = msgspec.json.Encoder().encode
_DONE = WireEvent("", b"[DONE]")
_FILLED = frozenset(
    {PartStarted, TextDelta, ArgumentsDelta, SignatureDelta, CitationAdded, AudioDelta, PartEnded}
)


class ChatStreamEncoder:
    """Writes one stream."""

    __slots__ = ("_asked", "_broke", "_ended", "_foreign", "_head", "_is_own", "_open", "_reasons", "_usage")

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._open: dict[int, Open] = {}
        self._head: dict[str, Any] = {}
        self._foreign: dict[str, Any] | None = None
        self._usage: UsageReported | None = None
        # Told when all is said: Google has given a reason with each piece, and another at last.
        self._reasons: dict[int, ChoiceFinished] = {}
        self._is_own = False
        self._broke = False
        self._ended = False

    def write(self, frame: Frame) -> list[WireEvent]:
        """The chunk for one frame, none where a chunk has nothing to say of it."""
        extras = frame.extras
        if extras is not None and extras.shape == SHAPE:
            return self._own(frame, extras)
        out: list[WireEvent] = []
        chunk = Chunk(None)
        for event in frame.events:
            kind = event.__class__
            if kind is UsageReported:
                self._usage = cast("UsageReported", event)
            elif kind is Started:
                self._start(cast("Started", event))
            elif kind is Ended:
                out += self._flush(chunk)
                chunk = Chunk(None)
                out += [_DONE] if self._is_own and not self._ended else self.end()
                self._ended = True
            elif kind is Broke:
                out += self._flush(chunk)
                chunk = Chunk(None)
                out += self.fail(cast("Broke", event))
            elif kind is ChoiceFinished:
                finished = cast("ChoiceFinished", event)
                self._reasons[finished.choice] = finished
            else:
                self._add(_sealed(event, frame), chunk, own=False)
        out += self._flush(chunk)
        return out

    def end(self) -> list[WireEvent]:
        """Finish reasons that nobody gave, the usage where it is wanted, and the mark of the end."""
        if self._ended or self._broke:
            return []
        out: list[WireEvent] = []
        if not self._is_own:
            chunk = Chunk(None)
            if not self._open and not self._reasons:
                self._delta(chunk, 0)["content"] = ""
            for index in sorted({*self._open, *self._reasons}):
                state = self._open.get(index)
                default = ChoiceFinished(index, "tool_calls" if state is not None and state.calls else "stop")
                self._finish(self._reasons.get(index) or default, chunk, own=False)
            out += self._flush(chunk)
            if self._usage is not None and self._asked.wants_usage:
                usage = write_usage(self._usage.usage, SHAPE)
                out.append(WireEvent("", _encode({**self._base(), "choices": [], "usage": usage})))
        self._ended = True
        return [*out, _DONE]

    def fail(self, error: Broke) -> list[WireEvent]:
        """The error as a data line; nothing follows."""
        self._broke = True
        return [WireEvent("", _encode({"error": broke_object(error, SHAPE)}))]

    def _start(self, event: Started) -> None:
        self._head = {
            "id": event.id,
            "model": event.model,
            "created": event.created_s,
            "service_tier": event.service_tier,
        }
        self._foreign = None

    def _base(self) -> dict[str, Any]:
        """What every chunk of a stream that came in another shape begins with."""
        if self._foreign is None:
            asked = self._asked
            self._foreign = {
                "id": reply_id(asked),
                "object": "chat.completion.chunk",
                "created": asked.created_s,
                "model": self._head.get("model") or asked.model,
            }
            if self._head.get("service_tier") in TIERS:
                self._foreign["service_tier"] = self._head["service_tier"]
        return self._foreign

    def _own(self, frame: Frame, extras: Extras) -> list[WireEvent]:
        self._is_own = True
        fields = dict(extras.fields)
        said = fields.pop("~head", ())
        skeletons: list[dict[str, Any]] | None = fields.pop("~choices", None)
        chunk = Chunk(skeletons or [])
        top = fields.pop("~error", None)
        for event in frame.events:
            self._add_own(event, fields, chunk, top=top is not None)
        for index, choice in chunk.choices.items():
            if "message" in choice:
                self._repeat(index, choice)
        for name in said:
            fields[name] = self._head.get(name)
        if skeletons is not None or chunk.choices:
            fields["choices"] = chunk.written()
        if not self._asked.wants_usage and "usage" in fields:
            del fields["usage"]
            if fields.get("choices") == []:
                return []
        return [WireEvent(frame.name, _encode(fields))]

    def _add_own(self, event: Event, fields: dict[str, Any], chunk: Chunk, *, top: bool) -> None:
        kind = event.__class__
        if kind is Started:
            self._start(cast("Started", event))
        elif kind is UsageReported:
            self._put_usage(cast("UsageReported", event), fields, chunk)
        elif kind is Broke:
            self._broke = True
            error = broke_object(cast("Broke", event), SHAPE)
            fields.update(error if top else {"error": error})
        elif kind is Ended:
            self._ended = True
        else:
            self._add(event, chunk, own=True)

    def _repeat(self, index: int, choice: dict[str, Any]) -> None:
        """A choice that repeats the whole text so far beside its delta (Perplexity)."""
        state = self._open.setdefault(index, Open(old=False))
        delta: Any = choice.get("delta")
        new = delta.get("content") if delta.__class__ is dict else ""
        state.said += new if new.__class__ is str else ""
        message: Any = choice["message"]
        if message.__class__ is dict and "~all" in message:
            choice["message"] = {name: value for name, value in message.items() if name != "~all"}
            choice["message"]["content"] = state.said

    def _put_usage(self, event: UsageReported, fields: dict[str, Any], chunk: Chunk) -> None:
        usage = write_usage(event.usage, SHAPE)
        place = event.extras.fields.get("~in") if is_own(event.extras, SHAPE) and event.extras else None
        if place == "x_groq":
            fields["x_groq"] = {**fields["x_groq"], "usage": usage}
        elif place == "choice":
            for choice in chunk.choices.values():
                if "usage" in choice:
                    choice["usage"] = usage
                    return
        else:
            fields["usage"] = usage

    def _add(self, event: Event, chunk: Chunk, *, own: bool) -> None:
        kind = event.__class__
        if kind in _FILLED:
            filled = cast("PartStarted", event)
            state = self._open.get(filled.choice)
            if state is None:
                state = self._open[filled.choice] = Open(old=wants_old_calls(self._asked))
            fill(event, state, lambda: self._delta(chunk, filled.choice), own=own)
        elif kind is ChoiceFinished:
            self._finish(cast("ChoiceFinished", event), chunk, own=own)
        elif kind is LogprobsAdded:
            added = cast("LogprobsAdded", event)
            if not own:
                self._delta(chunk, added.choice)
            chunk.choice(added.choice)["logprobs"] = write_logprobs(added.logprobs, SHAPE)

    def _finish(self, event: ChoiceFinished, chunk: Chunk, *, own: bool) -> None:
        if not own:
            self._delta(chunk, event.choice)
        choice = chunk.choice(event.choice)
        native = own and "~finish" in choice
        state = self._open.setdefault(event.choice, Open(old=False))
        refused = any(isinstance(part, Refused) for part in state.parts.values())
        word = write_finish(event.finish, event.native, own=native, refused=refused)
        if not own and state.old and word == "tool_calls":
            word = "function_call"
        choice["finish_reason"] = word

    def _delta(self, chunk: Chunk, choice: int) -> dict[str, Any]:
        """The delta of a choice in this chunk; the first one of a foreign stream has the role."""
        state = self._open.get(choice)
        if state is None:
            state = self._open[choice] = Open(old=wants_old_calls(self._asked))
        delta = chunk.delta(choice)
        if chunk.made and not state.begun:
            delta["role"] = "assistant"
        state.begun = True
        return delta

    def _flush(self, chunk: Chunk) -> list[WireEvent]:
        if not chunk.choices:
            return []
        return [WireEvent("", _encode({**self._base(), "choices": chunk.written()}))]


def _sealed(event: Event, frame: Frame) -> Event:
    """A tool call's start with the seal that follows in the same frame, since its id must carry it."""
    if event.__class__ is not PartStarted:
        return event
    started = cast("PartStarted", event)
    if not isinstance(started.part, ToolCall) or started.part.signature is not None:
        return event
    for other in frame.events:
        if isinstance(other, SignatureDelta) and (other.choice, other.index) == (started.choice, started.index):
            return replace(started, part=replace(started.part, signature=other.signature))
    return event
