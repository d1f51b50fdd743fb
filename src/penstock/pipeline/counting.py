"""Counting a request's tokens: at a vendor that does it, else by the ratio learnt from the target's answers."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.core.chat import ReplyUsage
from penstock.core.target import Target
from penstock.core.usage import Usage
from penstock.dialects.anthropic.count import encode_count as anthropic_count
from penstock.dialects.gemini.count import encode_count as gemini_count
from penstock.dialects.openai_responses.count import encode_count as responses_count
from penstock.shapes.openai_request import OpenAIRequest

_encode = msgspec.json.Encoder().encode


def counts(target: Target, request: OpenAIRequest) -> bool:
    """Whether the target's vendor counts this request; only one that speaks the client's own API is asked."""
    return request.endpoint.shape in target.speaks


def estimated(request: OpenAIRequest, tokens: int) -> bytes:
    """The answer in the client's dialect."""
    body: dict[str, Any]
    if request.endpoint.dialect == "anthropic":
        body = anthropic_count(tokens)
    elif request.endpoint.dialect == "openai":
        body = responses_count(tokens)
    else:
        body = gemini_count(ReplyUsage(Usage(input_tokens=tokens)))
    return _encode(body)
