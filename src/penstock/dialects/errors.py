"""Refusals and failures in each dialect's own shape."""

from __future__ import annotations

from collections.abc import Callable

from penstock.dialects.openai.errors import error_body as openai_error

# (code, type, message, param, request id) -> the JSON body.
ErrorBody = Callable[[str, str, str, str | None, str], bytes]

_BODIES: dict[str, ErrorBody] = {"openai": openai_error}
_LINES: dict[str, Callable[[str, str], bytes]] = {}


def error_body(dialect: str, code: str, kind: str, message: str, param: str | None, request_id: str) -> bytes:
    """The JSON body of an error answer."""
    return _BODIES.get(dialect, openai_error)(code, kind, message, param, request_id)


def error_lines(dialect: str, code: str, kind: str) -> bytes:
    """Header lines that the dialect's clients read an error from; most have none."""
    lines = _LINES.get(dialect)
    return lines(code, kind) if lines is not None else b""
