"""Wire events of a Converse stream: a binary message's type and payload, and back.

An exception keeps its type as the event's name: no event is called like one. A message of type `error`,
which has its words in headers, is given as an event named `error` with these as its JSON.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from penstock.ports.translation import WireEvent
from penstock.shapes.converse.keep import object_of
from penstock.wire.aws_events import AwsMessage, encode_headers, encode_message, framed

_JSON = "application/json"
_encode = msgspec.json.Encoder().encode


def wire_event(message: AwsMessage) -> WireEvent:
    """What a message says."""
    kind = message.text(":message-type")
    if kind == "exception":
        return WireEvent(message.text(":exception-type") or "exception", message.payload)
    if kind == "error":
        words = {"code": message.text(":error-code"), "message": message.text(":error-message")}
        return WireEvent("error", _encode(words))
    return WireEvent(message.text(":event-type"), message.payload)


def to_bytes(event: WireEvent) -> bytes:
    """The binary message of an event, with the headers in Bedrock's order."""
    if event.name == "error":
        words = object_of(event.data.decode(errors="replace")) or {}
        said = {":error-code": str(words.get("code")), ":error-message": str(words.get("message"))}
        return encode_message({**said, ":message-type": "error"}, b"")
    return framed(_headers(event.name), event.data)


@lru_cache(maxsize=64)
def _headers(name: str) -> bytes:
    exception = name == "exception" or name.endswith("Exception")
    type_ = ":exception-type" if exception else ":event-type"
    kind = "exception" if exception else "event"
    return encode_headers({type_: name, ":content-type": _JSON, ":message-type": kind})
