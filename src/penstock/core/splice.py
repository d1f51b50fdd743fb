"""A stream that broke off, gone on by another model: what it is asked, and how its events join those before.

Text is gone on with where it stops. A thought is nobody else's to finish: it is closed without a seal, and the
next model thinks anew. A tool call is made again from its beginning (core.recall). Elsewhere there is no valid
splice.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from penstock.core.assemble import Assembler
from penstock.core.chat import ChatRequest, Message
from penstock.core.events import (
    ArgumentsDelta,
    AudioDelta,
    CitationAdded,
    Event,
    Frame,
    PartEnded,
    PartStarted,
    SignatureDelta,
    Started,
    TextDelta,
    UsageReported,
)
from penstock.core.parts import Audio, Image, Opaque, Part, Refused, Signature, Text, Thinking, ToolCall
from penstock.core.recall import Begun, Recall, call_again
from penstock.core.usage import Usage

GO_ON: Final = (
    "The connection broke while you were answering; your answer so far is above. Go on exactly where it stops, "
    "in the middle of the sentence or word if need be. Do not repeat anything of it and do not comment on this."
)
# A model that is told to go on, and cannot be made to, often says its last words again: from so many characters
# on, what stands at the end of the first piece and at the beginning of the second is taken for the same words.
LEAST_OVERLAP: Final = 12
MOST_OVERLAP: Final = 2_000

# In place of a seal that broke off. Whoever reads it back takes it out, as it takes out other vendors' seals.
NOBODYS: Final = Signature("", "")
_NAMES: Final[dict[type, str]] = {
    Audio: "sound",
    Image: "a picture",
    Refused: "a refusal",
}
_InPart = TextDelta | ArgumentsDelta | SignatureDelta | CitationAdded | AudioDelta | PartEnded
_Indexed = (PartStarted, TextDelta, ArgumentsDelta, SignatureDelta, CitationAdded, AudioDelta, PartEnded)


def plain(frame: Frame) -> Frame:
    """The frame without what only its own API knows, so that its encoder writes it like anybody's."""
    return Frame("", tuple([_plain(event) for event in frame.events]))


def _plain(event: Event) -> Event:
    if (
        isinstance(event, PartStarted | PartEnded)
        and event.part is not None
        and not isinstance(event.part, Opaque)
    ):
        return replace(event, extras=None, part=replace(event.part, extras=None))
    return replace(event, extras=None)


class Heard:
    """What a client has got of a stream so far."""

    def __init__(self) -> None:
        self._assembler = Assembler()
        self._last: int | None = None
        self._begun: set[int] = set()
        self._ended: set[int] = set()
        self._finished = False
        self._choices: set[int] = set()

    def add(self, frame: Frame) -> None:
        """One more frame that was passed on."""
        for event in frame.events:
            self._assembler.add(event)
            if isinstance(event, _Indexed):
                self._choices.add(event.choice)
                self._last = event.index
                if isinstance(event, PartStarted):
                    self._begun.add(event.index)
                if isinstance(event, PartEnded):
                    self._ended.add(event.index)

    def parts(self) -> tuple[Part, ...]:
        """The parts of the only answer, the last one as far as it came."""
        choices = self._assembler.reply().choices
        return choices[0].parts if choices else ()

    @property
    def open_text(self) -> int | None:
        """The index of the text part that can still grow; None where there is none."""
        parts = self.parts()
        last = len(parts) - 1
        open_ = last >= 0 and isinstance(parts[last], Text) and self._last not in self._ended
        return self._last if open_ else None

    @property
    def next_index(self) -> int:
        """An index that no part has."""
        return max(self._begun, default=-1) + 1

    def calls(self) -> list[Begun]:
        """The tool calls in order, each as far as it came."""
        parts = zip(sorted(self._begun), self.parts(), strict=True)
        return [
            Begun(index, part, ended=index in self._ended)
            for index, part in parts
            if isinstance(part, ToolCall)
        ]

    def closing(self) -> list[Event]:
        """What ends a thought that broke off. A seal that may not be whole is none: it would be refused."""
        parts = self.parts()
        last = max(self._begun, default=-1)
        if not parts or not isinstance(parts[-1], Thinking) or last in self._ended:
            return []
        found: list[Event] = []
        if parts[-1].signature is not None:
            found.append(SignatureDelta(0, last, NOBODYS))
        if parts[-1].sealed is not None:
            found.append(SignatureDelta(0, last, NOBODYS, sealed=True))
        return [*found, PartEnded(0, last)]

    def text(self) -> str:
        """All text of the answer."""
        return "".join([part.text for part in self.parts() if isinstance(part, Text)])

    def hindrance(self, request: ChatRequest) -> str:
        """Why no other model can go on from here; empty where one can."""
        output, modalities = request.output, request.modalities
        if (request.choices or 1) > 1 or len(self._choices) > 1:
            return "there are several answers"
        if output is not None and output.kind != "text":
            return "the answer has a form that must be made in one go"
        if modalities and modalities != ("text",):
            return "the answer is not only text"
        choices = self._assembler.reply().choices
        if choices and choices[0].finish is not None:
            return "it had said why it ended"
        return _hindrance_in(self.parts())


def continued(request: ChatRequest, heard: Heard, *, prefill: bool, spent_tokens: int) -> ChatRequest:
    """The request that makes another model go on after what was heard, which took about `spent_tokens`.

    With `prefill` the model goes on from an assistant's message that stands last; else it is told to. Calls
    that have begun it is told to make again.
    """
    cap = request.max_output_tokens
    messages, text, calls = request.messages, heard.text(), heard.calls()
    if calls:
        if text:
            messages = (*messages, Message("assistant", (Text(text),)))
        messages = (*messages, Message("user", (Text(call_again(calls)),)))
    elif text:
        # Vendors refuse white space at the end of a message that is to be gone on from.
        messages = (*messages, Message("assistant", (Text(text.rstrip() if prefill else text),)))
        if not prefill:
            messages = (*messages, Message("user", (Text(GO_ON),)))
    return replace(
        request,
        messages=messages,
        max_output_tokens=max(1, cap - spent_tokens) if cap is not None else None,
        previous_response_id=request.previous_response_id,
    )


def _hindrance_in(parts: tuple[Part, ...]) -> str:
    called = False
    for part in parts:
        if not isinstance(part, Text | Thinking | ToolCall):
            return f"it broke in or after {_NAMES.get(type(part), 'something that is not text')}"
        if isinstance(part, Text) and part.citations:
            return "the text has citations"
        if called and not isinstance(part, ToolCall) and (isinstance(part, Thinking) or part.text):
            return "something was said after a tool call"
        called = called or isinstance(part, ToolCall)
    return ""


class Splice:
    """Turns the events of the second stream into those that continue the first.

    Its beginning is left out, its first text joins the open one, and its other parts come after those before.
    Its thinking is left out as well, unless nothing but thoughts was heard. Without `prefill` the model was
    told to go on, so that it may repeat itself. Calls that had begun are made again; their rest is passed on.
    """

    def __init__(self, heard: Heard, *, prefill: bool, spent_tokens: int) -> None:
        self._said = heard.text()
        self._stripped = self._said[len(self._said.rstrip()) :] if prefill else ""
        self._prefill = prefill
        self._open = heard.open_text
        self._base = heard.next_index
        self._spent = spent_tokens
        self._indices: dict[int, int] = {}
        self._dropped: set[int] = set()
        self._first_text: int | None = None
        # The beginning of the second text, while it may still be a repetition.
        self._held = ""
        self._settled = not self._said
        self._closing = heard.closing()
        calls = heard.calls()
        self._recall = Recall(calls) if calls else None
        self._spoken = bool(self._said or calls)

    def joined(self, frame: Frame) -> Frame:
        """One frame as it continues the first stream. Raises SpliceError where it does not."""
        events, self._closing = self._closing, []
        for event in frame.events:
            events += self._event(event)
        return Frame("", tuple(events))

    def _event(self, event: Event) -> list[Event]:
        if isinstance(event, Started):
            return []
        if isinstance(event, UsageReported):
            return [self._usage(event)]
        recall = self._recall
        if recall is not None and recall.pending:
            found = recall.take(event)
            if not isinstance(event, PartStarted) or recall.pending or event.index in recall.over:
                self._dropped = recall.over
                return found
            return [*found, *self._part(event)]
        if isinstance(event, PartStarted):
            return self._part(event)
        if isinstance(event, _Indexed):
            return [] if event.index in self._dropped else self._within(event)
        return [*self._release(), event]

    def _within(self, event: _InPart) -> list[Event]:
        """Something of a part that has begun."""
        index = self._indices.get(event.index, event.index + self._base)
        if event.index != self._first_text:
            return [replace(event, index=index)]
        if isinstance(event, PartEnded):
            return [*self._release(), replace(event, index=index, part=None)]
        if isinstance(event, TextDelta) and not self._settled:
            return self._hold(event.text, index)
        return [replace(event, index=index)]

    def _part(self, event: PartStarted) -> list[Event]:
        if isinstance(event.part, Thinking) and self._spoken:
            self._dropped.add(event.index)
            return []
        index = self._indices[event.index] = self._base + len(self._indices)
        if not isinstance(event.part, Text) or self._first_text is not None:
            return [*self._release(), replace(event, index=index)]
        self._first_text = event.index
        begun = event.part.text
        started: list[Event] = []
        if self._open is not None:
            index = self._indices[event.index] = self._open
        else:
            started = [replace(event, index=index, part=Text(""))]
        if not begun:
            return started
        return [*started, *(self._hold(begun, index) if not self._settled else [TextDelta(0, index, begun)])]

    def _hold(self, text: str, index: int) -> list[Event]:
        """Text that may be what was said already."""
        self._held += text
        if self._prefill:
            if self._stripped.startswith(self._held) and len(self._held) < len(self._stripped):
                return []
            self._settled = True
            fresh = self._held.removeprefix(self._stripped)
        else:
            tail = self._said[-MOST_OVERLAP:]
            whole = self._said[:MOST_OVERLAP]
            if len(self._held) < MOST_OVERLAP and (self._held in tail or whole.startswith(self._held)):
                return []
            self._settled = True
            fresh = fresh_of(self._said, self._held)
        self._held = ""
        return [TextDelta(0, index, fresh)] if fresh else []

    def _release(self) -> list[Event]:
        """The second text ends, or something else begins: what was held is a repetition, or it is not."""
        held, self._held = self._held, ""
        if self._settled or self._first_text is None:
            return []
        self._settled = True
        fresh = held.removeprefix(self._stripped) if self._prefill else fresh_of(self._said, held)
        index = self._indices[self._first_text]
        return [TextDelta(0, index, fresh)] if fresh else []

    def _usage(self, event: UsageReported) -> UsageReported:
        """The client counts all that it got; what both attempts cost stands in the ledger."""
        counts: Usage = event.usage.counts
        more = replace(counts, output_tokens=counts.output_tokens + self._spent)
        return UsageReported(replace(event.usage, counts=more, extras=None))


def fresh_of(said: str, more: str) -> str:
    """What of `more` is new, if it begins with what `said` ends with, which may be all of it."""
    most = min(len(said), len(more))
    for size in range(most, LEAST_OVERLAP - 1, -1):
        if said.endswith(more[:size]):
            return more[size:]
    return more
