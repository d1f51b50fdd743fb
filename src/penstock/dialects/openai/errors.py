"""Refusals and failures in OpenAI's shape, as a body and as an event of a stream."""

from __future__ import annotations

from typing import Any

import msgspec

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


def _error(code: str, kind: str, message: str, param: str | None, request_id: str) -> dict[str, Any]:
    return {
        "message": message,
        "type": _TYPES[kind],
        "param": param,
        "code": code,
        "request_id": request_id,
    }


def error_body(code: str, kind: str, message: str, param: str | None, request_id: str) -> bytes:
    """The JSON body of an error answer."""
    return _encode({"error": _error(code, kind, message, param, request_id)})


def error_event(shape: str, code: str, kind: str, message: str, request_id: str) -> bytes:
    """An error inside a stream that has begun: a data line for chunks, a typed event for the others."""
    if shape == "chunks":
        return b"data: " + error_body(code, kind, message, None, request_id) + b"\n\n"
    error = _error(code, kind, message, None, request_id)
    # The reference has the fields beside `type`; OpenAI sends, and SDKs raise, the ones inside `error`.
    outside = {name: error[name] for name in ("code", "message", "param")}
    return b"event: error\ndata: " + _encode({"type": "error", **outside, "error": error}) + b"\n\n"
