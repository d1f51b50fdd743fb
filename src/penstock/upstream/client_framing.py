"""How a dialect frames the stream that it sends to its client."""

from __future__ import annotations

from typing import Literal

from penstock.ports.translation import WireEvent
from penstock.shapes.converse.framing import to_bytes

Kind = Literal["sse", "json_array", "aws"]


class ClientFraming:
    """Frames wire events, in order, for one stream."""

    __slots__ = ("_begun", "_kind", "content_type")

    def __init__(self, kind: Kind) -> None:
        self._kind: Kind = kind
        self._begun = False
        self.content_type = {
            "sse": b"text/event-stream; charset=utf-8",
            "json_array": b"application/json",
            "aws": b"application/vnd.amazon.eventstream",
        }[kind]

    def frame(self, events: list[WireEvent]) -> bytes:
        """The bytes of these events."""
        if not events:
            return b""
        if self._kind == "sse":
            return b"".join(
                [
                    b"event: %b\ndata: %b\n\n" % (name.encode(), data) if name else b"data: %b\n\n" % data
                    for name, data in events
                ]
            )
        if self._kind == "json_array":
            pieces: list[bytes] = []
            for _, data in events:
                pieces += (b",\r\n" if self._begun else b"[", data)
                self._begun = True
            return b"".join(pieces)
        return b"".join([to_bytes(event) for event in events])

    def comment(self, text: str) -> bytes:
        """What a client passes over; empty where the framing has no comments."""
        return b": %b\n\n" % text.encode() if self._kind == "sse" else b""

    def close(self) -> bytes:
        """What ends the stream as a whole."""
        if self._kind == "json_array":
            return b"]" if self._begun else b"[]"
        return b""
