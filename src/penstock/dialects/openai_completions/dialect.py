"""The legacy completions dialect as the pipeline sees it."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatReply, ChatRequest
from penstock.dialects.openai_completions.decode import decode_request
from penstock.dialects.openai_completions.encode import encode_reply
from penstock.dialects.openai_completions.stream import CompletionStreamEncoder
from penstock.ports.translation import Asked, StreamEncoder
from penstock.shapes.openai_completions import SHAPE


class OpenaiCompletionsDialect:
    """`POST /v1/completions`."""

    shape = SHAPE

    def decode_request(self, body: dict[str, Any], model: str, *, stream: bool) -> ChatRequest:
        """The request."""
        return decode_request(body, model, stream=stream)

    def encode_reply(self, reply: ChatReply, asked: Asked) -> dict[str, Any]:
        """The whole answer."""
        return encode_reply(reply, asked)

    def stream(self, asked: Asked) -> StreamEncoder:
        """An encoder for one stream."""
        return CompletionStreamEncoder(asked)
