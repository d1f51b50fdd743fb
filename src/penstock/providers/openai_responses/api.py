"""The API as the pipeline asks for it."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatReply, ChatRequest
from penstock.core.tool_names import NameRule
from penstock.ports.translation import Addressee, Framing
from penstock.providers.openai_responses.request import encode_request
from penstock.providers.openai_responses.response import decode_reply
from penstock.providers.openai_responses.stream import ResponsesStreamDecoder
from penstock.shapes.openai_responses.names import SHAPE


class OpenaiResponsesProvider:
    """`POST /responses` of a vendor: implements ports.translation.ChatProvider."""

    shape = SHAPE
    framing: Framing = "sse"
    # https://platform.openai.com/docs/api-reference/responses/create#responses_create-tools
    names: NameRule | None = NameRule(64)

    def encode_request(self, request: ChatRequest, to: Addressee) -> dict[str, Any]:
        """The request's body. Raises UnsupportedError."""
        return encode_request(request, to)

    def decode_reply(self, body: dict[str, Any]) -> ChatReply:
        """The whole answer. Raises ShapeError."""
        return decode_reply(body)

    def stream(self) -> ResponsesStreamDecoder:
        """A fresh decoder for one stream."""
        return ResponsesStreamDecoder()
