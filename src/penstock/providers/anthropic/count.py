"""Counting tokens at the vendor: https://platform.claude.com/docs/en/api/messages/count_tokens."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatRequest
from penstock.core.errors import ShapeError
from penstock.ports.translation import Addressee
from penstock.providers.anthropic.request import encode_request
from penstock.shapes.anthropic import own

_COUNTED = frozenset({"model", "messages", "system", "tools", "tool_choice", "thinking", "output_config"})


def encode_count(request: ChatRequest, to: Addressee) -> dict[str, Any]:
    """The body that asks how many tokens a request has. Raises UnsupportedError."""
    body = encode_request(request, to)
    if own(request.extras):
        return body
    return {name: value for name, value in body.items() if name in _COUNTED}


def decode_count(body: dict[str, Any]) -> int:
    """The number. Raises ShapeError."""
    count = body.get("input_tokens")
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise ShapeError("input_tokens", "a whole number of zero or more")
    return count
