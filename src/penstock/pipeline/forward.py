"""One request passed on to a vendor about something that it keeps, and its answer passed back."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from penstock.core.errors import CODES, Refusal
from penstock.core.target import Target
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.refusing import id_lines
from penstock.ports.clock import Timer
from penstock.ports.http_server import HttpRequest, Reply
from penstock.ports.transport import Call
from penstock.providers.openai.errors import failure_of_cause, failure_of_status, read_error, redact
from penstock.providers.openai.request import stored_request
from penstock.providers.openai.response import passed_headers
from penstock.upstream.attempt import MAX_ANSWER_BYTES, MAX_ERROR_BYTES


class Forwarded(NamedTuple):
    """A whole answer."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


Came = Callable[[Forwarded | Refusal | None], None]


class Forward:
    """Implements ports.transport.ResponseHandler. An event stream goes to the client as it comes.

    `lines` are ours for the head of such a stream.
    """

    __slots__ = (
        "_call",
        "_came",
        "_ctx",
        "_headers",
        "_http",
        "_lines",
        "_parts",
        "_reply",
        "_request_id",
        "_size",
        "_status",
        "_streams",
        "_target",
        "_timer",
    )

    def __init__(
        self,
        ctx: GatewayContext,
        http: HttpRequest,
        reply: Reply,
        target: Target,
        request_id: str,
        lines: bytes,
    ) -> None:
        self._ctx = ctx
        self._http = http
        self._reply = reply
        self._target = target
        self._request_id = request_id
        self._lines = lines
        self._came: Came | None = None
        self._call: Call | None = None
        self._timer: Timer | None = None
        self._status = 0
        self._headers: dict[bytes, bytes] = {}
        self._parts: list[bytes] = []
        self._size = 0
        self._streams = False

    def start(self, path: bytes, came: Came) -> None:
        """Send it; `came` is told the answer, once: None where it was streamed to the client."""
        self._came = came
        ctx, http, target = self._ctx, self._http, self._target
        timeouts = ctx.plan.direct_timeouts
        try:
            signed = ctx.credentials.bearer(target.signing, ctx.clock.now_ms())
        except Refusal as refusal:
            self._came = None
            came(refusal)
            return
        query, request_id = target.query or http.query, self._request_id.encode()
        request = stored_request(target, http.method, path, query, http.headers, request_id, signed)
        self._timer = ctx.clock.call_later(timeouts.total_s, self._late)
        call = ctx.transport.send(target.origin, request, self, timeouts.connect_s)
        if self._came is not None:
            self._call = call

    def cancel(self) -> None:
        """Give it up; nothing is told any more."""
        self._came = None
        self._stop()

    def pause(self) -> None:
        """The client is slow."""
        if self._call is not None:
            self._call.pause()

    def resume(self) -> None:
        """The client has caught up."""
        if self._call is not None:
            self._call.resume()

    def _late(self) -> None:
        self._fail("total_timeout", "nothing more in time")

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        call, self._call = self._call, None
        if call is not None:
            call.cancel()

    def _tell(self, answer: Forwarded | Refusal | None) -> None:
        came, self._came = self._came, None
        if self._timer is not None:
            self._timer.cancel()
        if came is not None:
            came(answer)

    def _fail(self, cause: str, detail: str) -> None:
        self._stop()
        if self._streams:
            self._reply.abort()
            self._tell(None)
            return
        failure = failure_of_cause(cause, detail)
        self._tell(Refusal(failure.code or "upstream_error", f"{self._target.provider}: {detail}"))

    # --- ports.transport.ResponseHandler ----------------------------------------------------------------

    def on_connected(self, *, reused: bool) -> None:
        """See ports.transport."""

    def on_head(self, status: int, headers: dict[bytes, bytes]) -> None:
        """Choose how the body passes."""
        self._status = status
        self._headers = headers
        if status == 200 and headers.get(b"content-type", b"").lower().startswith(b"text/event-stream"):
            self._streams = True
            ids = id_lines(self._request_id) if b"x-request-id" not in headers else b""
            self._reply.start(200, passed_headers(headers) + self._lines + ids + b"cache-control: no-cache\r\n")

    def on_data(self, data: bytes) -> None:
        """A piece of the body."""
        if self._came is None:
            return
        if self._streams:
            self._reply.write(data)
            return
        self._parts.append(data)
        self._size += len(data)
        if self._size > (MAX_ANSWER_BYTES if self._status == 200 else MAX_ERROR_BYTES):
            self._fail("garbage", "the answer is too large")

    def on_end(self) -> None:
        """The body is complete."""
        self._call = None
        if self._streams:
            self._tell(None)
            self._reply.end()
            return
        body = b"".join(self._parts)
        if self._status == 200:
            self._tell(Forwarded(200, self._headers, body))
            return
        failure = failure_of_status(self._status, body, None, read_error(body))
        said = redact(failure.message, self._target.secrets)
        if failure.code and failure.code in CODES:
            self._tell(Refusal(failure.code, f"{self._target.provider}: {said}"))
            return
        clean = redact(body.decode("utf-8", "replace"), self._target.secrets).encode()
        self._tell(Forwarded(self._status, self._headers, clean))

    def on_failure(self, cause: str, detail: str) -> None:
        """See ports.transport."""
        self._call = None
        self._fail(cause, detail)
