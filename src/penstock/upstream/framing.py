"""Wire events in each framing, seen the same way: a name and a payload."""

from __future__ import annotations

from penstock.core.errors import ShapeError
from penstock.ports.translation import Framing, WireEvent
from penstock.shapes.converse.framing import wire_event
from penstock.upstream.codec import Framer
from penstock.wire.aws_events import AwsEventDecoder, EventStreamError
from penstock.wire.ndjson import NdjsonDecoder, text_of
from penstock.wire.sse import EventTooLargeError, SseDecoder, data_of, name_of

STREAM_TYPES: dict[Framing, tuple[bytes, ...]] = {
    "sse": (b"text/event-stream",),
    "ndjson": (b"application/x-ndjson", b"application/ndjson", b"application/json"),
    "aws": (b"application/vnd.amazon.eventstream",),
    "json_array": (b"application/json",),
}
MAX_EVENT_BYTES = 16 * 1024 * 1024 + 64


class AwsFramer:
    """Cuts an AWS event stream into messages by their length; `opened` checks what is in them."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that `data` completes."""
        text = self._rest + data if self._rest else data
        messages: list[bytes] = []
        at = 0
        while len(text) - at >= 4:
            size = int.from_bytes(text[at : at + 4])
            if not 16 <= size <= MAX_EVENT_BYTES:
                raise EventTooLargeError(f"a message of {size} bytes")
            if len(text) - at < size:
                break
            messages.append(text[at : at + size])
            at += size
        self._rest = text[at:]
        return messages

    def rest(self) -> bytes:
        """What has arrived of a message that is not complete."""
        return self._rest


def framer(framing: Framing) -> Framer:
    """What cuts a stream of this framing into events."""
    if framing == "aws":
        return AwsFramer()
    return NdjsonDecoder() if framing == "ndjson" else SseDecoder()


def opened(framing: Framing, event: bytes) -> WireEvent:
    """One event's name and payload; a payload is empty for a comment. Raises ShapeError."""
    if framing == "sse":
        return WireEvent(name_of(event).decode("utf-8", "replace"), data_of(event))
    if framing == "ndjson":
        return WireEvent("", text_of(event))
    try:
        (message,) = AwsEventDecoder().feed(event)
    except (EventStreamError, ValueError) as error:
        raise ShapeError("the stream", f"an AWS event stream: {error}") from error
    return wire_event(message)
