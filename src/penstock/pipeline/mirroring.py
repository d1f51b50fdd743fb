"""Copies of requests to a candidate, after the answer: what it would have said, cost and taken.

The caller waits for nothing and pays for nothing: a copy starts once the answer is out, on an account of its
own, only where the candidate has room at once, and no more at a time than the route says.
"""

from __future__ import annotations

from hashlib import sha256

from penstock.admission.accounts import Allowance
from penstock.core.errors import Refusal
from penstock.core.exchange import AttemptFacts, RequestFacts, Subject
from penstock.core.fair_queue import LOW
from penstock.core.mirror_report import normal_form
from penstock.core.plan import Mirror, Route, VirtualKey
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.exchange import Exchange
from penstock.pipeline.inner import Sink
from penstock.pipeline.read_back import reply_of, text_of
from penstock.pipeline.tee import MAX_KEPT_BYTES as MAX_COMPARED_BYTES
from penstock.pipeline.tee import Tee
from penstock.ports.http_server import HttpRequest, Reply
from penstock.shapes.openai_request import OpenAIRequest
from penstock.upstream.attempt import Attempt

PURPOSE = "mirror"
# Whom copies are written down for: no tenant's spending.
SUBJECT = Subject("penstock", "", "", PURPOSE)
_KEY = VirtualKey(PURPOSE, b"", SUBJECT, direct=True, rank=LOW)
# A copy is a request of its own: a vendor must not take it for the one that it copies.
_NOT_COPIED = frozenset({b"idempotency-key", b"traceparent", b"tracestate"})


class Source:
    """What is copied: a request, whose it was, and what it was answered."""

    __slots__ = ("answer", "facts", "http", "key", "mirror", "request")

    def __init__(
        self, http: HttpRequest, request: OpenAIRequest, key: VirtualKey, facts: RequestFacts, mirror: Mirror
    ) -> None:
        self.http = http
        self.request = request
        self.key = key
        self.facts = facts
        self.mirror = mirror
        self.answer: bytes | None = None


class Mirrors:
    """Starts copies, a bounded number at a time for each route. `dropped` counts those that were not made."""

    def __init__(self, ctx: GatewayContext) -> None:
        self._ctx = ctx
        self._running: dict[str, int] = {}
        self.dropped = 0

    def told(
        self,
        reply: Reply,
        http: HttpRequest,
        request: OpenAIRequest,
        route: Route,
        key: VirtualKey,
        facts: RequestFacts,
    ) -> Reply:
        """The reply to give; for a request that is to be copied, one whose end begins the copy."""
        mirror = route.mirror
        if mirror is None or self._ctx.draw() * 100 >= mirror.percent:
            return reply
        source = Source(http, request, key, facts, mirror)
        return Tee(reply, lambda tee: self._ended(tee, source))

    def _ended(self, tee: Tee, source: Source) -> None:
        if tee.ended and tee.status == 200:
            source.answer = tee.answer()
            self.begin(source)

    def begin(self, source: Source) -> None:
        """Copy once the loop has done what is due for clients."""
        route = source.facts.route
        running = self._running.get(route, 0)
        if running >= source.mirror.most:
            self.dropped += 1
            return
        self._running[route] = running + 1
        self._ctx.clock.call_later(0.0, lambda: self._copy(source))

    def _copy(self, source: Source) -> None:
        try:
            exchange = self._exchange(source)
        except Refusal:  # what the caller requires is not met by the candidate
            self.dropped += 1
            self._over(source)
        else:
            exchange.start()

    def _over(self, source: Source) -> None:
        self._running[source.facts.route] -= 1

    def _exchange(self, source: Source) -> Mirrored:
        ctx, http, asked = self._ctx, source.http, source.facts
        route = source.mirror.route
        if source.key.scope is not None or route.requires is not None:
            route = ctx.resolver.held.of(route, source.key.scope, source.request.endpoint)
        facts = RequestFacts(
            ctx.new_request_id(),
            ctx.clock.now_ms(),
            asked.dialect,
            asked.endpoint,
            asked.route,
            asked.model,
            asked.stream,
            prompt_version=asked.prompt_version,
            feature=asked.feature,
            purpose=PURPOSE,
            parent=asked.request_id,
        )
        headers = {name: value for name, value in http.headers.items() if name not in _NOT_COPIED}
        copied = HttpRequest(
            http.method, http.path, http.query, headers, http.body, ctx.clock.monotonic(), http.peer
        )
        sink = Sink(lambda _status, _body: self._over(source))
        return Mirrored(ctx, copied, sink, source, route, facts)


class Mirrored(Exchange):
    """The exchange that a copy is. It waits for no room, and notes how its answer compares."""

    __slots__ = ("_sink", "_source")

    def __init__(
        self,
        ctx: GatewayContext,
        http: HttpRequest,
        sink: Sink,
        source: Source,
        route: Route,
        facts: RequestFacts,
    ) -> None:
        super().__init__(ctx, http, sink, source.request, route, _KEY, SUBJECT, Allowance([]), facts)
        self.patient = False
        self._sink = sink
        self._source = source

    def _complete(self, attempt: Attempt, last: bytes, facts: AttemptFacts | None) -> None:
        self._compare(self._sink.body() + last)
        super()._complete(attempt, last, facts)

    def _compare(self, answer: bytes) -> None:
        first = self._source.answer
        if first is None or len(answer) > MAX_COMPARED_BYTES:
            return
        endpoint, stream = self._request.endpoint, self._request.stream
        theirs = reply_of(endpoint, first, stream=stream)
        ours = reply_of(endpoint, answer, stream=stream)
        if theirs is None or ours is None:
            return
        finishes = [each.choices[0].finish or "" if each.choices else "" for each in (theirs, ours)]
        texts = [text_of(each) for each in (theirs, ours)]
        hashes = [sha256(each.encode("utf-8", "replace")).hexdigest()[:16] for each in texts]
        alike = hashes[0] == hashes[1] or normal_form(texts[0]) == normal_form(texts[1])
        self._notes["same_normal"] = "yes" if alike else "no"
        self._notes["same_text"] = "yes" if hashes[0] == hashes[1] else "no"
        self._notes["same_finish"] = "yes" if finishes[0] == finishes[1] else "no"
        self._notes["answer"], self._notes["parent_answer"] = hashes[1], hashes[0]
