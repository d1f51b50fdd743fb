"""Active probes: requests of our own to targets that nobody has used for a while, where the configuration asks.

A probe that asks the model is an exchange like any other, with its row in the ledger (purpose `probe`, on the
operator's account) and its reservation; one that only connects costs nothing.
"""

from __future__ import annotations

from typing import Final

from penstock.admission.accounts import Allowance
from penstock.core.exchange import RequestFacts, Subject
from penstock.core.health import CLOSED, Fault
from penstock.core.health_rules import Place, ProbeRule
from penstock.core.plan import Route, Timeouts, VirtualKey
from penstock.core.policy import TargetNode
from penstock.core.retry import RetryRule
from penstock.core.target import Target
from penstock.dialects.openai.decode import decode
from penstock.dialects.openai.endpoints import ENDPOINTS
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.exchange import Exchange
from penstock.ports.http_server import HttpRequest, ReplyListener
from penstock.ports.transport import Call
from penstock.routing.trees import targets_of

PURPOSE: Final = "probe"
ROUTE: Final = "penstock:probe"
TICK_S: Final = 0.5
_PATH: Final = "/v1/chat/completions"
_BODY: Final = b'{"model":"probe","max_tokens":1,"messages":[{"role":"user","content":"Say yes."}]}'
_SUBJECT: Final = Subject("default", "", "", ROUTE)
_KEY: Final = VirtualKey(id=ROUTE, secret_hash=b"", subject=_SUBJECT)


class Unread:
    """An answer that nobody reads: what it says of its target is written down by the exchange."""

    def __init__(self) -> None:
        self.listener: ReplyListener | None = None
        self.bytes_out = 0

    def send(self, status: int, headers: bytes, body: bytes) -> None:
        """See Reply."""

    def start(self, status: int, headers: bytes, length: int | None = None) -> None:
        """See Reply."""

    def write(self, data: bytes) -> None:
        """See Reply."""

    def end(self, data: bytes = b"") -> None:
        """See Reply."""

    def abort(self) -> None:
        """See Reply."""


class Connecting:
    """One probe that asks an upstream's address for a head: any answer shows that it can be reached."""

    def __init__(self, ctx: GatewayContext, target: Target, rule: ProbeRule) -> None:
        self._ctx = ctx
        self._target = target
        self._began_at = ctx.clock.monotonic()
        self._call: Call | None = None
        self._over = False
        self._timer = ctx.clock.call_later(rule.timeout_s, self._late)
        line = b"HEAD %b/ HTTP/1.1\r\nhost: %b\r\n" % (target.base_path, target.origin.authority)
        request = line + b"user-agent: penstock\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        call = ctx.transport.send(target.origin, request, self, rule.timeout_s)
        if not self._over:
            self._call = call

    def _end(self, fault: Fault) -> None:
        if self._over:
            return
        self._over = True
        self._timer.cancel()
        call, self._call = self._call, None
        if call is not None:
            call.cancel()
        standing = self._ctx.standings.of(self._target.id)
        standing.reached(self._ctx.clock.monotonic(), self._began_at, fault)

    def _late(self) -> None:
        self._end("timeout")

    def on_connected(self, *, reused: bool) -> None:
        """See ResponseHandler."""

    def on_head(self, status: int, headers: dict[bytes, bytes]) -> None:
        """See ResponseHandler."""
        del status, headers
        self._end("ok")

    def on_data(self, data: bytes) -> None:
        """See ResponseHandler."""

    def on_end(self) -> None:
        """See ResponseHandler."""
        self._end("ok")

    def on_failure(self, cause: str, detail: str) -> None:
        """See ResponseHandler: an answer that is not understood is an answer."""
        del detail
        self._end("ok" if cause == "bad_response" else "unreachable")


class Prober:
    """Looks now and then which targets are due."""

    def __init__(self, ctx: GatewayContext) -> None:
        self._ctx = ctx
        self._due: dict[str, float] = {}
        self._looked_at = float("-inf")

    def tend(self, now: float) -> None:
        """Send the probes that are due; called some times a second."""
        if now - self._looked_at < TICK_S:
            return
        self._looked_at = now
        places = self._ctx.plan.places
        probed = {name: place for name, place in places.items() if place.rule.probe is not None}
        if not probed:
            self._due.clear()
            return
        targets = {target.id: target for target in self._targets()}
        for name, place in probed.items():
            if name in targets and self._is_due(name, place, now):
                self._probe(targets[name], place)

    def _targets(self) -> list[Target]:
        plan = self._ctx.plan
        found = [target for route in plan.routes.values() for target in targets_of(route.policy)]
        return [*plan.deployments.values(), *found]

    def _is_due(self, name: str, place: Place, now: float) -> bool:
        rule = place.rule.probe
        if rule is None:
            return False
        due = self._due.setdefault(name, now + rule.every_s)
        if now < due:
            return False
        standing = self._ctx.standings.of(name)
        self._due[name] = now + rule.every_s
        return standing.breaker.state != CLOSED or not standing.used_since(now - rule.every_s)

    def _probe(self, target: Target, place: Place) -> None:
        rule = place.rule.probe
        if rule is None:
            return
        if not rule.asks or not target.api:
            Connecting(self._ctx, target, rule)
            return
        ctx = self._ctx
        now = ctx.clock.monotonic()
        request = decode(ENDPOINTS[_PATH], _BODY, b"")
        timeouts = Timeouts(rule.timeout_s, rule.timeout_s, rule.timeout_s, rule.timeout_s)
        route = Route(ROUTE, TargetNode(target), RetryRule(attempts=1), timeouts, keeps_responses=False)
        facts = RequestFacts(
            ctx.new_request_id(),
            ctx.clock.now_ms(),
            "openai",
            ENDPOINTS[_PATH].name,
            ROUTE,
            target.id,
            purpose=PURPOSE,
        )
        http = HttpRequest(b"POST", _PATH, b"", {}, _BODY, now, "")
        exchange = Exchange(ctx, http, Unread(), request, route, _KEY, _SUBJECT, Allowance([]), facts)
        # Written by us: which member bounds the output is then the target's profile's to say.
        request.resumable = True
        exchange.start()
