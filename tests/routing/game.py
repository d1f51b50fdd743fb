"""The outage game: a gateway without sockets in virtual time, three targets, and a script of what befalls them.

Pipeline, policies, standings and journal events are the real ones; doubled are the upstreams (a `Fate` per
target, which says what happens to a request that arrives at an instant), the clients and the journal's file.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from penstock.adapters.memory.owned import MemoryOwned
from penstock.admission.accounts import Accounts
from penstock.core.exchange import AlertRaised, Drilled, Entry, Event, ExchangeSettled, Judged
from penstock.core.origin import Origin
from penstock.core.plan import Plan, Route, Timeouts
from penstock.core.policy import FallbackNode, PolicyNode, TargetNode
from penstock.core.price import Ceiling
from penstock.core.retry import RetryRule
from penstock.core.target import Target
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.gateway import Gateway
from penstock.pipeline.probing import Prober
from penstock.ports.http_server import HttpRequest, ReplyListener
from penstock.ports.transport import ResponseHandler
from penstock.testing.clock import VirtualClock
from tests.fault.world import CARD, EVENTS, WHOLE, key_for, plan_for

SWEEP_S = 0.1
JSON_HEAD = {b"content-type": b"application/json"}
SSE_HEAD = {b"content-type": b"text/event-stream"}


@dataclass(frozen=True)
class Fate:
    """What happens to one request at an upstream: it takes `delay_s`, then there is an answer or none.

    `kind`: `ok`, `refuse` (no connection), `status`, `garbage` (200 with no answer in it), `hang`, or `cut`
    (a stream that breaks after its first content; unstreamed, in the middle of the body).
    """

    kind: str = "ok"
    delay_s: float = 0.2
    status: int = 503
    headers: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])


Script = Callable[[float, random.Random], Fate]
Step = tuple[float, Callable[[ResponseHandler], None]]


def well(_: float, draw: random.Random) -> Fate:
    """Answers in 0.1 to 0.3 seconds."""
    return Fate(delay_s=draw.uniform(0.1, 0.3))


class UpstreamCall:
    """One request under way."""

    def __init__(self, clock: VirtualClock, handler: ResponseHandler, steps: list[Step]) -> None:
        self._clock = clock
        self._handler = handler
        self._steps = steps
        self.open = True
        self._next()

    def _next(self) -> None:
        if self._steps:
            delay_s, _ = self._steps[0]
            self._clock.call_later(delay_s, self._step)

    def _step(self) -> None:
        if not self.open:
            return
        _, call = self._steps.pop(0)
        if not self._steps:
            self.open = False
        call(self._handler)
        if self.open:
            self._next()

    def cancel(self) -> None:
        """See ports.transport."""
        self.open = False

    def pause(self) -> None:
        """See ports.transport."""

    def resume(self) -> None:
        """See ports.transport."""


class Upstreams:
    """Implements ports.transport.Transport: each target has a port of its own, by which its script is found."""

    def __init__(self, clock: VirtualClock, scripts: Sequence[Script], draw: random.Random) -> None:
        self._clock = clock
        self._scripts = scripts
        self._draw = draw
        self.stream = False
        self.calls: list[list[float]] = [[] for _ in scripts]

    def send(self, origin: Origin, request: bytes, handler: ResponseHandler, connect_s: float) -> UpstreamCall:
        """See ports.transport."""
        del request, connect_s
        now = self._clock.monotonic()
        self.calls[origin.port].append(now)
        fate = self._scripts[origin.port](now, self._draw)
        return UpstreamCall(self._clock, handler, self._steps(fate))

    def _steps(self, fate: Fate) -> list[Step]:
        if fate.kind == "refuse":
            return [(0.001, lambda h: h.on_failure("connect_refused", "refused"))]
        connected: Step = (0.001, lambda h: h.on_connected(reused=False))
        if fate.kind == "hang":
            return [connected, (1e9, lambda h: h.on_end())]
        if fate.kind == "status":
            return [
                connected,
                (fate.delay_s, lambda h: h.on_head(fate.status, dict(fate.headers))),
                (0.0, _end),
            ]
        head = {**(SSE_HEAD if self.stream else JSON_HEAD), **fate.headers}
        pieces = EVENTS if self.stream else WHOLE
        if fate.kind == "garbage":
            pieces = [b"data: not JSON\n\n"] if self.stream else [b"<html>"]
        steps: list[Step] = [connected, (fate.delay_s, lambda h: h.on_head(200, head))]
        if fate.kind == "cut":
            steps += [(0.0, _data(piece)) for piece in pieces[:-4]]
            return [*steps, (0.01, lambda h: h.on_failure("cut", "cut"))]
        return [*steps, *[(0.0, _data(piece)) for piece in pieces], (0.0, _end)]


def _data(piece: bytes) -> Callable[[ResponseHandler], None]:
    return lambda handler: handler.on_data(piece)


def _end(handler: ResponseHandler) -> None:
    handler.on_end()


class GameJournal:
    """Writes at the end of the turn, like the real one."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.events: list[Event] = []
        self._group: list[tuple[Entry, Callable[[], None] | None]] = []

    def append(
        self,
        event: Entry,
        then: Callable[[], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        """See ports.journal."""
        del failed
        if not self._group:
            self._clock.call_soon(self._flush)
        self._group.append((event, then))

    def _flush(self) -> None:
        group, self._group = self._group, []
        for event, then in group:
            if not isinstance(event, AlertRaised | Judged | Drilled):
                self.events.append(event)
            if then is not None:
                then()


@dataclass(eq=False)
class Client:
    """Somebody who asked at `asked_at`; `done_at` is when the answer was whole."""

    clock: VirtualClock
    asked_at: float
    listener: ReplyListener | None = None
    bytes_out: int = 0
    status: int = 0
    headers: bytes = b""
    body: bytes = b""
    begun_at: float | None = None
    done_at: float | None = None

    def send(self, status: int, headers: bytes, body: bytes) -> None:
        """See ports.http_server."""
        self.start(status, headers)
        self.end(body)

    def start(self, status: int, headers: bytes, length: int | None = None) -> None:
        """See ports.http_server."""
        del length
        self.status, self.headers, self.begun_at = status, headers, self.clock.monotonic()

    def write(self, data: bytes) -> None:
        """See ports.http_server."""
        self.body += data

    def end(self, data: bytes = b"") -> None:
        """See ports.http_server."""
        self.body += data
        self.done_at = self.clock.monotonic()
        self.listener = None

    def abort(self) -> None:
        """See ports.http_server."""
        self.done_at = self.clock.monotonic()
        self.listener = None

    @property
    def took_s(self) -> float:
        """Until the answer was whole."""
        return float("inf") if self.done_at is None else self.done_at - self.asked_at

    @property
    def served(self) -> bool:
        """Whether it got a whole answer."""
        whole = b"[DONE]" in self.body if b"event-stream" in self.headers else b"Hello" in self.body
        return self.status == 200 and whole


class Game:
    """Three targets, `t0`, `t1` and `t2`, in a fallback unless `policy` makes another tree of them."""

    def __init__(
        self,
        scripts: Sequence[Script],
        *,
        policy: Callable[[list[PolicyNode]], PolicyNode] | None = None,
        retry: RetryRule | None = None,
        timeouts: Timeouts | None = None,
        seed: int = 1,
        stream: bool = False,
        resumes: bool = False,
        change: Callable[[Plan], Plan] = lambda plan: plan,
    ) -> None:
        self.clock = VirtualClock()
        self.draw = random.Random(seed)
        self.stream = stream
        self.journal = GameJournal(self.clock)
        self.upstreams = Upstreams(self.clock, scripts, self.draw)
        self.upstreams.stream = stream
        self.clients: list[Client] = []
        key = replace(key_for(), accounts=())
        nodes: list[PolicyNode] = [TargetNode(target(at)) for at in range(len(scripts))]
        tree = policy(nodes) if policy is not None else FallbackNode(tuple(nodes))
        route = Route("chat", tree, retry=retry or RetryRule(), timeouts=timeouts or Timeouts())
        route = replace(route, resumes=resumes)
        plan = replace(
            plan_for(key, 4, Origin("http", "127.0.0.1", 0), Timeouts()), accounts={}, routes={"chat": route}
        )
        self.context = GatewayContext(
            change(plan),
            clock=self.clock,
            journal=self.journal,
            transport=self.upstreams,
            accounts=Accounts(self.clock.call_soon),
            owned=MemoryOwned(self.clock),
            draw=self.draw.random,
            bits=self.draw.getrandbits,
        )
        self.gateway = Gateway(self.context)
        self.prober = Prober(self.context)
        self._swept = self.clock.monotonic()

    def ask(self, headers: dict[bytes, bytes] | None = None) -> Client:
        """One request, now."""
        now = self.clock.monotonic()
        body = json.dumps({"model": "chat", "stream": self.stream, "messages": [], "max_tokens": 9}).encode()
        given = {b"authorization": b"Bearer sk", b"content-type": b"application/json", **(headers or {})}
        client = Client(self.clock, now)
        self.clients.append(client)
        request = HttpRequest(b"POST", "/v1/chat/completions", b"", given, body, now, "127.0.0.1")
        self.gateway.handle(request, client)
        self.clock.run_soon()
        return client

    def pass_time(self, seconds: float) -> None:
        """Let time pass, with the sweeps that a real process makes."""
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end:
            self.clock.advance(min(SWEEP_S, end - self.clock.monotonic()))
            if self.clock.monotonic() - self._swept >= SWEEP_S:
                self._swept = self.clock.monotonic()
                self.context.sweep(self._swept)
                self.prober.tend(self._swept)

    def play(self, seconds: float, per_s: float = 20.0) -> list[Client]:
        """Requests at random instants, so many a second on average; those that were made."""
        end = self.clock.monotonic() + seconds
        before = len(self.clients)
        while self.clock.monotonic() < end:
            self.pass_time(self.draw.expovariate(per_s))
            self.ask()
        self.pass_time(700.0)
        return self.clients[before:]

    @property
    def exchanges(self) -> list[ExchangeSettled]:
        """What was written down."""
        return [event for event in self.journal.events if isinstance(event, ExchangeSettled)]

    @property
    def calls(self) -> int:
        """How many requests the upstreams were sent in all."""
        return sum(len(calls) for calls in self.upstreams.calls)

    def success(self) -> float:
        """Share of the clients that were served."""
        return sum(client.served for client in self.clients) / len(self.clients)

    def extra_load(self) -> float:
        """Upstream requests beyond one for each client, as a share."""
        return self.calls / len(self.clients) - 1.0

    def p99_s(self) -> float:
        """The 99th percentile of the time until a whole answer."""
        return sorted(client.took_s for client in self.clients)[int(0.99 * len(self.clients))]


def target(at: int) -> Target:
    """A target whose port leads to its script; each has a provider of its own."""
    return Target(
        id=f"t{at}",
        provider=f"p{at}",
        kind="openai",
        model="m",
        model_json=b'"m"',
        origin=Origin("http", "127.0.0.1", at),
        base_path=b"/v1",
        auth=b"",
        secrets=(),
        card=CARD,
        ceiling=Ceiling(CARD),
    )
