"""Errors in OpenAI's shape."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.core.events import Broke
from penstock.shapes.openai_chat import SHAPE
from penstock.shapes.taker import extras_of

# https://platform.openai.com/docs/guides/error-codes
TYPES = {
    "invalid_request": "invalid_request_error",
    "authentication": "authentication_error",
    "permission": "permission_error",
    "not_found": "not_found_error",
    "rate_limit": "rate_limit_error",
    "budget": "insufficient_quota",
    "upstream": "upstream_error",
    "unavailable": "server_error",
}
_encode = msgspec.json.Encoder().encode


def error_body(code: str, kind: str, message: str, param: str | None, request_id: str) -> bytes:
    """The JSON body of an error answer."""
    error = {"message": message, "type": TYPES[kind], "param": param, "code": code, "request_id": request_id}
    return _encode({"error": error})


def broke_object(broke: Broke) -> Any:
    """The `error` of a chunk; what came in this shape is as it came, but for what the pivot says."""
    own = broke.extras is not None and broke.extras.shape == SHAPE
    out = extras_of(broke.extras, SHAPE)
    if out.pop("~text", None):
        return broke.message
    numeric = out.pop("~code", None)
    if broke.message or not own:
        out["message"] = broke.message
    if broke.type or not own:
        out["type"] = broke.type or "upstream_error"
    if broke.code:
        out["code"] = int(broke.code) if numeric and broke.code.lstrip("-").isdigit() else broke.code
    elif not own:
        out["code"] = None
    if not own:
        out["param"] = None
    return out
