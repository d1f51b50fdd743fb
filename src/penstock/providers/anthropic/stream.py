"""The events of a streamed message: https://platform.claude.com/docs/en/build-with-claude/streaming.

Blocks that the pivot does not know (calls of the vendor's own tools, …) are gathered here and told in full when
they end; the frames between go to a client of this shape as they came.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import msgspec
from msgspec.structs import replace

from penstock.core.errors import ShapeError
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
from penstock.core.parts import Extras, Opaque, ToolCall
from penstock.core.seals import unwrap
from penstock.shapes.anthropic import SHAPE
from penstock.shapes.anthropic.blocks import read_block
from penstock.shapes.anthropic.calls import input_of
from penstock.shapes.anthropic.citations import kept, read_citation
from penstock.shapes.anthropic.finish import read_finish
from penstock.shapes.anthropic.usage import read_usage, tier_of
from penstock.shapes.taker import Taker

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_DELTA = Extras(SHAPE, {"type": "content_block_delta"})
_TEXTS = {"text_delta": "text", "thinking_delta": "thinking"}
_KINDS = {kind: Extras(SHAPE, {"type": kind}) for kind in _TEXTS}
_Fields = dict[str, Any]


class AnthropicStreamDecoder:
    """The decoder of one stream."""

    __slots__ = ("_opaque", "_pieces", "_usage")

    def __init__(self) -> None:
        self._usage: _Fields = {}
        self._opaque: dict[int, _Fields] = {}
        self._pieces: dict[int, list[str]] = {}

    def read(self, name: str, data: bytes) -> Frame:
        """One wire event. Raises ShapeError."""
        try:
            fields = _decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise ShapeError("the event", "a JSON object") from None
        kind = fields.get("type")
        if kind == "content_block_delta":
            return self._delta(name, fields)
        reader = _READERS.get(kind) if isinstance(kind, str) else None
        events = reader(self, fields) if reader is not None else ()
        return Frame(name, events, Extras(SHAPE, fields))

    def _delta(self, name: str, fields: _Fields) -> Frame:
        index, delta = fields.get("index"), fields.get("delta")
        if isinstance(index, int) and isinstance(delta, dict):
            event = self._more(index, cast("_Fields", delta))
            if event is not None:
                if len(fields) == 3:
                    return Frame(name, (event,), _DELTA)
                del fields["index"], fields["delta"]
                return Frame(name, (event,), Extras(SHAPE, fields))
        return Frame(name, (), Extras(SHAPE, fields))

    def _more(self, index: int, delta: _Fields) -> Event | None:
        kind = delta.get("type")
        if index in self._opaque:
            self._gather(index, delta)
            return None
        member = _TEXTS.get(kind) if isinstance(kind, str) else None
        if member is not None:
            text = delta.get(member)
            if not isinstance(text, str):
                return None
            left = _KINDS[cast("str", kind)] if len(delta) == 2 else _left(delta, member, kind)
            return TextDelta(0, index, text, left)
        if kind == "input_json_delta":
            text = delta.get("partial_json")
            return (
                ArgumentsDelta(0, index, text, _left(delta, "partial_json")) if isinstance(text, str) else None
            )
        if kind == "signature_delta":
            text = delta.get("signature")
            if not isinstance(text, str):
                return None
            return SignatureDelta(0, index, unwrap(text, SHAPE), extras=_left(delta, "signature"))
        if kind == "citations_delta" and isinstance(delta.get("citation"), dict):
            return CitationAdded(0, index, read_citation(delta["citation"]), _left(delta, "citation"))
        return None

    def _gather(self, index: int, delta: _Fields) -> None:
        """More of a block that the pivot does not know: the pieces of its input, or of any other text."""
        piece = delta.get("partial_json")
        if isinstance(piece, str):
            self._pieces.setdefault(index, []).append(piece)
            return
        block = self._opaque[index]
        for name, value in delta.items():
            if name != "type" and isinstance(value, str):
                before = block.get(name)
                block[name] = (before if isinstance(before, str) else "") + value

    def message_start(self, fields: _Fields) -> tuple[Event, ...]:
        """The reply begins."""
        message = fields.get("message")
        if not isinstance(message, dict):
            return ()
        del fields["message"]
        taker = Taker(message)
        usage = taker.value("usage")
        self._usage = dict(usage) if usage is not None else {}
        start = Started(
            kept(taker, "id"), kept(taker, "model"), None, tier_of(self._usage), Extras(SHAPE, taker.rest)
        )
        return (start, UsageReported(read_usage(usage))) if usage is not None else (start,)

    def block_start(self, fields: _Fields) -> tuple[Event, ...]:
        """A block begins."""
        index, block = fields.get("index"), fields.get("content_block")
        if not isinstance(index, int) or not isinstance(block, dict):
            return ()
        part = read_block(cast("_Fields", block), "content_block", strict=False)
        if isinstance(part, Opaque):
            self._opaque[index] = dict(part.value)
        elif isinstance(part, ToolCall) and part.arguments == "{}":
            part = replace(part, arguments="")
        del fields["index"], fields["content_block"]
        return (PartStarted(0, index, part),)

    def block_stop(self, fields: _Fields) -> tuple[Event, ...]:
        """A block is complete."""
        index = fields.get("index")
        if not isinstance(index, int):
            return ()
        del fields["index"]
        block = self._opaque.pop(index, None)
        if block is None:
            return (PartEnded(0, index),)
        pieces = "".join(self._pieces.pop(index, ()))
        if pieces:
            block["input"] = input_of(pieces)
        return (PartEnded(0, index, Opaque(SHAPE, block)),)

    def message_delta(self, fields: _Fields) -> tuple[Event, ...]:
        """Why the answer ended, and what it used; counts are of the whole, and those left out as they were."""
        events: list[Event] = []
        delta, usage = fields.get("delta"), fields.get("usage")
        if isinstance(delta, dict):
            taker = Taker(delta)
            native = kept(taker, "stop_reason")
            if native:
                sequence = taker.text("stop_sequence")
                extras = Extras(SHAPE, taker.rest)
                events.append(ChoiceFinished(0, read_finish(native), native, sequence, extras))
                del fields["delta"]
        if isinstance(usage, dict):
            said = cast("_Fields", usage)
            self._usage = {**self._usage, **{name: value for name, value in said.items() if value is not None}}
            events.append(UsageReported(read_usage(self._usage), Extras(SHAPE, said)))
            del fields["usage"]
        return tuple(events)

    def message_stop(self, fields: _Fields) -> tuple[Event, ...]:  # noqa: ARG002 - one signature for all
        """The end."""
        return (Ended(),)

    def error(self, fields: _Fields) -> tuple[Event, ...]:
        """The vendor breaks off."""
        error = fields.get("error")
        if not isinstance(error, dict):
            return (Broke("the provider broke off"),)
        del fields["error"]
        taker = Taker(error)
        kind, message = kept(taker, "type"), kept(taker, "message")
        return (Broke(message, kind, status=_STATUS.get(kind, 0), extras=Extras(SHAPE, taker.rest)),)


def _left(delta: _Fields, member: str, kind: Any = None) -> Extras | None:
    """What a delta has besides its one member; its type where two kinds of delta are one in the pivot."""
    if len(delta) == 2 and kind is None:
        return None
    left = {name: value for name, value in delta.items() if name not in (member, "type")}
    return Extras(SHAPE, {**left, "type": kind} if kind is not None else left)


_STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_READERS: dict[str, Callable[[AnthropicStreamDecoder, _Fields], tuple[Event, ...]]] = {
    "message_start": AnthropicStreamDecoder.message_start,
    "content_block_start": AnthropicStreamDecoder.block_start,
    "content_block_stop": AnthropicStreamDecoder.block_stop,
    "message_delta": AnthropicStreamDecoder.message_delta,
    "message_stop": AnthropicStreamDecoder.message_stop,
    "error": AnthropicStreamDecoder.error,
}
