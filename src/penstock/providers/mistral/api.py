"""Mistral's chat API as the pipeline sees it."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatReply, ChatRequest
from penstock.core.tool_names import NameRule
from penstock.ports.translation import Addressee, Framing, StreamDecoder
from penstock.providers.mistral import SHAPE
from penstock.providers.mistral.request import encode_request
from penstock.providers.openai_chat.response import decode_reply
from penstock.providers.openai_chat.stream import ChatStream


class MistralProvider:
    """`POST …/v1/chat/completions` of Mistral."""

    shape = SHAPE
    framing: Framing = "sse"
    # what its errors say: letters, digits, `_` and `-`, 64 at most.
    names: NameRule | None = NameRule(64)

    def encode_request(self, request: ChatRequest, to: Addressee) -> dict[str, Any]:
        """The request's body."""
        return encode_request(request, to)

    def decode_reply(self, body: dict[str, Any]) -> ChatReply:
        """The whole answer."""
        return decode_reply(body, SHAPE)

    def stream(self) -> StreamDecoder:
        """A decoder for one stream."""
        return ChatStream(SHAPE)
