"""Requests that the gateway itself makes, through the same pipeline as clients' own.

Each is an exchange with a purpose and a parent: reserved, journaled and charged like any other, without a
connection, and without a place in anybody's request rates: whom it is made for has been let in already.
"""

from __future__ import annotations

from collections.abc import Callable

from penstock.admission.accounts import Account, Allowance
from penstock.core.errors import CODES, Refusal
from penstock.core.exchange import RequestFacts, Subject
from penstock.core.plan import VirtualKey
from penstock.dialects.openai.decode import decode
from penstock.dialects.openai.endpoints import ENDPOINTS
from penstock.dialects.openai.errors import error_body
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.exchange import Exchange
from penstock.ports.clock import Timer
from penstock.ports.http_server import HttpRequest, ReplyListener
from penstock.ports.inner_call import MAX_DEPTH, InnerAnswer

MAX_ANSWER_BYTES = 32 * 1024 * 1024
_JSON = b"application/json"
# What the configuration names may be named, whatever the caller's own key allows.
_CONFIGURED = VirtualKey("configured", b"", Subject(), direct=True)


class Sink:
    """Implements Reply: keeps an answer, and tells when it is over; `status` 0 where it broke off."""

    __slots__ = ("_over", "_pieces", "_then", "bytes_out", "listener", "status")

    def __init__(self, then: Callable[[int, bytes], None]) -> None:
        self.listener: ReplyListener | None = None
        self.bytes_out = 0
        self.status = 0
        self._pieces: list[bytes] = []
        self._over = False
        self._then = then

    def body(self) -> bytes:
        """What there is of it so far."""
        return b"".join(self._pieces)

    def send(self, status: int, headers: bytes, body: bytes) -> None:
        """See Reply."""
        self.start(status, headers)
        self.end(body)

    def start(self, status: int, headers: bytes, length: int | None = None) -> None:
        """See Reply. There is nobody to read the head."""
        del headers
        self.status = status if length is None or length <= MAX_ANSWER_BYTES else 0

    def write(self, data: bytes) -> None:
        """See Reply. Past `MAX_ANSWER_BYTES` nothing is kept, and the answer is no answer."""
        self.bytes_out += len(data)
        if self.bytes_out > MAX_ANSWER_BYTES:
            self.status = 0
            self._pieces.clear()
        else:
            self._pieces.append(data)

    def end(self, data: bytes = b"") -> None:
        """See Reply."""
        self.write(data)
        self._finish()

    def abort(self) -> None:
        """See Reply."""
        self.status = 0
        self._finish()

    def _finish(self) -> None:
        if not self._over:
            self._over = True
            self._then(self.status, self.body() if self.status else b"")


class Asked:
    """Implements InnerCall. The answer is told in a later turn of the loop, once."""

    __slots__ = ("_ctx", "_exchange", "_then", "_timer", "request_id")

    def __init__(self, ctx: GatewayContext, request_id: str, then: Callable[[InnerAnswer], None]) -> None:
        self.request_id = request_id
        self._ctx = ctx
        self._then: Callable[[InnerAnswer], None] | None = then
        self._exchange: Exchange | None = None
        self._timer: Timer | None = None

    def begin(self, exchange: Exchange, deadline_s: float) -> None:
        """Start the exchange."""
        self._exchange = exchange
        self._timer = self._ctx.clock.call_later(deadline_s, self._late)
        exchange.start()

    def over(self, status: int, body: bytes) -> None:
        """The answer is there."""
        self._exchange = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._ctx.clock.call_later(0.0, lambda: self._tell(InnerAnswer(status, body, self.request_id)))

    def _tell(self, answer: InnerAnswer) -> None:
        then, self._then = self._then, None
        if then is not None:
            then(answer)

    def _late(self) -> None:
        self._timer = None
        exchange = self._exchange
        if exchange is not None:
            exchange.client_gone()
            self.over(0, b"")

    def cancel(self) -> None:
        """See InnerCall."""
        self._then = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.client_gone()


class Asker:
    """Implements InnerCalls for one exchange. `depth`: how many calls it is itself inside of.

    Without patience a call that finds no room fails at once.
    """

    __slots__ = ("_allowance", "_ctx", "_depth", "_facts", "_key", "_patient", "_subject")

    def __init__(
        self,
        ctx: GatewayContext,
        key: VirtualKey,
        subject: Subject,
        facts: RequestFacts,
        accounts: list[Account],
        depth: int,
        *,
        patient: bool = True,
    ) -> None:
        self._patient = patient
        self._ctx = ctx
        self._key = key
        self._subject = subject
        self._facts = facts
        self._depth = depth
        self._allowance = spending_only(accounts)

    def ask(
        self, path: str, body: bytes, purpose: str, deadline_s: float, then: Callable[[InnerAnswer], None]
    ) -> Asked:
        """See InnerCalls."""
        ctx = self._ctx
        asked = Asked(ctx, ctx.new_request_id(), then)
        try:
            exchange = self._exchange(asked, path, body, purpose)
        except Refusal as refusal:
            status, kind, _ = CODES[refusal.code]
            asked.over(status, error_body(refusal.code, kind, str(refusal), None, asked.request_id))
        else:
            asked.begin(exchange, deadline_s)
        return asked

    def _exchange(self, asked: Asked, path: str, body: bytes, purpose: str) -> Exchange:
        if self._depth >= MAX_DEPTH:
            raise Refusal("session_exhausted", f"calls within calls go {MAX_DEPTH} deep, and no deeper")
        ctx, endpoint = self._ctx, ENDPOINTS[path]
        request = decode(endpoint, body, _JSON)
        route = ctx.resolver.resolve(request.model, _CONFIGURED)
        if self._key.scope is not None or route.requires is not None:
            route = ctx.resolver.held.of(route, self._key.scope, endpoint)
        facts = RequestFacts(
            asked.request_id,
            ctx.clock.now_ms(),
            endpoint.dialect,
            endpoint.name,
            route.name,
            request.model,
            request.stream,
            session=self._facts.session,
            task=self._facts.task,
            tags=self._facts.tags,
            purpose=purpose,
            parent=self._facts.request_id,
        )
        http = HttpRequest(b"POST", path, b"", {b"content-type": _JSON}, body, ctx.clock.monotonic(), "")
        sink = Sink(asked.over)
        exchange = Exchange(ctx, http, sink, request, route, self._key, self._subject, self._allowance, facts)
        exchange.depth = self._depth + 1
        exchange.patient = self._patient
        return exchange


def spending_only(accounts: list[Account]) -> Allowance:
    """The budgets and token rates of accounts, without their rates of requests and their slots."""
    allowance = Allowance(accounts)
    allowance.requests, allowance.slots = [], []
    return allowance
