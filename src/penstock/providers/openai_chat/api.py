"""The chat completions API as the pipeline sees it."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatReply, ChatRequest
from penstock.core.tool_names import NameRule
from penstock.ports.translation import Addressee, Framing, StreamDecoder
from penstock.providers.openai_chat.request import encode_request
from penstock.providers.openai_chat.response import decode_reply
from penstock.providers.openai_chat.stream import ChatStream
from penstock.shapes.openai_chat import SHAPE


class OpenaiChatProvider:
    """`POST …/chat/completions` of OpenAI, Azure and compatible vendors."""

    shape = SHAPE
    framing: Framing = "sse"
    # https://platform.openai.com/docs/api-reference/chat/create#chat_create-tools
    names: NameRule | None = NameRule(64)

    def encode_request(self, request: ChatRequest, to: Addressee) -> dict[str, Any]:
        """The request's body."""
        return encode_request(request, to)

    def decode_reply(self, body: dict[str, Any]) -> ChatReply:
        """The whole answer."""
        return decode_reply(body)

    def stream(self) -> StreamDecoder:
        """A decoder for one stream."""
        return ChatStream()
