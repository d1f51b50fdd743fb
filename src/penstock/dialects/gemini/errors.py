"""Refusals and failures in Google's shape: https://cloud.google.com/apis/design/errors."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.core.errors import CODES
from penstock.core.events import Broke

_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "RESOURCE_EXHAUSTED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_CODE = {name: code for code, name in reversed(_STATUS.items())}
_KINDS = {
    "invalid_request": 400,
    "authentication": 401,
    "permission": 403,
    "not_found": 404,
    "rate_limit": 429,
    "budget": 402,
    "upstream": 502,
    "unavailable": 503,
}
_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
_FIELD = "type.googleapis.com/google.rpc.BadRequest"
_encode = msgspec.json.Encoder().encode


def status_name(status: int) -> str:
    """Google's name of an HTTP status."""
    found = _STATUS.get(status)
    if found is not None:
        return found
    return "INVALID_ARGUMENT" if 400 <= status < 500 else "INTERNAL"


def error_body(
    code: str, kind: str, message: str, param: str | None, request_id: str, status: int = 0
) -> bytes:
    """The JSON body of an error answer; `status` is the HTTP status, by default the code's own."""
    http = status or (CODES[code][0] if code in CODES else _KINDS.get(kind, 500))
    details: list[dict[str, Any]] = [
        {"@type": _INFO, "reason": code.upper(), "domain": "penstock", "metadata": {"request_id": request_id}}
    ]
    if param is not None:
        details.append({"@type": _FIELD, "fieldViolations": [{"field": param, "description": message}]})
    error = {"code": http, "message": message, "status": status_name(http), "details": details}
    return _encode({"error": error})


def stream_error(error: Broke) -> bytes:
    """An error inside a stream: Google sends the same object as an event."""
    status = error.status or _CODE.get(error.type, 500)
    name = error.type if error.type in _CODE else status_name(status)
    body: dict[str, Any] = {"code": status, "message": error.message, "status": name}
    if error.code:
        body["details"] = [{"@type": _INFO, "reason": error.code.upper(), "domain": "penstock"}]
    return _encode({"error": body})
