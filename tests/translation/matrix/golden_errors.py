"""What a client of each dialect gets for a vendor's errors: by the pipeline's own words."""

from __future__ import annotations

import json
from typing import Any, cast

from penstock.core.exchange import RequestFacts
from penstock.core.origin import Origin
from penstock.core.target import Target
from penstock.dialects.openai.endpoints import ENDPOINTS
from penstock.dialects.paths import find
from penstock.pipeline.answer import Answering
from penstock.pipeline.translation import broken_event
from penstock.ports.http_server import HttpRequest, ReplyListener
from penstock.providers.openai.errors import failure_of_event, failure_of_status
from penstock.providers.registry import chat_provider
from penstock.shapes.openai_request import OpenAIRequest
from penstock.upstream.framing import framer, opened
from penstock.upstream.meter import Meter
from penstock.upstream.vendor_error import error_of, told_error
from tests.translation.matrix.vendor_errors import BREAKS, ERRORS

_PATHS = {
    "openai.chat": "/v1/chat/completions",
    "openai.completions": "/v1/completions",
    "openai.responses": "/v1/responses",
    "anthropic": "/v1/messages",
    "gemini": "/v1beta/models/m:streamGenerateContent",
    "converse": "/model/m/converse-stream",
}
_SHOWN = ("retry-after", "x-should-retry", "x-amzn-errortype")


class _Kept:
    """Implements ports.http_server.Reply: what was sent."""

    def __init__(self) -> None:
        self.listener: ReplyListener | None = None
        self.bytes_out = 0
        self.told: dict[str, Any] = {}

    def send(self, status: int, headers: bytes, body: bytes) -> None:
        lines = [line.partition(": ") for line in headers.decode().split("\r\n") if line]
        shown = {name.lower(): value for name, _, value in lines if name.lower() in _SHOWN}
        self.told = {"status": status, **shown, "body": json.loads(body)}

    def start(self, status: int, headers: bytes, length: int | None = None) -> None:
        raise AssertionError(status, headers, length)

    def write(self, data: bytes) -> None:
        raise AssertionError(data)

    def end(self, data: bytes = b"") -> None:
        raise AssertionError(data)

    def abort(self) -> None:
        raise AssertionError("an error is whole")


def _request(dialect: str) -> OpenAIRequest:
    path = _PATHS[dialect]
    found = find(path)
    endpoint = ENDPOINTS[path] if found is None else found.endpoint
    return OpenAIRequest(
        endpoint=endpoint,
        model="a-route",
        stream=True,
        wants_usage=True,
        cap=None,
        cap_field=None,
        choices=1,
        prompt_chars=0,
        metadata={},
    )


def _target(shape: str) -> Target:
    return Target(
        id=f"some/{shape}", provider="p", kind="k", model="m", model_json=b'"m"',
        origin=Origin("http", "127.0.0.1", 1), base_path=b"", auth=b"", secrets=(), api=shape,
    )  # fmt: skip


_FACTS = RequestFacts("req-1", 1_700_000_000_000, "d", "e", "a-route", "a-route")


def told_errors(target: str, dialect: str) -> dict[str, Any]:
    """By name, the status, the heads that clients heed, and the body."""
    found: dict[str, Any] = {}
    for name, (status, value) in ERRORS[target].items():
        body = json.dumps(value).encode()
        failure = failure_of_status(status, body, None, error_of(target, body))
        failure.target, failure.foreign = _target(target), target != dialect
        reply = _Kept()
        http = HttpRequest(b"POST", _PATHS[dialect], b"", {}, b"", 0.0, "")
        _, _, send = Answering(reply, _request(dialect), _FACTS, http).failure(failure, "a-route", 1, [])
        send()
        found[name] = reply.told
    return found


def told_break(target: str, dialect: str) -> Any:
    """The event that a stream ends with; None where the vendor has none, or the client's API."""
    given: Any = BREAKS.get(target)
    if given is None:
        return None
    name, value = cast("tuple[str, Any]", given) if isinstance(given, tuple) else (given.get("type", ""), given)
    meter = Meter()
    meter.see(chat_provider(target).stream().read(name, json.dumps(value).encode()))
    assert meter.broke is not None
    failure = failure_of_event(told_error(meter.broke))
    code = failure.code or "upstream_error"
    data = broken_event(_request(dialect), b"alt=sse", code, failure.message, _FACTS)
    framing = "aws" if dialect == "converse" else "sse"
    told: list[Any] = []
    for event in framer(framing).feed(data):
        wire = opened(framing, event)
        told.append({wire.name: json.loads(wire.data)} if wire.name else json.loads(wire.data))
    return told
