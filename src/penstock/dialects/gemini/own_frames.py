"""Frames that Google itself sent, back into the events that they came from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import msgspec

from penstock.core.events import (
    ArgumentsDelta,
    AudioDelta,
    ChoiceFinished,
    Frame,
    LogprobsAdded,
    PartStarted,
    SignatureDelta,
    Started,
    TextDelta,
    UsageReported,
)
from penstock.core.parts import Audio, Extras, Inline, Text, Thinking, ToolCall
from penstock.dialects.gemini.encode import own_seal
from penstock.shapes.gemini import SHAPE
from penstock.shapes.gemini.calls import arguments_of
from penstock.shapes.gemini.finish import write_finish
from penstock.shapes.gemini.logprobs import write_logprobs
from penstock.shapes.gemini.parts import write_part, write_text
from penstock.shapes.gemini.reader import closed, opened, own_fields
from penstock.shapes.gemini.usage import write_usage
from penstock.shapes.taker import put

Json = dict[str, Any]


class _Answer:
    """One candidate of the frame at hand, and which parts of it go on from earlier frames."""

    __slots__ = ("fields", "kinds", "parts")

    def __init__(self) -> None:
        self.kinds: dict[int, Text | Thinking | Audio | ToolCall] = {}
        self.fields: Json = {}
        self.parts: list[Json] = []


class OwnFrames:
    """Writes the frames of one stream."""

    __slots__ = ("_answers", "_out", "_started", "_writers")

    def __init__(self) -> None:
        self._answers: dict[int, _Answer] = {}
        self._out: Json = {}
        self._started = Started()
        self._writers: dict[type, Callable[[Any], None]] = {
            Started: self._begin,
            PartStarted: self._part,
            TextDelta: self._text,
            ArgumentsDelta: self._arguments,
            SignatureDelta: self._signature,
            AudioDelta: self._audio,
            LogprobsAdded: self._logprobs,
            ChoiceFinished: self._finish,
            UsageReported: self._usage,
        }

    def write(self, frame: Frame) -> Json:
        """The object that the frame was."""
        self._out, notes = opened(own_fields(frame.extras))
        candidates: list[Json] = notes.get("~candidates", [])
        order: list[tuple[_Answer, Json]] = []
        for at, left in enumerate(candidates):
            fields, spelling = opened(left)
            given = fields.get("index")
            answer = self._answer(given if isinstance(given, int) and given is not True else at)
            answer.fields, answer.parts = fields, []
            order.append((answer, spelling))
        for event in frame.events:
            writer = self._writers.get(type(event))
            if writer is not None:
                writer(event)
        started = self._started
        for field in notes.get("~same", ()):
            self._out[field] = started.id if field == "responseId" else started.model
        if order:
            self._out["candidates"] = [self._candidate(answer, spelling) for answer, spelling in order]
        return closed(self._out, notes)

    def _answer(self, choice: int) -> _Answer:
        found = self._answers.get(choice)
        if found is None:
            found = self._answers[choice] = _Answer()
        return found

    def _candidate(self, answer: _Answer, notes: Json) -> Json:
        parts = answer.parts
        if parts or "~content" in notes:
            content, spelling = opened(notes.get("~content", {"role": "model"}))
            if parts or "~parts" in spelling:
                content["parts"] = parts
            answer.fields["content"] = closed(content, spelling)
        return closed(answer.fields, notes)

    def _begin(self, event: Started) -> None:
        self._started = event
        put(self._out, responseId=event.id or None, modelVersion=event.model or None)

    def _part(self, event: PartStarted) -> None:
        answer, part = self._answer(event.choice), event.part
        if isinstance(part, Text | Thinking) and not part.text:
            answer.kinds[event.index] = part
            return
        if isinstance(part, Audio) and part.source is None:
            answer.kinds[event.index] = part
            return
        if isinstance(part, ToolCall):
            answer.kinds[event.index] = part
        written = write_part(part, own_seal(getattr(part, "signature", None)))
        if written is not None:
            answer.parts.append(written)

    def _text(self, event: TextDelta) -> None:
        answer = self._answer(event.choice)
        thought = isinstance(answer.kinds.get(event.index), Thinking)
        answer.parts.append(write_text(event.text, event.extras, None, thought=thought))

    def _arguments(self, event: ArgumentsDelta) -> None:
        answer = self._answer(event.choice)
        fields = own_fields(event.extras)
        if "functionCall" in fields:
            answer.parts.append(closed(*opened(fields)))
        elif "~silent" not in fields and event.text and answer.parts:
            call = _last_call(answer.parts[-1])
            if call is not None:
                call["args"] = arguments_of(ToolCall("", "", event.text))

    def _signature(self, event: SignatureDelta) -> None:
        answer = self._answer(event.choice)
        seal = own_seal(event.signature)
        if seal is not None and answer.parts:
            answer.parts[-1]["thoughtSignature"] = seal

    def _audio(self, event: AudioDelta) -> None:
        answer = self._answer(event.choice)
        fields = dict(own_fields(event.extras))
        media_type = fields.pop("~type", "")
        written = write_part(Audio(Inline(media_type, event.data), extras=Extras(SHAPE, fields)), None)
        if written is not None:
            answer.parts.append(written)

    def _logprobs(self, event: LogprobsAdded) -> None:
        self._answer(event.choice).fields["logprobsResult"] = write_logprobs(event.logprobs)

    def _finish(self, event: ChoiceFinished) -> None:
        fields = own_fields(event.extras)
        if "~blocked" in fields:
            return
        word = write_finish(event.finish, event.native)
        number = fields.get("~finish")
        self._answer(event.choice).fields["finishReason"] = (
            number if number is not None and word == event.native else word
        )

    def _usage(self, event: UsageReported) -> None:
        self._out["usageMetadata"] = write_usage(event.usage)


def _last_call(part: Json) -> Json | None:
    call = part.get("functionCall", part.get("function_call"))
    return cast("Json", call) if isinstance(call, dict) else None


def error_of(frame: Frame) -> bytes | None:
    """The error that the frame was, where it was one."""
    error = own_fields(frame.extras).get("~error")
    return msgspec.json.encode(error) if error is not None else None
