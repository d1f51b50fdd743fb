"""A stream towards a client, cut into events whose JSON can be replaced, and put together again."""

from __future__ import annotations

from typing import Literal, Protocol

from penstock.ports.translation import WireEvent
from penstock.shapes.converse.framing import to_bytes, wire_event
from penstock.wire.aws_events import AwsEventDecoder
from penstock.wire.json_array import JsonArrayDecoder, JsonArrayWriter
from penstock.wire.sse import SseDecoder, data_of, with_data

ClientFrames = Literal["sse", "json_array", "aws"]


class Cutter(Protocol):
    """Cuts and joins one stream."""

    def feed(self, data: bytes) -> list[bytes]:
        """The events that `data` completes."""
        ...

    def payload(self, event: bytes) -> bytes:
        """The event's JSON; empty, or something else, where it has none."""
        ...

    def rebuilt(self, event: bytes, payload: bytes) -> bytes:
        """The event with other JSON in it."""
        ...

    def written(self, event: bytes) -> bytes:
        """The event's bytes in the stream; asked for in order."""
        ...

    def end(self) -> bytes:
        """What closes the stream as a whole."""
        ...


class SseCutter:
    """Server-sent events."""

    __slots__ = ("_decoder",)

    def __init__(self) -> None:
        self._decoder = SseDecoder()

    def feed(self, data: bytes) -> list[bytes]:
        """See Cutter."""
        return self._decoder.feed(data)

    def payload(self, event: bytes) -> bytes:
        """See Cutter."""
        return data_of(event)

    def rebuilt(self, event: bytes, payload: bytes) -> bytes:
        """See Cutter."""
        return with_data(event, payload)

    def written(self, event: bytes) -> bytes:
        """See Cutter."""
        return event

    def end(self) -> bytes:
        """See Cutter."""
        return b""


class ArrayCutter:
    """Elements of one JSON array."""

    __slots__ = ("_decoder", "_writer")

    def __init__(self) -> None:
        self._decoder = JsonArrayDecoder()
        self._writer = JsonArrayWriter()

    def feed(self, data: bytes) -> list[bytes]:
        """See Cutter."""
        return self._decoder.feed(data)

    def payload(self, event: bytes) -> bytes:
        """See Cutter."""
        return event

    def rebuilt(self, event: bytes, payload: bytes) -> bytes:
        """See Cutter."""
        del event
        return payload

    def written(self, event: bytes) -> bytes:
        """See Cutter."""
        return self._writer.write(event)

    def end(self) -> bytes:
        """See Cutter."""
        return self._writer.end()


class AwsCutter:
    """Binary messages."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """See Cutter. The messages were framed by this gateway, or checked by it."""
        text = self._rest + data if self._rest else data
        messages: list[bytes] = []
        at = 0
        while len(text) - at >= 4:
            size = int.from_bytes(text[at : at + 4])
            if size < 16 or len(text) - at < size:
                break
            messages.append(text[at : at + size])
            at += size
        self._rest = text[at:]
        return messages

    def payload(self, event: bytes) -> bytes:
        """See Cutter."""
        (message,) = AwsEventDecoder().feed(event)
        return message.payload

    def rebuilt(self, event: bytes, payload: bytes) -> bytes:
        """See Cutter."""
        (message,) = AwsEventDecoder().feed(event)
        return to_bytes(WireEvent(wire_event(message).name, payload))

    def written(self, event: bytes) -> bytes:
        """See Cutter."""
        return event

    def end(self) -> bytes:
        """See Cutter."""
        return b""


def cutter_of(framing: ClientFrames) -> Cutter:
    """What cuts a stream of this framing."""
    if framing == "aws":
        return AwsCutter()
    return ArrayCutter() if framing == "json_array" else SseCutter()
