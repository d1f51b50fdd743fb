"""Wire events in each framing, seen the same way: a name and a payload."""

from __future__ import annotations

from penstock.ports.translation import Framing, WireEvent
from penstock.upstream.codec import Framer
from penstock.wire.sse import SseDecoder, data_of, name_of

STREAM_TYPES: dict[Framing, tuple[bytes, ...]] = {
    "sse": (b"text/event-stream",),
    "ndjson": (b"application/x-ndjson", b"application/ndjson", b"application/json"),
    "aws": (b"application/vnd.amazon.eventstream",),
    "json_array": (b"application/json",),
}


def framer(framing: Framing) -> Framer:
    """What cuts a stream of this framing into events."""
    if framing == "sse":
        return SseDecoder()
    raise NotImplementedError(framing)


def opened(framing: Framing, event: bytes) -> WireEvent:
    """One event's name and payload; a payload is empty for a comment."""
    if framing == "sse":
        return WireEvent(name_of(event).decode("utf-8", "replace"), data_of(event))
    raise NotImplementedError(framing)
