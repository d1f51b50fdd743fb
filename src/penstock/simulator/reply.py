"""What an endpoint answers, before any fault or timing is applied, and the errors in OpenAI's shape."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from penstock.simulator.behaviour import Behaviour

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


class Api(NamedTuple):
    """What all endpoints of one vendor's API share, whatever they answer.

    `error` makes the reply for a status, a message (empty: the usual one of the status) and the request's
    digest. `wrong_key` is the status and the message for a key that is not the right one. `id_header` carries
    the request's id, `id_form` says how it is written, and `head` is header lines that every answer has.
    `garbage` is a body that breaks off in the middle of its JSON.
    """

    error: Callable[[int, str, str], Reply]
    wrong_key: tuple[int, str]
    id_header: str
    id_form: str
    head: str
    garbage: bytes


def _openai_error(status: int, message: str, _digest: str) -> Reply:
    return error_reply(status, message)


OPENAI = Api(
    error=_openai_error,
    wrong_key=(401, ""),
    id_header="x-request-id",
    id_form="req_{}",
    head="openai-version: 2020-10-01\r\nx-ratelimit-limit-requests: 10000\r\n",
    garbage=b'{"id": "chatcmpl-garbage", "choices": [{"index": 0, "mess',
)
_BROKEN_EVENT = b'data: {"id":"chatcmpl-broken","choices":[{"index":0,"del\n\n'


class Refused(Exception):  # noqa: N818 - what happened to the request, not what went wrong here
    """A request that this API does not take; becomes an error in the API's own shape."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message, self.status = message, status


class Reply(msgspec.Struct):
    """An answer: either a `body`, or `events` (complete ones, made one by one as they are sent).

    `tokens` is how many a model would have had to write before the body is complete; `error_event` is how
    this API reports an error in the middle of a stream, and `broken_event` one whose JSON breaks off.
    """

    status: int = 200
    content_type: str = JSON_TYPE
    body: bytes = b""
    events: Iterator[bytes] | None = None
    tokens: int = 0
    digest: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    error_event: bytes = b""
    broken_event: bytes = _BROKEN_EVENT
    api: Api = OPENAI


Answer = Callable[[Behaviour, int], Reply]


class Prepared(NamedTuple):
    """A request that was understood; `answer` takes the behaviour and the simulator's seed."""

    model: str
    stream: bool
    user: str
    answer: Answer


class Request(NamedTuple):
    """What an API other than OpenAI's reads: the model and the action of the path, and all the rest."""

    model: str
    action: str
    query: str
    headers: dict[str, str]
    body: bytes


def json_reply(value: object, digest: str, tokens: int = 0, api: Api = OPENAI) -> Reply:
    """A 200 with this value as JSON."""
    return Reply(body=msgspec.json.encode(value), digest=digest, tokens=tokens, api=api)


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
