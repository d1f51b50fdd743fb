"""Pivot frames as the events of streamGenerateContent, each of which is a whole reply with new parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from penstock.core.chat import Logprobs, ReplyUsage
from penstock.core.events import (
    ArgumentsDelta,
    AudioDelta,
    Broke,
    ChoiceFinished,
    CitationAdded,
    Ended,
    Frame,
    LogprobsAdded,
    PartEnded,
    PartStarted,
    SignatureDelta,
    Started,
    TextDelta,
    UsageReported,
)
from penstock.dialects.gemini.candidates import shows_thoughts
from penstock.dialects.gemini.errors import stream_error
from penstock.dialects.gemini.growing import GrowingAnswer
from penstock.dialects.gemini.own_frames import OwnFrames, error_of
from penstock.ports.translation import Asked, WireEvent
from penstock.shapes.gemini.finish import write_finish
from penstock.shapes.gemini.grounding import write_citations
from penstock.shapes.gemini.logprobs import write_logprobs
from penstock.shapes.gemini.reader import own
from penstock.shapes.gemini.usage import write_usage

_encode = msgspec.json.Encoder().encode
Json = dict[str, Any]


class GeminiStreamEncoder:
    """Writes one stream.

    Function calls come whole at Google, so their arguments are gathered. The reasons why the answers ended, and
    the usage, stand together in the last event, as clients expect, whenever other vendors tell them.
    """

    __slots__ = (
        "_answers",
        "_ended",
        "_finished",
        "_model",
        "_own",
        "_reply_id",
        "_thoughts",
        "_usage",
        "_writers",
    )

    def __init__(self, asked: Asked) -> None:
        self._model = asked.model
        self._reply_id = asked.request_id
        self._thoughts = shows_thoughts(asked.request)
        self._own: OwnFrames | None = None
        self._answers: dict[int, GrowingAnswer] = {}
        self._finished: dict[int, ChoiceFinished] = {}
        self._usage: ReplyUsage | None = None
        self._ended = False
        self._writers: dict[type, Callable[[Any], None]] = {
            Started: self._start,
            PartStarted: self._part,
            TextDelta: self._text,
            ArgumentsDelta: self._arguments,
            SignatureDelta: self._signature,
            CitationAdded: self._citation,
            AudioDelta: self._audio,
            PartEnded: self._part_ended,
            LogprobsAdded: self._logprobs,
            ChoiceFinished: self._finish,
            UsageReported: self._report,
        }

    def write(self, frame: Frame) -> list[WireEvent]:
        """The event for one frame; none where Google has nothing to say yet."""
        if own(frame.extras):
            return self._write_own(frame)
        for event in frame.events:
            writer = self._writers.get(type(event))
            if writer is not None:
                writer(event)
            elif isinstance(event, Broke):
                return [*self._flush(), *self.fail(event)]
            elif isinstance(event, Ended):
                return self.end()
        return self._flush()

    def _write_own(self, frame: Frame) -> list[WireEvent]:
        if (error := error_of(frame)) is not None:
            self._ended = True
            return [WireEvent(frame.name, error)]
        if self._own is None:
            self._own = OwnFrames()
        return [WireEvent(frame.name, _encode(self._own.write(frame)))]

    def end(self) -> list[WireEvent]:
        """The last event, with what nothing could be added to before."""
        if self._ended or (self._own is not None and not self._answers):
            return []
        self._ended = True
        for answer in self._answers.values():
            answer.close()
        candidates = [self._last(choice, answer) for choice, answer in sorted(self._answers.items())]
        fields: Json = {}
        if candidates:
            fields["candidates"] = candidates
        if self._usage is not None:
            fields["usageMetadata"] = write_usage(self._usage)
        return [self._event(fields)] if fields else []

    def fail(self, error: Broke) -> list[WireEvent]:
        """An error in mid-stream; nothing follows."""
        self._ended = True
        return [WireEvent("", stream_error(error))]

    def _last(self, choice: int, answer: GrowingAnswer) -> Json:
        candidate = _candidate(choice, answer)
        finished = self._finished.get(choice)
        if finished is not None:
            candidate["finishReason"] = write_finish(finished.finish, finished.native)
        grounding = write_citations(answer.cited())
        if grounding is not None:
            candidate["groundingMetadata"] = grounding
        return candidate

    def _flush(self) -> list[WireEvent]:
        """What is new since the last event."""
        candidates = [_candidate(choice, answer) for choice, answer in self._answers.items() if answer.ready]
        return [self._event({"candidates": candidates})] if candidates else []

    def _event(self, fields: Json) -> WireEvent:
        fields["modelVersion"] = self._model
        fields["responseId"] = self._reply_id
        return WireEvent("", _encode(fields))

    def _answer(self, choice: int) -> GrowingAnswer:
        found = self._answers.get(choice)
        if found is None:
            found = self._answers[choice] = GrowingAnswer(thoughts=self._thoughts)
        return found

    def _start(self, event: Started) -> None:
        self._model = event.model or self._model

    def _part(self, event: PartStarted) -> None:
        self._answer(event.choice).start(event.index, event.part)

    def _text(self, event: TextDelta) -> None:
        self._answer(event.choice).text(event.index, event.text)

    def _arguments(self, event: ArgumentsDelta) -> None:
        self._answer(event.choice).arguments(event.index, event.text)

    def _signature(self, event: SignatureDelta) -> None:
        self._answer(event.choice).signature(event.index, event.signature, sealed=event.sealed)

    def _citation(self, event: CitationAdded) -> None:
        self._answer(event.choice).citations.append((event.index, event.citation))

    def _audio(self, event: AudioDelta) -> None:
        self._answer(event.choice).audio(event.index, event.data)

    def _part_ended(self, event: PartEnded) -> None:
        self._answer(event.choice).end(event.index, event.part)

    def _logprobs(self, event: LogprobsAdded) -> None:
        self._answer(event.choice).logprobs.append(event.logprobs)

    def _finish(self, event: ChoiceFinished) -> None:
        self._answer(event.choice).close()
        self._finished[event.choice] = event

    def _report(self, event: UsageReported) -> None:
        self._usage = event.usage


def _candidate(choice: int, answer: GrowingAnswer) -> Json:
    """The candidate with what is ready of it, which is then gone."""
    parts, answer.ready = answer.ready, []
    # A content without parts makes Google's SDKs drop the whole turn from a chat's history.
    candidate: Json = {"content": {"parts": parts or [{"text": ""}], "role": "model"}, "index": choice}
    if answer.logprobs:
        tokens = tuple([token for each in answer.logprobs for token in each.tokens])
        answer.logprobs.clear()
        candidate["logprobsResult"] = write_logprobs(Logprobs(tokens))
    return candidate
