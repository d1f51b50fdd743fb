"""The dialect as the pipeline asks for it."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatReply, ChatRequest
from penstock.dialects.openai_responses.decode import decode_request
from penstock.dialects.openai_responses.encode import encode_reply
from penstock.dialects.openai_responses.stream import ResponsesStreamEncoder
from penstock.ports.translation import Asked
from penstock.shapes.openai_responses.names import SHAPE


class OpenaiResponsesDialect:
    """`POST /v1/responses`: implements ports.translation.ChatDialect."""

    shape = SHAPE

    def decode_request(self, body: dict[str, Any], model: str, *, stream: bool) -> ChatRequest:
        """The request. Raises ShapeError."""
        return decode_request(body, model, stream=stream)

    def encode_reply(self, reply: ChatReply, asked: Asked) -> dict[str, Any]:
        """The whole `response` object."""
        return encode_reply(reply, asked)

    def stream(self, asked: Asked) -> ResponsesStreamEncoder:
        """A fresh encoder for one stream."""
        return ResponsesStreamEncoder(asked)
