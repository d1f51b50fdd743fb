"""Cohere's chat dialect."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatReply, ChatRequest
from penstock.dialects.cohere.decode import decode_request
from penstock.dialects.cohere.encode import encode_reply
from penstock.dialects.cohere.stream import CohereStreamEncoder
from penstock.ports.translation import Asked
from penstock.shapes.cohere import CHAT


class CohereDialect:
    """`POST /v2/chat`."""

    __slots__ = ()
    shape = CHAT

    def decode_request(self, body: dict[str, Any], model: str, *, stream: bool) -> ChatRequest:
        """The request. Raises ShapeError."""
        return decode_request(body, model, stream=stream)

    def encode_reply(self, reply: ChatReply, asked: Asked) -> dict[str, Any]:
        """The whole answer."""
        return encode_reply(reply, asked)

    def stream(self, asked: Asked) -> CohereStreamEncoder:
        """A fresh encoder for one stream."""
        return CohereStreamEncoder(asked)
