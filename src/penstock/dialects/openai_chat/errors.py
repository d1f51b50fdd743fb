"""Errors in OpenAI's shape."""

from __future__ import annotations

import msgspec

# https://platform.openai.com/docs/guides/error-codes
_TYPES = {
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
    error = {"message": message, "type": _TYPES[kind], "param": param, "code": code, "request_id": request_id}
    return _encode({"error": error})
