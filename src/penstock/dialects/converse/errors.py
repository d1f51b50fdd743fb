"""Refusals and failures in Bedrock's shape: a body, and the header that names the exception.

SDKs take the exception's class from `x-amzn-errortype`, or from `__type`; the gateway's own code and the
request id stand in the body beside the message.
"""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.shapes.converse.faults import error_type

_STATUS = {
    "invalid_request": 400,
    "authentication": 401,
    "permission": 403,
    "not_found": 404,
    "rate_limit": 429,
    "budget": 402,
    "upstream": 502,
    "unavailable": 503,
}
_encode = msgspec.json.Encoder().encode


def error_body(code: str, kind: str, message: str, param: str | None, request_id: str) -> bytes:
    """The JSON body of an error answer."""
    body: dict[str, Any] = {"message": message, "__type": error_type(_STATUS[kind])}
    body |= {"code": code, "request_id": request_id}
    if param is not None:
        body["param"] = param
    return _encode(body)


def error_headers(kind: str, request_id: str, status: int = 0) -> list[tuple[str, str]]:
    """The header lines of an error answer; a status, where known, names it more exactly."""
    return [
        ("x-amzn-errortype", error_type(status or _STATUS[kind])),
        ("x-amzn-requestid", request_id),
    ]
