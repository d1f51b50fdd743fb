"""Pivot frames to the messages of a Converse stream.

A frame of this shape gives back its message. From other shapes messages are made event by event: blocks
come one after the other, a text or thinking part that goes on after another began gets a new block, and
`metadata` closes the stream, since usage may come after the end of the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from penstock.core.chat import FinishReason, ReplyUsage
from penstock.core.events import (
    ArgumentsDelta,
    Broke,
    ChoiceFinished,
    CitationAdded,
    Ended,
    Event,
    Frame,
    PartEnded,
    PartStarted,
    SignatureDelta,
    Started,
    TextDelta,
    UsageReported,
)
from penstock.core.parts import Audio, Image, Part, Refused, Signature, Text, Thinking, ToolCall
from penstock.core.seals import from_id, wrap
from penstock.dialects.converse.encode import TIERS, call_id
from penstock.dialects.converse.same import SameShape, to_wire
from penstock.ports.translation import Asked, WireEvent
from penstock.shapes.converse import SIGNER
from penstock.shapes.converse.citations import encode_citation
from penstock.shapes.converse.faults import stream_exception
from penstock.shapes.converse.finish import stop_reason_of
from penstock.shapes.converse.keep import is_own
from penstock.shapes.converse.media import encode_media
from penstock.shapes.converse.thinking import blob_of, needs_whole, whole_seal
from penstock.shapes.converse.usage import encode_usage
from penstock.shapes.free_text import FreeText


class _Block:
    """A part on its way; `number` is its block's, None before anything of it was written."""

    __slots__ = ("free", "late", "number", "part", "wrote")

    def __init__(self, part: Text | Thinking | ToolCall | None) -> None:
        self.part = part
        self.number: int | None = None
        self.wrote = False
        # A custom tool's call: text, where Bedrock has objects.
        self.free = FreeText() if isinstance(part, ToolCall) and part.type == "custom" else None
        self.late: Signature | None = None  # a call's seal that came after its id was sent


class ConverseStream:
    """State of one stream to a client."""

    __slots__ = (
        "_asked",
        "_blocks",
        "_called",
        "_done",
        "_finish",
        "_next",
        "_open",
        "_same",
        "_tier",
        "_usage",
        "_writers",
    )

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._same = SameShape()
        self._blocks: dict[int, _Block] = {}
        self._open: _Block | None = None
        self._next = 0
        self._called = self._done = False
        # Told when all is said: Google has given a reason with each piece, and another at last.
        self._finish: ChoiceFinished | None = None
        self._usage: ReplyUsage | None = None
        self._tier: str | None = None
        self._writers: dict[type, Callable[[Any, list[WireEvent]], None]] = {
            PartStarted: self._started,
            TextDelta: self._text,
            ArgumentsDelta: self._arguments,
            SignatureDelta: self._signature,
            CitationAdded: self._citation,
            PartEnded: self._ended,
        }

    def write(self, frame: Frame) -> list[WireEvent]:
        """The messages for one frame."""
        if self._done:
            return []
        if is_own(frame.extras):
            return self._same.write(frame)
        out: list[WireEvent] = []
        for event in frame.events:
            self._event(event, out)
        return out

    def _event(self, event: Event, out: list[WireEvent]) -> None:
        if isinstance(event, UsageReported):
            self._usage = event.usage
        elif isinstance(event, Started):
            self._tier = event.service_tier or self._tier
            self._open_message(out)
        elif isinstance(event, Ended):
            out += self.end()
        elif isinstance(event, Broke):
            out += self.fail(event)
        elif isinstance(event, ChoiceFinished):
            self._finish = event if event.choice == 0 else self._finish
        else:
            writer = self._writers.get(type(event))
            if writer is not None and event.choice == 0:
                self._open_message(out)
                writer(event, out)

    def _open_message(self, out: list[WireEvent]) -> None:
        if not self._same.began:
            self._same.began = True
            out.append(to_wire("messageStart", {"role": "assistant"}))

    def _started(self, event: PartStarted, out: list[WireEvent]) -> None:
        self._close(out)
        part = event.part
        if isinstance(part, ToolCall):
            shown = call_id(part, self._asked.request_id, event.index)
            block = self._blocks[event.index] = self._open = _Block(replace(part, id=from_id(shown)[0]))
            self._called = True
            call = {"toolUseId": shown, "name": part.name}
            number = self._number(block)
            out.append(to_wire("contentBlockStart", {"start": {"toolUse": call}, "contentBlockIndex": number}))
            if part.arguments:
                self._input(block, part.arguments, out)
        elif isinstance(part, Thinking):
            block = self._blocks[event.index] = self._open = _Block(replace(part, text=""))
            if part.text:
                self._delta(block, {"reasoningContent": {"text": part.text}}, out)
        elif isinstance(part, Text | Refused | Audio):
            said = part.transcript if isinstance(part, Audio) else part.text
            block = self._blocks[event.index] = self._open = _Block(Text(""))
            if said:
                self._delta(block, {"text": said}, out)
            for citation in part.citations if isinstance(part, Text) else ():
                self._delta(block, {"citation": encode_citation(citation)}, out)
        else:
            self._blocks[event.index] = _Block(None)
            if isinstance(part, Image):
                self._image(part, out)

    def _image(self, part: Image, out: list[WireEvent]) -> None:
        value = encode_media(part, "image")
        if value is None:
            return
        image, number = value["image"], self._number(_Block(None))
        start = {"start": {"image": {"format": image["format"]}}, "contentBlockIndex": number}
        delta = {"delta": {"image": {"source": image["source"]}}, "contentBlockIndex": number}
        out += [to_wire("contentBlockStart", start), to_wire("contentBlockDelta", delta)]
        out.append(to_wire("contentBlockStop", {"contentBlockIndex": number}))

    def _number(self, block: _Block) -> int:
        if block.number is None:
            block.number = self._next
            self._next += 1
        return block.number

    def _delta(self, block: _Block, delta: dict[str, Any], out: list[WireEvent]) -> None:
        block.wrote = True
        out.append(to_wire("contentBlockDelta", {"delta": delta, "contentBlockIndex": self._number(block)}))

    def _going_on(self, index: int, out: list[WireEvent]) -> _Block | None:
        """The block of this part, open; a closed text or thinking part goes on in a new block."""
        block = self._blocks.get(index)
        if block is None or block is self._open or block.part is None:
            return block
        if not isinstance(block.part, ToolCall):
            self._close(out)
            block.number, block.wrote, self._open = None, False, block
        return block

    def _text(self, event: TextDelta, out: list[WireEvent]) -> None:
        if event.index not in self._blocks:
            self._started(PartStarted(0, event.index, Text("")), out)
        block = self._going_on(event.index, out)
        if block is None or not event.text:
            return
        if isinstance(block.part, Thinking):
            self._delta(block, {"reasoningContent": {"text": event.text}}, out)
        elif isinstance(block.part, Text):
            self._delta(block, {"text": event.text}, out)

    def _arguments(self, event: ArgumentsDelta, out: list[WireEvent]) -> None:
        block = self._going_on(event.index, out)
        if block is not None and isinstance(block.part, ToolCall):
            self._input(block, event.text, out)

    def _input(self, block: _Block, text: str, out: list[WireEvent]) -> None:
        told = block.free.piece(text) if block.free is not None else text
        self._delta(block, {"toolUse": {"input": told}}, out)

    def _signature(self, event: SignatureDelta, out: list[WireEvent]) -> None:
        """Seals are gathered: one that another vendor made is wrapped whole, when the part ends."""
        block = self._going_on(event.index, out)
        if block is not None and isinstance(block.part, ToolCall):
            self._call_sealed(block, event.signature, out)
        if block is None or not isinstance(block.part, Thinking):
            return
        old = block.part.sealed if event.sealed else block.part.signature
        seal = replace(event.signature, value=(old.value if old is not None else "") + event.signature.value)
        block.part = replace(block.part, **{"sealed" if event.sealed else "signature": seal})

    def _call_sealed(self, block: _Block, seal: Signature, out: list[WireEvent]) -> None:
        """A call's seal that its id could not carry follows in a block of thinking, which names the call."""
        block.late = replace(seal, value=(block.late.value if block.late is not None else "") + seal.value)
        if block is not self._open:
            self._close(out)
            self._late_seal(block, out)

    def _late_seal(self, block: _Block, out: list[WireEvent]) -> None:
        seal, call = block.late, block.part
        if seal is None or not isinstance(call, ToolCall):
            return
        block.late = None
        after = _Block(None)
        text = whole_seal(Thinking(signature=seal, id=call.id))
        # A client that gathers the deltas may send only thinking that has a text, be it empty.
        self._delta(after, {"reasoningContent": {"text": ""}}, out)
        self._delta(after, {"reasoningContent": {"signature": text}}, out)
        out.append(to_wire("contentBlockStop", {"contentBlockIndex": after.number}))

    def _citation(self, event: CitationAdded, out: list[WireEvent]) -> None:
        block = self._going_on(event.index, out)
        if block is not None and isinstance(block.part, Text):
            self._delta(block, {"citation": encode_citation(event.citation)}, out)

    def _ended(self, event: PartEnded, out: list[WireEvent]) -> None:
        block = self._blocks.get(event.index)
        if block is None or block is not self._open:
            return
        if event.part is not None:
            self._whole(block, event.part, out)
        self._close(out)

    def _whole(self, block: _Block, whole: Part, out: list[WireEvent]) -> None:
        """What the part's end tells that its deltas did not."""
        if isinstance(block.part, Thinking) and isinstance(whole, Thinking):
            if whole.text and not block.wrote:
                self._delta(block, {"reasoningContent": {"text": whole.text}}, out)
            block.part = replace(whole, text="")
        elif isinstance(block.part, ToolCall) and isinstance(whole, ToolCall):
            if whole.arguments and not block.wrote:
                self._input(block, whole.arguments, out)
            if whole.signature is not None and block.part.signature is None:
                block.late = whole.signature
        elif (
            isinstance(block.part, Text)
            and isinstance(whole, Text | Refused)
            and whole.text
            and not block.wrote
        ):
            self._delta(block, {"text": whole.text}, out)

    def _close(self, out: list[WireEvent]) -> None:
        block, self._open = self._open, None
        if block is None:
            return
        if isinstance(block.part, Thinking):
            self._seal(block, block.part, out)
        if block.free is not None:
            self._delta(block, {"toolUse": {"input": block.free.end()}}, out)
            block.free = None
        if block.number is not None:
            out.append(to_wire("contentBlockStop", {"contentBlockIndex": block.number}))
        self._late_seal(block, out)

    def _seal(self, block: _Block, part: Thinking, out: list[WireEvent]) -> None:
        block.part = Thinking()
        said = replace(part, text="-") if block.wrote else part
        if needs_whole(said):
            self._delta(block, {"reasoningContent": {"signature": whole_seal(part)}}, out)
        elif part.sealed is not None:
            self._delta(block, {"reasoningContent": {"redactedContent": blob_of(part.sealed)}}, out)
        elif part.signature is not None:
            self._delta(block, {"reasoningContent": {"signature": wrap(part.signature, SIGNER)}}, out)

    def _close_message(self, finish: FinishReason, sequence: str | None, out: list[WireEvent]) -> None:
        self._close(out)
        stop: dict[str, Any] = {"stopReason": stop_reason_of(finish, "", own=False)}
        if sequence is not None:
            stop["additionalModelResponseFields"] = {"stop_sequence": sequence}
        out.append(to_wire("messageStop", stop))

    def end(self) -> list[WireEvent]:
        """What closes the stream; nothing where Bedrock itself closed it."""
        if self._done:
            return []
        self._done = True
        if self._same.wrote:
            return self._same.end()
        out: list[WireEvent] = []
        self._open_message(out)
        finish = self._finish or ChoiceFinished(0, "tool_calls" if self._called else "stop")
        self._close_message(finish.finish, finish.stop_sequence, out)
        told: dict[str, Any] = {"usage": encode_usage(self._usage), "metrics": {"latencyMs": 0}}
        if self._tier in TIERS:
            told["serviceTier"] = {"type": self._tier}
        out.append(to_wire("metadata", told))
        return out

    def fail(self, error: Broke) -> list[WireEvent]:
        """An exception; nothing follows."""
        self._done = True
        return [
            to_wire(stream_exception(error.status), {"message": error.message or "The model's stream broke."})
        ]
