"""What a whole answer says, read from the bytes that its client would get."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.core.assemble import Assembler
from penstock.core.chat import ChatReply
from penstock.core.errors import Refusal, ShapeError
from penstock.core.itinerary import WholeAnswer
from penstock.core.parts import Text, ToolCall
from penstock.core.verdict import Answer
from penstock.providers.registry import chat_provider
from penstock.shapes.openai_request import Endpoint
from penstock.wire.sse import SseDecoder, data_of, name_of

NOTHING = Answer("")
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def answer_of(endpoint: Endpoint, whole: WholeAnswer) -> Answer:
    """The first choice's text, log probabilities and tool calls.

    An answer that cannot be read is empty: it passes no check. Only chats are read.
    """
    reply = reply_of(endpoint, whole)
    return NOTHING if reply is None else _answer(reply)


def reply_of(endpoint: Endpoint, whole: WholeAnswer) -> ChatReply | None:
    """The answer in the pivot; None where it cannot be read, or is no chat's."""
    if endpoint.task != "chat":
        return None
    try:
        return _streamed(endpoint.shape, whole.body) if whole.stream else _plain(endpoint.shape, whole.body)
    except (Refusal, ShapeError, msgspec.DecodeError, ValueError):
        return None


def _plain(shape: str, body: bytes) -> ChatReply:
    return chat_provider(shape).decode_reply(_decode(body))


def _streamed(shape: str, body: bytes) -> ChatReply:
    """Client streams are SSE here; others (Converse's binary one) cannot be read and raise ShapeError."""
    decoder, assembler = chat_provider(shape).stream(), Assembler()
    for event in SseDecoder(max(len(body) + 1, 1)).feed(body):
        data = data_of(event)
        if data:
            frame = decoder.read(name_of(event).decode(), data)
            for each in frame.events:
                assembler.add(each)
    return assembler.reply()


def _answer(reply: ChatReply) -> Answer:
    if not reply.choices:
        return NOTHING
    choice = reply.choices[0]
    text = "".join([part.text for part in choice.parts if isinstance(part, Text)])
    calls = tuple([f"{part.name}({part.arguments})" for part in choice.parts if isinstance(part, ToolCall)])
    logprobs = choice.logprobs
    found = tuple([token.logprob for token in logprobs.tokens]) if logprobs is not None else None
    return Answer(text, found or None, choice.finish or "", len(calls), calls)
