"""Refusals and failures in each dialect's own shape."""

from __future__ import annotations

from collections.abc import Callable

from penstock.dialects.anthropic.errors import error_body as anthropic_error
from penstock.dialects.converse.errors import error_body as converse_error
from penstock.dialects.converse.errors import error_headers as converse_headers
from penstock.dialects.gemini.errors import error_body as gemini_error
from penstock.dialects.openai.errors import error_body as openai_error

# (code, type, message, param, request id) -> the JSON body.
ErrorBody = Callable[[str, str, str, str | None, str], bytes]

_BODIES: dict[str, ErrorBody] = {
    "openai": openai_error,
    "anthropic": anthropic_error,
    "gemini": gemini_error,
    "converse": converse_error,
}
# Where each vendor's SDK looks for a request id, if not in x-request-id.
ID_HEADERS = {"anthropic": b"request-id", "converse": b"x-amzn-requestid"}


def error_body(dialect: str, code: str, kind: str, message: str, param: str | None, request_id: str) -> bytes:
    """The JSON body of an error answer."""
    return _BODIES.get(dialect, openai_error)(code, kind, message, param, request_id)


def status_of(dialect: str, status: int) -> int:
    """The status by which the dialect's vendor answers: AWS has 403 for a credential that it does not know.

    https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html
    """
    return 403 if dialect == "converse" and status == 401 else status


def error_lines(dialect: str, kind: str, status: int) -> bytes:
    """Header lines that the dialect's clients read an error from; most have none."""
    if dialect != "converse":
        return b""
    fields = converse_headers(kind, "", status)
    return b"".join([f"{name}: {value}\r\n".encode() for name, value in fields if value])
