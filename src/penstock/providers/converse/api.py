"""Converse as a provider of chat."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatReply, ChatRequest
from penstock.core.errors import ShapeError
from penstock.core.tool_names import NameRule
from penstock.ports.translation import Addressee, Framing
from penstock.providers.converse.request import encode_request
from penstock.providers.converse.response import decode_reply
from penstock.providers.converse.stream import ConverseStreamDecoder
from penstock.shapes.converse import SHAPE


class ConverseProvider:
    """AWS Bedrock's Converse API."""

    shape: str = SHAPE
    framing: Framing = "aws"
    # https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolSpecification.html
    names: NameRule | None = NameRule(64)

    def encode_request(self, request: ChatRequest, to: Addressee) -> dict[str, Any]:
        """The request's body."""
        return encode_request(request, to)

    def decode_reply(self, body: dict[str, Any]) -> ChatReply:
        """The whole answer."""
        return decode_reply(body)

    def stream(self) -> ConverseStreamDecoder:
        """A fresh decoder for one stream."""
        return ConverseStreamDecoder()


def decode_count(body: dict[str, Any]) -> int:
    """The answer of `count-tokens`."""
    count = body.get("inputTokens")
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise ShapeError("inputTokens", "a whole number of zero or more")
    return count
