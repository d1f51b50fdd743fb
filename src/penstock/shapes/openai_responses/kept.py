"""What is read of a finished response, and how a conversation that we keep is written down."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.core.errors import ShapeError
from penstock.wire.sse import SseDecoder, data_of

_LAST = frozenset({"response.completed", "response.incomplete"})
_FIRST = frozenset({"response.created", "response.queued", "response.in_progress"})


class ResponseHead(msgspec.Struct):
    """A response, as far as it says whether it may be asked for later."""

    id: str = ""
    store: bool | None = None
    background: bool | None = None


class ItemHead(msgspec.Struct):
    """An output item, as far as a later request may name it."""

    id: str = ""
    container_id: str | None = None


class Output(msgspec.Struct):
    """A response, as far as it hands out ids beside its own."""

    output: list[ItemHead] = []


class EventHead(msgspec.Struct):
    """An event of a stream that carries the whole response."""

    type: str = ""
    response: msgspec.Raw = msgspec.Raw()


class Kept(msgspec.Struct):
    """A conversation: what was asked, what went before included, and the response."""

    input: Any
    response: dict[str, Any]


_head = msgspec.json.Decoder(ResponseHead).decode
_output = msgspec.json.Decoder(Output).decode
_event = msgspec.json.Decoder(EventHead).decode
_kept = msgspec.json.Decoder(Kept).decode
_response = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def head_of(response: bytes) -> ResponseHead:
    """What a response says of itself; empty where it cannot be read."""
    try:
        return _head(response)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ResponseHead()


def handed_out(response: bytes) -> list[str]:
    """The ids in a response that a later request may name: its items', and those of containers."""
    try:
        items = _output(response).output
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    names = [name for item in items for name in (item.id, item.container_id) if name]
    return list(dict.fromkeys(names))


def item_of(kept: Kept, name: str) -> dict[str, Any] | None:
    """The output item with this id in a conversation that we keep."""
    items: list[dict[str, Any]] = kept.response.get("output") or []
    return next((item for item in items if item.get("id") == name), None)


def last_response(text: bytes) -> bytes:
    """The response in the events that end a stream, as JSON; empty where none of them has it."""
    return _response_of(text, _LAST)


def first_response(text: bytes) -> bytes:
    """The response in the events that begin a stream."""
    return _response_of(text, _FIRST)


def _response_of(text: bytes, types: frozenset[str]) -> bytes:
    for event in SseDecoder(len(text)).feed(text):
        data = data_of(event)
        if b'"response"' not in data:
            continue
        try:
            found = _event(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        if found.type in types and found.response:
            return bytes(found.response)
    return b""


def kept_text(request_input: bytes | None, response: bytes) -> bytes:
    """A conversation written down; both are JSON, and stay the bytes that they are."""
    return b'{"input":%b,"response":%b}' % (request_input or b"null", response)


def read_kept(text: bytes) -> Kept:
    """The conversation again. Raises ShapeError."""
    try:
        return _kept(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ShapeError("the kept conversation", "what this version wrote") from None


def kept_response(text: bytes) -> bytes:
    """The response alone, as it was sent."""
    return bytes(_response(text)["response"])
