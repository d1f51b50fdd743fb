"""What an endpoint answers, before any fault or timing is applied, and the errors in OpenAI's shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

JSON_TYPE = "application/json"
SSE_TYPE = "text/event-stream; charset=utf-8"
DONE = b"data: [DONE]\n\n"

# status → (type, code, message), as OpenAI words its errors; 529 is Anthropic's "overloaded".
_ERRORS: dict[int, tuple[str, str | None, str]] = {
    400: ("invalid_request_error", "invalid_value", "Simulated: the request is not valid."),
    401: ("invalid_request_error", "invalid_api_key", "Simulated: incorrect API key provided."),
    403: ("invalid_request_error", "unsupported_country_region_territory", "Simulated: not allowed."),
    404: ("invalid_request_error", "model_not_found", "Simulated: the model does not exist."),
    413: ("invalid_request_error", "request_too_large", "Simulated: the request is too large."),
    429: ("requests", "rate_limit_exceeded", "Simulated: rate limit reached; please try again in 1s."),
    500: ("server_error", None, "Simulated: the server had an error while processing your request."),
    503: ("server_error", None, "Simulated: the engine is overloaded, please try again later."),
    529: ("overloaded_error", None, "Simulated: overloaded."),
}


class Reply(msgspec.Struct):
    """An answer: either a `body`, or `events` (complete SSE events, made one by one as they are sent).

    `tokens` is how many a model would have had to write before the body is complete; `error_event` is how
    this API reports an error in the middle of a stream.
    """

    status: int = 200
    content_type: str = JSON_TYPE
    body: bytes = b""
    events: Iterator[bytes] | None = None
    tokens: int = 0
    digest: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    error_event: bytes = b""


def json_reply(value: object, digest: str, tokens: int = 0) -> Reply:
    """A 200 with this value as JSON."""
    return Reply(body=msgspec.json.encode(value), digest=digest, tokens=tokens)


def event(value: object) -> bytes:
    """One SSE event without a type, as chat and legacy completions send them."""
    return b"data: " + msgspec.json.encode(value) + b"\n\n"


def typed_event(kind: str, value: object) -> bytes:
    """One SSE event with its type on its own line, as the responses API sends them."""
    return b"event: " + kind.encode() + b"\ndata: " + msgspec.json.encode(value) + b"\n\n"


def error_value(status: int, message: str = "", code: str | None = None, param: str | None = None) -> Any:
    """The JSON of an error in OpenAI's shape; a message that is not given is the usual one of the status."""
    fallback = _ERRORS[400] if status < 500 else _ERRORS[500]
    kind, usual_code, usual = _ERRORS.get(status, fallback)
    return {
        "error": {
            "message": message or usual,
            "type": kind,
            "param": param,
            "code": code if message else usual_code,
        }
    }


def error_reply(
    status: int,
    message: str = "",
    code: str | None = None,
    param: str | None = None,
    *headers: tuple[str, str],
) -> Reply:
    """An error in OpenAI's shape; without a message, the usual one of the status."""
    value = error_value(status, message, code, param)
    return Reply(status=status, body=msgspec.json.encode(value), headers=headers)


STREAM_ERROR = event(error_value(500))
