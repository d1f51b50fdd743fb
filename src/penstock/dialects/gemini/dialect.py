"""Google's chat API as clients speak it."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatReply, ChatRequest
from penstock.dialects.gemini.decode import decode_request
from penstock.dialects.gemini.encode import encode_reply
from penstock.dialects.gemini.stream import GeminiStreamEncoder
from penstock.ports.translation import Asked
from penstock.shapes.gemini import SHAPE


class GeminiDialect:
    """generateContent and streamGenerateContent."""

    shape = SHAPE

    def decode_request(self, body: dict[str, Any], model: str, *, stream: bool) -> ChatRequest:
        """The request; `model` and `stream` are what the path says. Raises ShapeError."""
        return decode_request(body, model, stream=stream)

    def encode_reply(self, reply: ChatReply, asked: Asked) -> dict[str, Any]:
        """The whole answer as a JSON object."""
        return encode_reply(reply, asked)

    def stream(self, asked: Asked) -> GeminiStreamEncoder:
        """A fresh encoder for one stream, whose events are framed as SSE or as a JSON array."""
        return GeminiStreamEncoder(asked)
