"""Converse as a client dialect of chat."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatReply, ChatRequest
from penstock.dialects.converse.decode import decode_request
from penstock.dialects.converse.encode import encode_reply
from penstock.dialects.converse.stream import ConverseStream
from penstock.ports.translation import Asked
from penstock.shapes.converse import SHAPE


class ConverseDialect:
    """What boto3 and other AWS SDKs speak to Bedrock."""

    shape: str = SHAPE

    def decode_request(self, body: dict[str, Any], model: str, *, stream: bool) -> ChatRequest:
        """The request; model and stream come from the path."""
        return decode_request(body, model, stream=stream)

    def encode_reply(self, reply: ChatReply, asked: Asked) -> dict[str, Any]:
        """The whole answer."""
        return encode_reply(reply, asked)

    def stream(self, asked: Asked) -> ConverseStream:
        """A fresh encoder for one stream."""
        return ConverseStream(asked)


def encode_count(tokens: int) -> dict[str, Any]:
    """The answer of `count-tokens`."""
    return {"inputTokens": tokens}
