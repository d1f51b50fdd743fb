"""Writing an exchange's answer to its client: whole, streamed, fixed, or an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from penstock.core.errors import CODES
from penstock.core.exchange import AttemptFacts, RequestFacts
from penstock.core.kept import Kept
from penstock.core.target import Target
from penstock.dialects.errors import ID_HEADERS, error_body, error_lines
from penstock.dialects.openai.static import static_answer, static_stream
from penstock.pipeline.heads import answer_lines, budget_line, cost_line, kept_lines, overhead_line
from penstock.ports.http_server import HttpRequest, Reply
from penstock.providers.openai.errors import MAX_TEXT, Failure, redact
from penstock.providers.openai.response import passed_headers
from penstock.shapes.openai_request import OpenAIRequest
from penstock.upstream.attempt import Attempt
from penstock.wire.http1 import header_safe

_JSON: Final = b"content-type: application/json\r\n"
_SSE: Final = b"content-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n"
# Heads of one vendor that mean nothing to another's client.
_THEIRS: Final = frozenset(
    {b"content-type", b"x-request-id", b"request-id", b"openai-version", b"openai-processing-ms"}
)
Finish = Callable[[], None]


class KeptHead:
    """What is told of a kept answer besides itself.

    `source` is `exact` or `semantic`, with the `similarity` of the question then. `degraded` says why it is
    given although it is too old, empty where it is not.
    """

    __slots__ = ("age_s", "body", "content_type", "degraded", "similarity", "source")

    def __init__(
        self, body: bytes, content_type: bytes, source: str, age_s: int, similarity: float, degraded: str
    ) -> None:
        self.body = body
        self.content_type = content_type
        self.source = source
        self.age_s = age_s
        self.similarity = similarity
        self.degraded = degraded


class Answering:
    """One answer. `first_us` is the time to the first byte of content."""

    __slots__ = ("_facts", "_headers", "_reply", "_request", "extra", "first_us", "received_at", "started")

    def __init__(self, reply: Reply, request: OpenAIRequest, facts: RequestFacts, http: HttpRequest) -> None:
        self._reply = reply
        self._request = request
        self._facts = facts
        self._headers = http.headers
        self.started = False
        self.extra = b""  # further header lines: what guards did
        self.first_us = 0
        self.received_at = http.received_at

    def _id_line(self, upstream: dict[bytes, bytes]) -> bytes:
        """SDKs show the vendor's header for it: the provider's own id where it is passed on, else ours."""
        name = ID_HEADERS.get(self._request.endpoint.dialect, b"x-request-id")
        if name in upstream:
            return b""
        return b"%b: %b\r\n" % (name, self._facts.request_id.encode())

    def _upstream_lines(self, attempt: Attempt) -> bytes:
        """What of the upstream's head the client sees, and what translation did."""
        codec = attempt.codec
        if codec is None:
            return passed_headers(attempt.headers) + self._id_line(attempt.headers) + self.extra
        headers = attempt.headers
        if codec.translated:
            kind = codec.stream_type if attempt.reader is not None else codec.content_type
            headers = {name: value for name, value in headers.items() if name not in _THEIRS}
            headers[b"content-type"] = kind
        warning = codec.warning()
        said = b"x-penstock-warning: %b\r\n" % header_safe(warning) if warning else b""
        return passed_headers(headers) + self._id_line(headers) + said + self.extra

    def start_stream(
        self, attempt: Attempt, route: str, now: float, budget_left: int | None, opened: int
    ) -> None:
        """The head of a stream; its cost is not known yet. `opened`: how many attempts have been made."""
        self.started = True
        self.first_us = int((now - self.received_at) * 1_000_000)
        lines = self._upstream_lines(attempt) + answer_lines(
            self._facts.request_id, route, attempt.target, opened, attempt.stage
        )
        if attempt.mode == "stream":
            lines += b"cache-control: no-cache\r\n"
        if budget_left is not None:
            lines += budget_line(budget_left)
        length = attempt.headers.get(b"content-length") if attempt.mode == "binary" else None
        self._reply.start(200, lines, int(length) if length is not None and length.isdigit() else None)

    def finish(
        self,
        attempt: Attempt,
        last: bytes,
        route: str,
        cost_nanousd: int | None,
        overhead_us: int,
        budget_left: int | None,
        opened: int,
    ) -> None:
        """The whole answer, or the last piece of a stream."""
        if self.started or attempt.mode in ("stream", "ended"):
            if not self.started:
                self.start_stream(attempt, route, attempt.ended_at, budget_left, opened)
            if self._headers.get(b"x-penstock-trailer") == b"1" and attempt.reader is not None:
                last = b": x-penstock-" + cost_line(cost_nanousd)[11:-2] + b"\n\n" + last
            self._reply.end(last)
            return
        lines = b"".join(
            (
                self._upstream_lines(attempt),
                answer_lines(self._facts.request_id, route, attempt.target, opened, attempt.stage),
                cost_line(cost_nanousd),
                overhead_line(overhead_us),
                budget_line(budget_left) if budget_left is not None else b"",
            )
        )
        self._reply.send(200, lines, last)

    def explain(self, failure: Failure, target: Target) -> str:
        """One sentence about an upstream's failure, its own words attached, secrets removed."""
        said = redact(failure.message, target.secrets + failure.secrets)[:MAX_TEXT]
        return f"{target.id}: {failure.cause.replace('_', ' ')}: {said}"

    def failure(
        self, failure: Failure, route: str, opened: int, settled: list[AttemptFacts]
    ) -> tuple[int, str, Finish]:
        """Status, code, and what writes the error."""
        target = failure.target
        lines = answer_lines(self._facts.request_id, route, target, opened)
        if not failure.code and failure.foreign and target is not None:
            code: str = "upstream_rejected"
            kind: str = "not_found" if failure.status == 404 else "invalid_request"
            body = self._error(code, kind, self.explain(failure, target))
            lines += (
                self._id_line({}) + _JSON + error_lines(self._request.endpoint.dialect, kind, failure.status)
            )
            return (
                failure.status,
                f"upstream_{failure.status}",
                lambda: self._reply.send(failure.status, lines, body),
            )
        if not failure.code and target is not None:
            body = redact(failure.body.decode("utf-8", "replace"), target.secrets + failure.secrets).encode()
            lines += passed_headers(failure.headers) + self._id_line(failure.headers)
            if b"content-type" not in failure.headers:
                lines += _JSON
            return (
                failure.status,
                f"upstream_{failure.status}",
                lambda: self._reply.send(failure.status, lines, body),
            )
        lines += self._id_line({}) + self.extra
        code = failure.code or "upstream_error"
        status, kind, _ = CODES[code]
        message = self.explain(failure, target) if target is not None else failure.message
        if len(settled) > 1:
            tried = ", ".join(f"{facts.target} ({facts.cause})" for facts in settled)
            message += f"; tried in order: {tried}"
        lines += _JSON
        if status in (429, 503) and failure.waiting_helps:
            wait_s = failure.retry_after_s if failure.retry_after_s is not None else 1.0
            lines += b"retry-after: %d\r\n" % max(1, int(wait_s + 0.999))
        if status == 402 or not failure.waiting_helps:
            lines += b"x-should-retry: false\r\n"
        lines += error_lines(self._request.endpoint.dialect, kind, status)
        body = self._error(code, kind, message)
        return status, code, lambda: self._reply.send(status, lines, body)

    def _error(self, code: str, kind: str, message: str) -> bytes:
        return error_body(self._request.endpoint.dialect, code, kind, message, None, self._facts.request_id)

    def counted(self, body: bytes, route: str, target: Target) -> Finish:
        """A number of tokens that we estimated ourselves, labelled so."""
        lines = answer_lines(self._facts.request_id, route, target, 0) + self._id_line({}) + cost_line(0)
        lines += _JSON + b"x-penstock-warning: estimated=input_tokens\r\n"
        return lambda: self._reply.send(200, lines, body)

    def kept(
        self,
        kept: Kept,
        head: KeptHead,
        route: str,
        opened: int,
        cost_nanousd: int | None,
        overhead_us: int,
        budget_left: int | None,
    ) -> Finish:
        """A kept answer, in the form in which it is asked for; the cost is that of attempts before it."""
        body, source = head.body, head.source
        lines = kept_lines(
            self._facts.request_id, route, kept.target, opened, source, kept.name, head.age_s
        ) + b"".join(
            (
                self._id_line({}),
                cost_line(cost_nanousd),
                overhead_line(overhead_us),
                budget_line(budget_left) if budget_left is not None else b"",
                b"content-type: %b\r\n" % head.content_type,
                b"x-penstock-cache-similarity: %.4f\r\n" % head.similarity if head.similarity else b"",
                b"x-penstock-degraded: %b\r\n" % head.degraded.encode() if head.degraded else b"",
            )
        )
        reply = self._reply
        if not self._request.stream:
            return lambda: reply.send(200, lines, body)

        def stream() -> None:
            reply.start(200, lines + b"cache-control: no-cache\r\n")
            reply.end(body)

        return stream

    def static(self, text: str, route: str, opened: int, now_s: int) -> Finish | None:
        """A fixed text, marked degraded; None where the endpoint has no text to answer with."""
        facts, endpoint = self._facts, self._request.endpoint.name
        lines = answer_lines(facts.request_id, route, None, opened) + b"x-penstock-degraded: static\r\n"
        lines += self._id_line({}) + cost_line(0)
        if self._request.stream:
            pieces = static_stream(endpoint, text, facts.model, facts.request_id, now_s)
            if pieces is None:
                return None
            reply, (first, last) = self._reply, pieces

            def stream() -> None:
                reply.start(200, _SSE + lines)
                reply.write(first)
                reply.end(last)

            return stream
        body = static_answer(endpoint, text, facts.model, facts.request_id, now_s)
        if body is None:
            return None
        return lambda: self._reply.send(200, _JSON + lines, body)
