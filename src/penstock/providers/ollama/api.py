"""Ollama's own chat as the pipeline asks it."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatReply, ChatRequest
from penstock.core.tool_names import NameRule
from penstock.ports.translation import Addressee, Framing
from penstock.providers.ollama.request import encode_request
from penstock.providers.ollama.response import decode_reply
from penstock.providers.ollama.stream import OllamaStreamDecoder
from penstock.shapes.ollama import CHAT


class OllamaProvider:
    """`POST /api/chat`, whose streams are lines of JSON; replies of `/api/generate` can be read too."""

    __slots__ = ()
    shape = CHAT
    framing: Framing = "ndjson"
    names: NameRule | None = None

    def encode_request(self, request: ChatRequest, to: Addressee) -> dict[str, Any]:
        """The request's body. Raises UnsupportedError."""
        return encode_request(request, to)

    def decode_reply(self, body: dict[str, Any]) -> ChatReply:
        """The whole answer. Raises ShapeError."""
        return decode_reply(body)

    def stream(self) -> OllamaStreamDecoder:
        """A fresh decoder for one stream."""
        return OllamaStreamDecoder()
