"""A Converse stream to pivot frames: one binary message, one frame.

A block of text or thinking begins with its first delta, a tool call with `contentBlockStart`. What is not read
stays in the frame's extras, in the group `rest`; what stands there is not decoded, and the other way round.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeGuard, cast

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
from penstock.core.parts import Extras, Image, Inline, Opaque, Part, Signature, Text, Thinking
from penstock.providers.converse.response import stop_sequence_in
from penstock.shapes.converse import SHAPE, SIGNER
from penstock.shapes.converse.citations import decode_citation
from penstock.shapes.converse.faults import IN_STREAM
from penstock.shapes.converse.finish import finish_of
from penstock.shapes.converse.keep import json_value, kept, kept_object
from penstock.shapes.converse.media import media_type_of
from penstock.shapes.converse.thinking import blob_seal
from penstock.shapes.converse.tool_blocks import decode_tool_use
from penstock.shapes.converse.usage import decode_usage
from penstock.shapes.taker import Taker

_decode = msgspec.json.Decoder().decode
_Kind = Literal["text", "thinking", "call", "opaque", "image"]
Payload = dict[str, Any]


class _Gathered:
    """A block whose part is complete only at its end: a tool that Bedrock runs, a picture."""

    __slots__ = ("content", "name", "start", "texts")

    def __init__(self, name: str, start: Payload) -> None:
        self.name = name
        self.start = start
        self.texts: list[str] = []
        self.content: list[Any] = []

    def part(self) -> Part:
        text = "".join(self.texts)
        if self.name == "image":
            named = self.start.get("format")
            return Image(Inline(media_type_of("image", named if isinstance(named, str) else "png"), text))
        value = dict(self.start)
        if self.name == "toolUse":
            try:
                value["input"] = json_value(text) if text else {}
            except ValueError:
                value["input"] = text
        elif self.name == "toolResult":
            value["content"] = self.content
        return Opaque(SHAPE, {self.name: value})


class ConverseStreamDecoder:
    """State of one stream."""

    __slots__ = ("_blocks", "_finished", "_gathered", "_metered", "_readers", "_started")

    def __init__(self) -> None:
        self._blocks: dict[int, _Kind] = {}
        self._gathered: dict[int, _Gathered] = {}
        self._started = self._finished = self._metered = False
        self._readers: dict[str, Callable[[Payload], tuple[tuple[Event, ...], Payload]]] = {
            "messageStart": lambda payload: ((), {"rest": payload}),
            "contentBlockStart": self._start,
            "contentBlockDelta": self._delta,
            "contentBlockStop": self._stop,
            "messageStop": self._message_stop,
            "metadata": self._metadata,
        }

    def read(self, name: str, data: bytes) -> Frame:
        """One message. Raises ShapeError where its payload is not a JSON object."""
        try:
            payload: Any = _decode(data) if data or name in self._readers else Payload()
        except (ValueError, RecursionError) as error:
            raise ShapeError(name, "JSON") from error
        if not isinstance(payload, dict):
            raise ShapeError(name, "an object")
        reader = self._readers.get(name)
        if reader is not None:
            events, groups = reader(cast("Payload", payload))
        elif name in IN_STREAM or name.endswith(("Exception", "exception")) or name == "error":
            events, groups = _broke(name, cast("Payload", payload))
        else:
            events, groups = (), {"rest": cast("Payload", payload)}
        if not self._started and (events or name == "messageStart"):
            self._started = True
            events = (Started(), *events)
        return Frame(name, events, Extras(SHAPE, groups))

    def _start(self, payload: Payload) -> tuple[tuple[Event, ...], Payload]:
        index, start = payload.get("contentBlockIndex"), payload.get("start")
        if not _is_index(index) or not isinstance(start, dict) or not start or index in self._blocks:
            return (), {"rest": payload}
        value = Taker(start, "start")
        call = decode_tool_use(value)
        if call is not None:
            self._blocks[index] = "call"
            rest = {key: each for key, each in payload.items() if key not in ("contentBlockIndex", "start")}
            groups = {"rest": rest, "input": kept(call.extras, "input")}
            extras = kept_object(call.extras, "inside"), kept_object(call.extras, "beside")
            named = {key: each for key, each in zip(("inside", "beside"), extras, strict=True) if each}
            part: Part = replace(call, extras=Extras(SHAPE, named) if named else None)
            return (PartStarted(0, index, part),), groups
        name, inside = next(iter(cast("Payload", start).items()))
        gathered = _Gathered(name, dict(cast("Payload", inside)) if isinstance(inside, dict) else {})
        self._blocks[index] = "image" if name == "image" else "opaque"
        self._gathered[index] = gathered
        return (PartStarted(0, index, gathered.part()),), {"rest": payload}

    def _delta(self, payload: Payload) -> tuple[tuple[Event, ...], Payload]:
        index, delta = payload.get("contentBlockIndex"), payload.get("delta")
        if not _is_index(index) or not isinstance(delta, dict):
            return (), {"rest": payload}
        members = cast("Payload", delta)
        for name, value in members.items():
            reader = _DELTAS.get(name)
            if reader is None:
                continue
            events = reader(self, index, value)
            if events is None:
                break
            del payload["contentBlockIndex"], payload["delta"]
            if len(members) == 1:
                return events, {"rest": payload}
            return events, {"rest": payload, "delta": {key: members[key] for key in members if key != name}}
        return (), {"rest": payload}

    def _begin(self, index: int, kind: _Kind, part: Part) -> tuple[Event, ...] | None:
        """What starts the part where the block has none; None where it has one of another kind."""
        known = self._blocks.get(index)
        if known is None:
            self._blocks[index] = kind
            return (PartStarted(0, index, part),)
        return () if known == kind else None

    def text(self, index: int, value: Any) -> tuple[Event, ...] | None:
        """`{"text": …}`."""
        if not isinstance(value, str):
            return None
        if self._blocks.get(index) == "text":
            return (TextDelta(0, index, value),)
        begun = self._begin(index, "text", _NO_TEXT)
        return (*begun, TextDelta(0, index, value)) if begun is not None else None

    def thinking(self, index: int, value: Any) -> tuple[Event, ...] | None:
        """`{"reasoningContent": {…}}`: text, a signature, or a sealed blob."""
        if not isinstance(value, dict) or len(cast("Payload", value)) != 1:
            return None
        name, said = next(iter(cast("Payload", value).items()))
        if not isinstance(said, str) or name not in ("text", "signature", "redactedContent"):
            return None
        begun = self._begin(index, "thinking", _NO_THINKING)
        if begun is None:
            return None
        if name == "text":
            return (*begun, TextDelta(0, index, said))
        if name == "signature":
            return (*begun, SignatureDelta(0, index, Signature(SIGNER, said)))
        return (*begun, SignatureDelta(0, index, blob_seal(said), sealed=True))

    def citation(self, index: int, value: Any) -> tuple[Event, ...] | None:
        """`{"citation": {…}}`."""
        begun = self._begin(index, "text", _NO_TEXT) if isinstance(value, dict) else None
        return (*begun, CitationAdded(0, index, decode_citation(Taker(value)))) if begun is not None else None

    def tool_use(self, index: int, value: Any) -> tuple[Event, ...] | None:
        """`{"toolUse": {"input": …}}`: a piece of a call's arguments."""
        said = cast("Payload", value).get("input") if isinstance(value, dict) else None
        if not isinstance(said, str) or len(cast("Payload", value)) != 1:
            return None
        if self._blocks.get(index) == "call":
            return (ArgumentsDelta(0, index, said),)
        self._gather(index, said)
        return None

    def tool_result(self, index: int, value: Any) -> tuple[Event, ...] | None:
        """`{"toolResult": […]}`: content of a result that Bedrock's own tool gave."""
        gathered = self._gathered.get(index)
        if gathered is not None and isinstance(value, list):
            gathered.content += cast("list[Any]", value)
        return None

    def image(self, index: int, value: Any) -> tuple[Event, ...] | None:
        """`{"image": {"source": {"bytes": …}}}`: a piece of a picture."""
        source = cast("Payload", value).get("source") if isinstance(value, dict) else None
        said = cast("Payload", source).get("bytes") if isinstance(source, dict) else None
        if isinstance(said, str):
            self._gather(index, said)
        return None

    def _gather(self, index: int, text: str) -> None:
        gathered = self._gathered.get(index)
        if gathered is not None:
            gathered.texts.append(text)

    def _stop(self, payload: Payload) -> tuple[tuple[Event, ...], Payload]:
        index = payload.get("contentBlockIndex")
        if not _is_index(index) or index not in self._blocks:
            return (), {"rest": payload}
        del payload["contentBlockIndex"]
        gathered = self._gathered.pop(index, None)
        part = gathered.part() if gathered is not None else None
        return (PartEnded(0, index, part),), {"rest": payload}

    def _message_stop(self, payload: Payload) -> tuple[tuple[Event, ...], Payload]:
        reason = payload.get("stopReason")
        if not isinstance(reason, str) or not reason:
            return (), {"rest": payload}
        del payload["stopReason"]
        self._finished = True
        sequence = stop_sequence_in(payload.get("additionalModelResponseFields"))
        finished = ChoiceFinished(0, finish_of(reason), reason, sequence)
        return ((finished, Ended()) if self._metered else (finished,)), {"rest": payload}

    def _metadata(self, payload: Payload) -> tuple[tuple[Event, ...], Payload]:
        usage = payload.get("usage")
        events: tuple[Event, ...] = ()
        if isinstance(usage, dict):
            del payload["usage"]
            events = (UsageReported(decode_usage(cast("Payload", usage))),)
        self._metered = True
        return ((*events, Ended()) if self._finished else events), {"rest": payload}


def _broke(name: str, payload: Payload) -> tuple[tuple[Event, ...], Payload]:
    message, original = payload.pop("message", None), payload.get("originalStatusCode")
    if not isinstance(message, str):
        if message is not None:
            payload["message"] = message
        message = ""
    status = original if isinstance(original, int) and 400 <= original < 600 else IN_STREAM.get(name, 0)
    return (Broke(message, type=name, status=status),), {"rest": payload}


def _is_index(value: Any) -> TypeGuard[int]:
    return type(value) is int and value >= 0


_NO_TEXT, _NO_THINKING = Text(""), Thinking()
_DELTAS: dict[str, Callable[[ConverseStreamDecoder, int, Any], tuple[Event, ...] | None]] = {
    "text": ConverseStreamDecoder.text,
    "toolUse": ConverseStreamDecoder.tool_use,
    "reasoningContent": ConverseStreamDecoder.thinking,
    "citation": ConverseStreamDecoder.citation,
    "toolResult": ConverseStreamDecoder.tool_result,
    "image": ConverseStreamDecoder.image,
}
