"""An answer as its client gets it, read back into the pivot: to compare it with another, or to judge it."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.core.assemble import Assembler
from penstock.core.chat import ChatReply
from penstock.core.errors import ShapeError
from penstock.core.parts import Refused, Text, ToolCall
from penstock.ports.translation import Framing
from penstock.providers.registry import chat_provider
from penstock.shapes.openai_request import Endpoint
from penstock.upstream.framing import framer, opened
from penstock.wire.sse import EventTooLargeError

_decode_object = msgspec.json.Decoder(dict[str, Any]).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


def reply_of(endpoint: Endpoint, body: bytes, *, stream: bool) -> ChatReply | None:
    """The reply that a chat endpoint's answer holds; None for other endpoints, and what cannot be read."""
    if endpoint.task != "chat":
        return None
    framing = (endpoint.framing if endpoint.framing == "aws" else "sse") if stream else ""
    return reply_from(api_of(endpoint), framing, body)


def api_of(endpoint: Endpoint) -> str:
    """The API whose shape the answers of a chat endpoint have."""
    return endpoint.shape if endpoint.dialect == "openai" else endpoint.dialect


def reply_from(api: str, framing: str, body: bytes) -> ChatReply | None:
    """The reply that an answer in this API holds; `framing` is empty for one that is no stream."""
    provider = chat_provider(api)
    try:
        if not framing:
            return provider.decode_reply(_decode_object(body))
        decoder = provider.stream()
        assembler = Assembler()
        for name, data in _wire(framing, body):
            for event in decoder.read(name, data).events:
                assembler.add(event)
        return assembler.reply()
    except (ShapeError, msgspec.DecodeError, EventTooLargeError, UnicodeDecodeError, RecursionError):
        return None


def _wire(told: str, body: bytes) -> list[tuple[str, bytes]]:
    if body.lstrip()[:1] == b"[":  # Google's stream as one JSON array
        return [("", bytes(each)) for each in _decode_list(body)]
    framing: Framing = "aws" if told == "aws" else "sse"
    found = [opened(framing, event) for event in framer(framing).feed(body)]
    return [(event.name, event.data) for event in found if event.data]


def text_of(reply: ChatReply) -> str:
    """Everything that a reply says or asks for: texts, refusals, tool calls by name and arguments."""
    said: list[str] = []
    for choice in reply.choices:
        for part in choice.parts:
            if isinstance(part, Text | Refused):
                said.append(part.text)
            elif isinstance(part, ToolCall):
                said.append(f"{part.name}({part.arguments})")
    return "\n".join(said)
