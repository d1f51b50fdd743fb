"""Fold the events of a stream into the reply that they tell, and tell a reply as events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec.structs import replace

from penstock.core.chat import ChatReply, Choice, Logprobs, ReplyUsage
from penstock.core.events import (
    ArgumentsDelta,
    AudioDelta,
    ChoiceFinished,
    CitationAdded,
    Ended,
    Event,
    LogprobsAdded,
    PartEnded,
    PartStarted,
    SignatureDelta,
    Started,
    TextDelta,
    UsageReported,
)
from penstock.core.parts import Audio, Citation, Inline, Part, Refused, Signature, Text, Thinking, ToolCall


class _Gathered:
    """A part that grows; joined once, when it is asked for."""

    __slots__ = ("audio", "citations", "sealed", "signature", "start", "texts")

    def __init__(self, start: Part) -> None:
        self.start = start
        self.texts: list[str] = []
        self.audio: list[str] = []
        self.citations: list[Citation] = []
        self.signature: list[Signature] = []
        self.sealed: list[Signature] = []

    def part(self) -> Part:
        start, more = self.start, "".join(self.texts)
        changes: dict[str, Any] = {}
        if isinstance(start, Text | Refused | Thinking):
            changes["text"] = start.text + more
        elif isinstance(start, ToolCall):
            changes["arguments"] = start.arguments + more
        elif isinstance(start, Audio):
            changes["transcript"] = start.transcript + more
            if self.audio:
                old = start.source.data if isinstance(start.source, Inline) else ""
                changes["source"] = Inline("audio/" + (start.format or "wav"), old + "".join(self.audio))
        if isinstance(start, Text) and self.citations:
            changes["citations"] = (*start.citations, *self.citations)
        if self.signature and isinstance(start, Text | Thinking | ToolCall):
            changes["signature"] = _joined(start.signature, self.signature)
        if self.sealed and isinstance(start, Thinking):
            changes["sealed"] = _joined(start.sealed, self.sealed)
        return replace(start, **changes) if changes else start


class _Answer:
    """A choice that grows."""

    __slots__ = ("finished", "logprobs", "parts")

    def __init__(self) -> None:
        self.parts: dict[int, _Gathered] = {}
        self.logprobs: list[Logprobs] = []
        self.finished: ChoiceFinished | None = None

    def choice(self, index: int) -> Choice:
        end = self.finished
        tokens = tuple(token for each in self.logprobs for token in each.tokens)
        return Choice(
            index,
            tuple(self.parts[at].part() for at in sorted(self.parts)),
            end.finish if end is not None else None,
            end.native if end is not None else "",
            end.stop_sequence if end is not None else None,
            Logprobs(tokens) if self.logprobs else None,
        )


class Assembler:
    """Takes events in order; `reply()` may be asked for at any time."""

    def __init__(self) -> None:
        self._started = Started()
        self._answers: dict[int, _Answer] = {}
        self._usage: ReplyUsage | None = None

    def add(self, event: Event) -> None:
        """One more event. Deltas for a part that never started are passed over."""
        if isinstance(event, Started):
            old = self._started
            self._started = Started(
                event.id or old.id,
                event.model or old.model,
                event.created_s if event.created_s is not None else old.created_s,
                event.service_tier or old.service_tier,
            )
        elif isinstance(event, UsageReported):
            self._usage = event.usage
        elif isinstance(event, PartStarted):
            self._answer(event.choice).parts[event.index] = _Gathered(event.part)
        elif isinstance(event, ChoiceFinished):
            self._answer(event.choice).finished = event
        elif isinstance(event, LogprobsAdded):
            self._answer(event.choice).logprobs.append(event.logprobs)
        elif isinstance(
            event, TextDelta | ArgumentsDelta | SignatureDelta | CitationAdded | AudioDelta | PartEnded
        ):
            self._grow(event)

    def _grow(
        self, event: TextDelta | ArgumentsDelta | SignatureDelta | CitationAdded | AudioDelta | PartEnded
    ) -> None:
        part = self._answer(event.choice).parts.get(event.index)
        if part is None:
            return
        if isinstance(event, TextDelta | ArgumentsDelta):
            part.texts.append(event.text)
        elif isinstance(event, SignatureDelta):
            (part.sealed if event.sealed else part.signature).append(event.signature)
        elif isinstance(event, CitationAdded):
            part.citations.append(event.citation)
        elif isinstance(event, AudioDelta):
            part.audio.append(event.data)
        elif event.part is not None:
            self._answer(event.choice).parts[event.index] = _Gathered(event.part)

    def _answer(self, choice: int) -> _Answer:
        found = self._answers.get(choice)
        if found is None:
            found = self._answers[choice] = _Answer()
        return found

    def reply(self) -> ChatReply:
        """What the events so far amount to."""
        start = self._started
        return ChatReply(
            id=start.id,
            model=start.model,
            created_s=start.created_s,
            choices=tuple(self._answers[at].choice(at) for at in sorted(self._answers)),
            usage=self._usage,
            service_tier=start.service_tier,
        )


def assemble(events: Iterable[Event]) -> ChatReply:
    """The reply whose events these are."""
    assembler = Assembler()
    for event in events:
        assembler.add(event)
    return assembler.reply()


def tell(reply: ChatReply) -> Iterator[Event]:
    """A whole reply as events, each part in one piece: `assemble(tell(reply))` is the reply, extras aside."""
    yield Started(reply.id, reply.model, reply.created_s, reply.service_tier)
    for choice in reply.choices:
        for at, part in enumerate(choice.parts):
            yield PartStarted(choice.index, at, _emptied(part))
            yield from _deltas(choice.index, at, part)
            yield PartEnded(choice.index, at)
        if choice.logprobs is not None:
            yield LogprobsAdded(choice.index, choice.logprobs)
        if choice.finish is not None:
            yield ChoiceFinished(choice.index, choice.finish, choice.native, choice.stop_sequence)
    if reply.usage is not None:
        yield UsageReported(reply.usage)
    yield Ended()


def _emptied(part: Part) -> Part:
    if isinstance(part, Text):
        return replace(part, text="", citations=(), signature=None)
    if isinstance(part, Refused):
        return replace(part, text="")
    if isinstance(part, Thinking):
        return replace(part, text="", signature=None, sealed=None)
    return replace(part, arguments="", signature=None) if isinstance(part, ToolCall) else part


def _deltas(choice: int, at: int, part: Part) -> Iterator[Event]:
    if isinstance(part, Text | Refused | Thinking) and part.text:
        yield TextDelta(choice, at, part.text)
    if isinstance(part, ToolCall) and part.arguments:
        yield ArgumentsDelta(choice, at, part.arguments)
    if isinstance(part, Text):
        for citation in part.citations:
            yield CitationAdded(choice, at, citation)
    if isinstance(part, Thinking) and part.sealed is not None:
        yield SignatureDelta(choice, at, part.sealed, sealed=True)
    if isinstance(part, Text | Thinking | ToolCall) and part.signature is not None:
        yield SignatureDelta(choice, at, part.signature)


def _joined(first: Signature | None, more: list[Signature]) -> Signature:
    begun = first.value if first is not None else ""
    return Signature(more[-1].signer, begun + "".join([piece.value for piece in more]))
