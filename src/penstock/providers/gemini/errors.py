"""Google's error bodies: `{"error": {"code", "message", "status", "details"}}`, or a list of one.

Among the details `RetryInfo` says how long to wait, which no header does (`"retryDelay": "34.5s"`).
https://cloud.google.com/apis/design/errors, https://google.aip.dev/193
"""

from __future__ import annotations

import re
from typing import Any, cast

import msgspec

from penstock.shapes.openai import ErrorShape

_decode = msgspec.json.Decoder().decode
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")


def read_error(body: bytes) -> ErrorShape:
    """The error in a body, however much of one there is; `code` is the machine's reason where one is told."""
    try:
        value = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ErrorShape()
    return error_of(value) or ErrorShape()


def error_of(value: Any) -> ErrorShape | None:
    """The error in a decoded value; None where it has none."""
    if isinstance(value, list) and value:
        value = cast("list[Any]", value)[0]  # streamGenerateContent without alt=sse
    if not isinstance(value, dict):
        return None
    error = cast("dict[str, Any]", value).get("error")
    if isinstance(error, str):
        return ErrorShape(error)
    if not isinstance(error, dict):
        return None
    fields = cast("dict[str, Any]", error)
    message, status, code = fields.get("message"), fields.get("status"), fields.get("code")
    details: Any = fields.get("details")
    reason = _reason(details)
    if reason is None and isinstance(code, str | int) and not isinstance(code, bool):
        reason = code
    return ErrorShape(
        message if isinstance(message, str) else None,
        status if isinstance(status, str) else None,
        reason,
        _wait_s(details),
    )


def _reason(details: Any) -> str | int | None:
    for each in cast("list[Any]", details) if isinstance(details, list) else []:
        if isinstance(each, dict):
            reason = cast("dict[str, Any]", each).get("reason")
            if isinstance(reason, str):
                return reason
    return None


def _wait_s(details: Any) -> float | None:
    """Google's durations are decimal seconds with an `s` behind them."""
    for each in cast("list[Any]", details) if isinstance(details, list) else []:
        delay: Any = cast("dict[str, Any]", each).get("retryDelay") if isinstance(each, dict) else None
        found = _DURATION.fullmatch(delay) if isinstance(delay, str) else None
        if found is not None:
            return float(found[1])
    return None
