"""A refusal written to its client, in the shape of its dialect."""

from __future__ import annotations

from penstock.core.errors import Refusal
from penstock.dialects.errors import ID_HEADERS, error_body, error_lines, status_of
from penstock.ports.http_server import Reply

JSON = b"content-type: application/json\r\n"


def send_refusal(reply: Reply, refusal: Refusal, request_id: str, dialect: str = "openai") -> None:
    """Answer with the refusal."""
    lines = JSON + id_lines(request_id, dialect) + error_lines(dialect, refusal.type, refusal.status)
    if refusal.retry_after_s is not None:
        lines += b"retry-after: %d\r\n" % max(1, int(refusal.retry_after_s + 0.999))
    if refusal.status == 402:
        lines += b"x-should-retry: false\r\n"
    reply.send(
        status_of(dialect, refusal.status),
        lines,
        error_body(dialect, refusal.code, refusal.type, str(refusal), refusal.param, request_id),
    )


def id_lines(request_id: str, dialect: str = "openai") -> bytes:
    """The request's id, in our header and in the one that the dialect's SDKs read."""
    text = request_id.encode()
    if dialect in ID_HEADERS:
        return b"x-penstock-request-id: %b\r\n%b: %b\r\n" % (text, ID_HEADERS[dialect], text)
    return b"x-penstock-request-id: %b\r\nx-request-id: %b\r\n" % (text, text)
