"""Google's chat API, as the pipeline asks for it."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatReply, ChatRequest
from penstock.core.tool_names import NameRule
from penstock.ports.translation import Addressee, Framing
from penstock.providers.gemini.request import encode_request
from penstock.providers.gemini.response import decode_reply
from penstock.providers.gemini.stream import GeminiStreamDecoder
from penstock.shapes.gemini import SHAPE


class GeminiProvider:
    """generateContent, and streamGenerateContent with `alt=sse`, of the Gemini API and of Vertex AI."""

    shape = SHAPE
    framing: Framing = "sse"
    # https://ai.google.dev/api/caching#FunctionDeclaration
    names: NameRule | None = NameRule(64, more=":.-", digit_first=False)

    def encode_request(self, request: ChatRequest, to: Addressee) -> dict[str, Any]:
        """The request's body. Raises UnsupportedError."""
        return encode_request(request, to)

    def decode_reply(self, body: dict[str, Any]) -> ChatReply:
        """The whole answer. Raises ShapeError."""
        return decode_reply(body)

    def stream(self) -> GeminiStreamDecoder:
        """A fresh decoder for one stream."""
        return GeminiStreamDecoder()
