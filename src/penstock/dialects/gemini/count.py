"""`models/*:countTokens` as clients ask it: https://ai.google.dev/api/tokens."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from penstock.core.chat import ChatRequest, ReplyUsage
from penstock.core.parts import Extras
from penstock.dialects.gemini.decode import decode_request
from penstock.shapes.gemini import SHAPE
from penstock.shapes.gemini.reader import Reader, own_fields


def decode_count(body: dict[str, Any], model: str) -> ChatRequest:
    """What is to be counted: contents alone, or a whole request. Raises ShapeError."""
    reader = Reader(body, strict=True)
    inner = reader.value("generateContentRequest")
    if inner is None:
        return decode_request(body, model, stream=False)
    request = decode_request(inner, model, stream=False)
    return replace(request, extras=Extras(SHAPE, {**own_fields(request.extras), "~count": reader.left()}))


def encode_count(usage: ReplyUsage) -> dict[str, Any]:
    """The answer; `usage` has the tokens of the input."""
    out = dict(own_fields(usage.extras))
    out["totalTokens"] = usage.counts.input_tokens
    if usage.counts.cache_read_tokens:
        out["cachedContentTokenCount"] = usage.counts.cache_read_tokens
    return out
