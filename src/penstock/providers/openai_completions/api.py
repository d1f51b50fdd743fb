"""The legacy completions API as the pipeline sees it."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatReply, ChatRequest
from penstock.core.tool_names import NameRule
from penstock.ports.translation import Addressee, Framing, StreamDecoder
from penstock.providers.openai_completions.request import encode_request
from penstock.providers.openai_completions.response import decode_reply
from penstock.providers.openai_completions.stream import CompletionStream
from penstock.shapes.openai_completions import SHAPE


class OpenaiCompletionsProvider:
    """`POST …/completions`."""

    shape = SHAPE
    framing: Framing = "sse"
    names: NameRule | None = None

    def encode_request(self, request: ChatRequest, to: Addressee) -> dict[str, Any]:
        """The request's body."""
        return encode_request(request, to)

    def decode_reply(self, body: dict[str, Any]) -> ChatReply:
        """The whole answer."""
        return decode_reply(body)

    def stream(self) -> StreamDecoder:
        """A decoder for one stream."""
        return CompletionStream()
