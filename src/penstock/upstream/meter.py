"""What an answer tells, gathered from pivot frames or a pivot reply: usage, cost, model, finish, length."""

from __future__ import annotations

from msgspec.structs import replace

from penstock.core.chat import ChatReply, ReplyUsage
from penstock.core.events import (
    ArgumentsDelta,
    AudioDelta,
    Broke,
    ChoiceFinished,
    Ended,
    Event,
    Frame,
    PartStarted,
    Started,
    TextDelta,
    UsageReported,
)
from penstock.core.parts import Audio, Image, Opaque, Part, Refused, Text, Thinking, ToolCall
from penstock.core.usage import NO_TOOLS, InnerUse, Usage
from penstock.upstream.codec import Kind


class Meter:
    """Watches frames go by."""

    __slots__ = (
        "broke", "cost_nanousd", "finish_reason", "inner", "model", "output_chars", "service_tier", "usage",
    )  # fmt: skip

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.inner: tuple[InnerUse, ...] = ()
        self.cost_nanousd: int | None = None
        self.model = ""
        self.finish_reason = ""
        self.service_tier = ""
        self.output_chars = 0
        self.broke: Broke | None = None

    def see(self, frame: Frame) -> Kind:
        """What kind of event the frame is to the driver of the attempt."""
        kind: Kind = "neutral"
        for event in frame.events:
            if isinstance(event, TextDelta | ArgumentsDelta):
                size = len(event.text)
            elif isinstance(event, PartStarted):
                size = _size(event.part)
            elif isinstance(event, AudioDelta):
                size = 1
            else:
                kind = self._see_rest(event, kind)
                if kind in ("last", "error"):
                    return kind
                continue
            if size:
                self.output_chars += size
                kind = "content"
        return kind

    def _see_rest(self, event: Event, kind: Kind) -> Kind:
        if isinstance(event, ChoiceFinished):
            self.finish_reason = event.finish
            return "content"
        if isinstance(event, Started):
            self.model = event.model or self.model
            self.service_tier = event.service_tier or self.service_tier
        elif isinstance(event, UsageReported):
            self._count(event.usage)
            self.cost_nanousd = event.usage.cost_nanousd
        elif isinstance(event, Broke):
            self.broke = event
            return "error"
        return "last" if isinstance(event, Ended) else kind

    def _count(self, told: ReplyUsage) -> None:
        self.usage = counted(told.counts)
        if told.tools is not NO_TOOLS:
            self.inner = told.tools.inner
            self.usage = told.tools.added_to(self.usage)

    def see_reply(self, reply: ChatReply) -> None:
        """A whole answer."""
        self.model = reply.model
        self.service_tier = reply.service_tier or ""
        if reply.usage is not None:
            self._count(reply.usage)
            self.cost_nanousd = reply.usage.cost_nanousd
        for choice in reply.choices:
            self.finish_reason = self.finish_reason or choice.finish or ""
            self.output_chars += sum([_size(part) for part in choice.parts])


def counted(usage: Usage) -> Usage:
    """The usage of one request; vendors do not count it themselves."""
    return usage if usage.requests else replace(usage, requests=1)


def _size(part: Part) -> int:
    """Characters of output in a part; a part without text that is content all the same counts as one."""
    if isinstance(part, Text | Refused | Thinking):
        return len(part.text)
    if isinstance(part, ToolCall):
        return len(part.name) + len(part.arguments)
    return 1 if isinstance(part, Image | Audio | Opaque) else 0
