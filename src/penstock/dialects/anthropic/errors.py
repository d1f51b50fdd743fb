"""Refusals and failures in Anthropic's shape: https://platform.claude.com/docs/en/api/errors."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.core.events import Broke
from penstock.ports.translation import WireEvent

_TYPES = {
    "invalid_request": "invalid_request_error",
    "authentication": "authentication_error",
    "permission": "permission_error",
    "not_found": "not_found_error",
    "rate_limit": "rate_limit_error",
    "budget": "billing_error",
    "upstream": "api_error",
    "unavailable": "overloaded_error",
}
# Codes for which this API has a type of its own.
_BY_CODE = {
    "body_too_large": "request_too_large",
    "upstream_timeout": "timeout_error",
    "internal_error": "api_error",
    "endpoint_not_built": "api_error",
}
_BY_STATUS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_KNOWN = frozenset({*_TYPES.values(), *_BY_CODE.values()})
_encode = msgspec.json.Encoder().encode


def _body(code: str, kind: str, message: str, param: str | None, request_id: str) -> dict[str, Any]:
    error: dict[str, Any] = {"type": _BY_CODE.get(code) or _TYPES[kind], "message": message, "code": code}
    if param is not None:
        error["param"] = param
    return {"type": "error", "error": error, "request_id": request_id}


def error_body(code: str, kind: str, message: str, param: str | None, request_id: str) -> bytes:
    """The JSON body of an error answer."""
    return _encode(_body(code, kind, message, param, request_id))


def error_event(code: str, kind: str, message: str, request_id: str) -> bytes:
    """An error inside a stream that has begun, framed."""
    return b"event: error\ndata: " + error_body(code, kind, message, None, request_id) + b"\n\n"


def broken(error: Broke) -> WireEvent:
    """A vendor's error in mid-stream as an event of this API."""
    kind = error.type if error.type in _KNOWN else _BY_STATUS.get(error.status, "api_error")
    return WireEvent("error", _encode({"type": "error", "error": {"type": kind, "message": error.message}}))
