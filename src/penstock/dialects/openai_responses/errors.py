"""Refusals and failures in the Responses API's shape, as a body and as the events that end a stream."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.core.events import Broke

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
# The codes that a failed response may have, of those that a gateway has a use for.
_RATE_CODES = frozenset({"rate_limit_exceeded", "rate_limit_error", "upstream_rate_limited", "rate_limited"})
_encode = msgspec.json.Encoder().encode


def error_body(code: str, kind: str, message: str, param: str | None, request_id: str) -> bytes:
    """The JSON body of an error answer."""
    return _encode(
        {
            "error": {
                "message": message,
                "type": _TYPES.get(kind, "server_error"),
                "param": param,
                "code": code,
                "request_id": request_id,
            }
        }
    )


def error_event(error: Broke) -> dict[str, Any]:
    """The `error` event: the reference has its fields outside, OpenAI sends and SDKs raise those inside."""
    outside: dict[str, Any] = {"code": error.code or None, "message": error.message, "param": None}
    return {"type": "error", **outside, "error": {"type": error.type or "server_error", **outside}}


def response_error(error: Broke) -> dict[str, Any]:
    """The `error` of a failed response, whose codes are a closed list."""
    limited = error.status == 429 or error.code in _RATE_CODES or error.type in _RATE_CODES
    return {"code": "rate_limit_exceeded" if limited else "server_error", "message": error.message}
