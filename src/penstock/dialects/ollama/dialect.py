"""Ollama's own chat dialect."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatReply, ChatRequest
from penstock.dialects.ollama.decode import decode_request
from penstock.dialects.ollama.encode import encode_reply
from penstock.dialects.ollama.stream import OllamaStreamEncoder
from penstock.ports.translation import Asked
from penstock.shapes.ollama import CHAT


class OllamaDialect:
    """`POST /api/chat`."""

    __slots__ = ()
    shape = CHAT

    def decode_request(self, body: dict[str, Any], model: str, *, stream: bool) -> ChatRequest:
        """The request. Raises ShapeError."""
        return decode_request(body, model, stream=stream)

    def encode_reply(self, reply: ChatReply, asked: Asked) -> dict[str, Any]:
        """The whole answer."""
        return encode_reply(reply, asked)

    def stream(self, asked: Asked) -> OllamaStreamEncoder:
        """A fresh encoder for one stream."""
        return OllamaStreamEncoder(asked)
