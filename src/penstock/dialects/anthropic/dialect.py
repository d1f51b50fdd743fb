"""The Messages API as one of the client dialects."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatReply, ChatRequest
from penstock.dialects.anthropic.decode import decode_request
from penstock.dialects.anthropic.encode import encode_reply
from penstock.dialects.anthropic.stream import AnthropicStream
from penstock.ports.translation import Asked
from penstock.shapes.anthropic import SHAPE


class AnthropicDialect:
    """What clients of Anthropic's SDKs send and get."""

    shape = SHAPE

    def decode_request(self, body: dict[str, Any], model: str, *, stream: bool) -> ChatRequest:
        """The request. Raises ShapeError."""
        return decode_request(body, model, stream=stream)

    def encode_reply(self, reply: ChatReply, asked: Asked) -> dict[str, Any]:
        """The message."""
        return encode_reply(reply, asked)

    def stream(self, asked: Asked) -> AnthropicStream:
        """A fresh encoder for one stream."""
        return AnthropicStream(asked)
