"""The Messages API as one of the provider APIs."""

from __future__ import annotations

from typing import Any, Literal

from penstock.core.chat import ChatReply, ChatRequest
from penstock.core.tool_names import NameRule
from penstock.ports.translation import Addressee, Framing
from penstock.providers.anthropic.request import encode_request
from penstock.providers.anthropic.response import decode_reply
from penstock.providers.anthropic.stream import AnthropicStreamDecoder
from penstock.shapes.anthropic import SHAPE

Cloud = Literal["", "vertex", "bedrock"]
# https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai
_VERSIONS = {"vertex": "vertex-2023-10-16", "bedrock": "bedrock-2023-05-31"}


class AnthropicProvider:
    """Anthropic and who speaks its API; on a `cloud` the path names the model, the body the version.

    Bedrock's `invoke` takes no `stream` in the body: its path says that, too.
    """

    shape = SHAPE
    framing: Framing = "sse"
    # https://platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools
    names: NameRule | None = NameRule(128)

    def __init__(self, cloud: Cloud = "") -> None:
        self._cloud: Cloud = cloud

    def encode_request(self, request: ChatRequest, to: Addressee) -> dict[str, Any]:
        """The request's body. Raises UnsupportedError."""
        body = encode_request(request, to)
        if self._cloud:
            body.pop("model", None)
            body.setdefault("anthropic_version", _VERSIONS[self._cloud])
        if self._cloud == "bedrock":
            body.pop("stream", None)
        return body

    def decode_reply(self, body: dict[str, Any]) -> ChatReply:
        """The whole answer. Raises ShapeError."""
        return decode_reply(body)

    def stream(self) -> AnthropicStreamDecoder:
        """A fresh decoder for one stream."""
        return AnthropicStreamDecoder()
