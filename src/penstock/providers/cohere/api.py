"""Cohere's chat as the pipeline asks it."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatReply, ChatRequest
from penstock.core.tool_names import NameRule
from penstock.ports.translation import Addressee, Framing
from penstock.providers.cohere.request import encode_request
from penstock.providers.cohere.response import decode_reply
from penstock.providers.cohere.stream import CohereStreamDecoder
from penstock.shapes.cohere import CHAT


class CohereProvider:
    """`POST /v2/chat`, whose streams are server-sent events."""

    __slots__ = ()
    shape = CHAT
    framing: Framing = "sse"
    # letters, digits and `_`, no digit first, of no told length: https://docs.cohere.com/reference/chat-v1
    names: NameRule | None = NameRule(64, more="", digit_first=False)

    def encode_request(self, request: ChatRequest, to: Addressee) -> dict[str, Any]:
        """The request's body. Raises UnsupportedError."""
        return encode_request(request, to)

    def decode_reply(self, body: dict[str, Any]) -> ChatReply:
        """The whole answer. Raises ShapeError."""
        return decode_reply(body)

    def stream(self) -> CohereStreamDecoder:
        """A fresh decoder for one stream."""
        return CohereStreamDecoder()
