"""Content blocks of a stream from another vendor, brought into a row.

Text and thinking give way to the next part; if more of them comes later, it becomes a further block. A tool
call cannot be cut in two: what comes after it waits until it ends, or until the stream does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from penstock.core.events import (
    ArgumentsDelta,
    CitationAdded,
    Event,
    PartEnded,
    PartStarted,
    SignatureDelta,
    TextDelta,
)
from penstock.core.parts import Audio, Opaque, Part, Refused, Signature, Text, Thinking, ToolCall
from penstock.core.seals import wrap
from penstock.dialects.anthropic.shown import sealed_call
from penstock.ports.translation import WireEvent
from penstock.shapes.anthropic import NO_SEAL, SHAPE
from penstock.shapes.anthropic.blocks import write_block
from penstock.shapes.anthropic.citations import write_citation
from penstock.shapes.free_text import FreeText

_Kind = Literal["text", "thinking", "tool_use", "whole"]
_encode = msgspec.json.Encoder().encode


class _Block:
    """One block: what is to be sent of it, and how far it is."""

    __slots__ = ("call", "closing", "deltas", "ended", "free", "kind", "part", "seal", "sealed", "wire")

    def __init__(self, part: int, kind: _Kind) -> None:
        self.part = part
        self.kind: _Kind = kind
        self.call: ToolCall | Opaque | None = None
        self.free: FreeText | None = None  # a custom tool's call: text, where Anthropic has objects
        self.deltas: list[dict[str, Any]] = []
        self.seal: list[Signature] = []
        self.sealed: list[Signature] = []
        self.wire = -1  # its index, once it has begun
        self.ended = self.closing = False


class OpenBlocks:
    """The blocks of one stream: events go in, `drain` says what may be sent."""

    __slots__ = ("_ahead", "_by_part", "_next", "_row", "calls")

    def __init__(self) -> None:
        self._row: deque[_Block] = deque()
        self._by_part: dict[int, _Block] = {}
        self._ahead: dict[int, Signature] = {}
        self._next = 0
        self.calls = False

    def look_ahead(self, events: Iterable[Event]) -> None:
        """Find the seals of calls in the same frame: such a seal travels in the id, which is said first."""
        self._ahead = {
            event.index: event.signature
            for event in events
            if type(event) is SignatureDelta and event.choice == 0 and not event.sealed
        }

    def skip(self, index: int) -> None:
        """A block of this index was written by others."""
        self._next = max(self._next, index + 1)

    def start(self, event: PartStarted) -> None:
        """A part begins."""
        kind = _kind(event.part)
        if kind is None:
            self._by_part.pop(event.index, None)
            return
        block = self._add(event.index, kind)
        part = event.part
        if isinstance(part, ToolCall):
            seal = part.signature or self._ahead.get(event.index)
            block.call = replace(part, arguments="", signature=seal)
            block.free = FreeText() if part.type == "custom" else None
            self.calls = True
        elif isinstance(part, Opaque):
            block.call = part
        self._fill(block, part)

    def _add(self, part: int, kind: _Kind) -> _Block:
        block = _Block(part, kind)
        for before in self._row:
            if before.kind != "tool_use":
                before.closing = True
        self._row.append(block)
        self._by_part[part] = block
        return block

    def _fill(self, block: _Block, part: Part) -> None:
        """Take what a part has at once."""
        if isinstance(part, ToolCall):
            self._add_arguments(block, part.arguments)
        elif isinstance(part, Audio):
            self._add_text(block, part.transcript)
        elif isinstance(part, Text | Refused | Thinking):
            self._add_text(block, part.text)
        if isinstance(part, Text):
            for citation in part.citations:
                _cite(block, citation)
        if isinstance(part, Thinking):
            block.seal += [part.signature] if part.signature is not None else []
            block.sealed += [part.sealed] if part.sealed is not None else []

    def text(self, event: TextDelta) -> None:
        """More text or thinking."""
        block = self._current(event.index)
        if block is not None:
            self._add_text(block, event.text)

    def arguments(self, event: ArgumentsDelta) -> None:
        """More of a call's arguments."""
        block = self._by_part.get(event.index)
        if block is not None:
            self._add_arguments(block, event.text)

    def seal(self, event: SignatureDelta) -> None:
        """A seal: of a thinking block at its end, of a call in its id, if that is not said yet."""
        block = self._by_part.get(event.index)
        if block is None:
            return
        if block.kind == "thinking":
            thinking = self._current(event.index) or block
            (thinking.sealed if event.sealed else thinking.seal).append(event.signature)
        elif isinstance(block.call, ToolCall) and block.wire < 0:
            block.call = replace(block.call, signature=event.signature)

    def cite(self, event: CitationAdded) -> None:
        """A source of the text."""
        block = self._current(event.index)
        if block is not None and block.kind == "text":
            _cite(block, event.citation)

    def end(self, event: PartEnded) -> None:
        """A part is complete."""
        block = self._by_part.get(event.index)
        if block is not None:
            if event.part is not None and block.wire < 0 and not block.deltas:
                self._fill(block, event.part)
            if isinstance(event.part, Opaque):
                block.call = event.part
            block.ended = True

    def _current(self, part: int) -> _Block | None:
        """The part's block; a new one where the old one has been closed for what came after it."""
        block = self._by_part.get(part)
        if block is None or block.kind == "tool_use" or block in self._row:
            return block
        return self._add(part, block.kind)

    @staticmethod
    def _add_text(block: _Block, text: str) -> None:
        if text and block.kind == "text":
            block.deltas.append({"type": "text_delta", "text": text})
        elif text and block.kind == "thinking":
            block.deltas.append({"type": "thinking_delta", "thinking": text})

    @staticmethod
    def _add_arguments(block: _Block, text: str) -> None:
        if text and block.kind == "tool_use":
            text = block.free.piece(text) if block.free is not None else text
            block.deltas.append({"type": "input_json_delta", "partial_json": text})

    def drain(self, out: list[WireEvent]) -> None:
        """Send what the order allows."""
        row = self._row
        while row:
            block = row[0]
            over = block.ended or block.closing
            self._send(block, out, over=over)
            if not over:
                return
            row.popleft()

    def close(self, out: list[WireEvent]) -> None:
        """The stream is over, and with it every block."""
        for block in self._row:
            block.ended = True
        self.drain(out)

    def _send(self, block: _Block, out: list[WireEvent], *, over: bool) -> None:
        seal, sealed = (block.seal, block.sealed) if over else ([], [])
        said = block.call is not None and (over or block.kind == "tool_use")
        if over and block.free is not None:
            block.deltas.append({"type": "input_json_delta", "partial_json": block.free.end()})
        if block.wire < 0 and (block.deltas or said or seal):
            block.wire = self._begin(_opening(block), out)
        for delta in block.deltas:
            event = {"type": "content_block_delta", "index": block.wire, "delta": delta}
            out.append(WireEvent("content_block_delta", _encode(event)))
        block.deltas = []
        if over and block.wire >= 0:
            if block.kind == "thinking":
                text = wrap(_joined(seal), SHAPE) if seal else NO_SEAL
                delta = {"type": "signature_delta", "signature": text}
                event = {"type": "content_block_delta", "index": block.wire, "delta": delta}
                out.append(WireEvent("content_block_delta", _encode(event)))
            out.append(_stop(block.wire))
        if sealed:
            whole = {"type": "redacted_thinking", "data": wrap(_joined(sealed), SHAPE)}
            out.append(_stop(self._begin(whole, out)))

    def _begin(self, content: dict[str, Any], out: list[WireEvent]) -> int:
        at, self._next = self._next, self._next + 1
        event = {"type": "content_block_start", "index": at, "content_block": content}
        out.append(WireEvent("content_block_start", _encode(event)))
        return at


def _kind(part: Part) -> _Kind | None:
    if isinstance(part, Text | Refused | Audio):
        return "text"
    if isinstance(part, Thinking):
        return "thinking"
    if isinstance(part, ToolCall):
        return "tool_use"
    return "whole" if isinstance(part, Opaque) and part.shape == SHAPE else None


def _opening(block: _Block) -> dict[str, Any]:
    """The block as it begins."""
    if block.kind == "text":
        return {"type": "text", "text": ""}
    if block.kind == "thinking":
        return {"type": "thinking", "thinking": "", "signature": ""}
    call = block.call
    return (
        write_block(sealed_call(call) if isinstance(call, ToolCall) else call) if call is not None else None
    ) or {}


def _cite(block: _Block, citation: Any) -> None:
    value = write_citation(citation)
    if value is not None:
        block.deltas.append({"type": "citations_delta", "citation": value})


def _stop(index: int) -> WireEvent:
    return WireEvent("content_block_stop", b'{"type":"content_block_stop","index":%d}' % index)


def _joined(pieces: list[Signature]) -> Signature:
    return Signature(pieces[-1].signer, "".join([piece.value for piece in pieces]))
