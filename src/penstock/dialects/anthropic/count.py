"""`/v1/messages/count_tokens`: https://platform.claude.com/docs/en/api/messages/count_tokens."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatRequest
from penstock.dialects.anthropic.decode import decode_request


def decode_count(body: dict[str, Any], model: str) -> ChatRequest:
    """What is to be counted: a request without a bound on its answer. Raises ShapeError."""
    return decode_request(body, model, stream=False)


def encode_count(input_tokens: int) -> dict[str, Any]:
    """The answer."""
    return {"input_tokens": input_tokens}
