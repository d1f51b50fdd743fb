"""A gateway without sockets, in virtual time, in which the n-th operation can be made to fail.

An operation is anything that touches the world outside: a journal append, a connection, each piece of an
upstream's answer, each write to the client. `Faults.at` says at which one `Faults.strike` is called.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from penstock.adapters.memory.owned import MemoryOwned
from penstock.admission.accounts import Accounts
from penstock.admission.counters import BudgetCounter, SlotCounter
from penstock.core.allowance import AccountRule, BudgetRule
from penstock.core.exchange import (
    AlertRaised,
    AttemptOpened,
    Drilled,
    Entry,
    Event,
    ExchangeSettled,
    Judged,
    Subject,
)
from penstock.core.origin import Origin
from penstock.core.plan import Plan, Provider, Route, Timeouts, VirtualKey
from penstock.core.policy import FallbackNode, TargetNode
from penstock.core.price import Ceiling, rate_card
from penstock.core.price_book import PriceBook
from penstock.core.target import Target
from penstock.ledger.journal.settings import JournalFull
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.gateway import Gateway
from penstock.ports.http_server import HttpRequest, ReplyListener
from penstock.ports.transport import ResponseHandler
from penstock.testing.clock import VirtualClock
from tests.fault.faults import Faults

CARD = rate_card("test:1", {"input": 1, "output": 2})
HEAD = {b"content-type": b"application/json"}
STREAM_HEAD = {b"content-type": b"text/event-stream"}
WHOLE = [
    b'{"id":"c","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant",',
    b'"content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":2}}',
]
EVENTS = [
    b'data: {"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n',
    b'data: {"model":"m","choices":[{"index":0,"delta":{"content":"Good"}}]}\n\n',
    b'data: {"model":"m","choices":[{"index":0,"delta":{"content":" day"}}]}\n\n',
    b'data: {"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
    b'data: {"model":"m","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}}\n\n',
    b"data: [DONE]\n\n",
]


@dataclass(eq=False)
class FakeCall:
    """One upstream request: a connection that is open until it ended or was cancelled."""

    transport: FakeTransport
    handler: ResponseHandler
    steps: list[Callable[[ResponseHandler], None]]
    open: bool = True

    def cancel(self) -> None:
        """See ports.transport."""
        self.open = False

    def pause(self) -> None:
        """See ports.transport."""

    def resume(self) -> None:
        """See ports.transport."""

    def step(self) -> None:
        """The next callback, or a failure in its place."""
        if not self.open:
            return
        if self.transport.faults.hit():
            self.open = False
            self.handler.on_failure("cut", "injected")
            return
        call = self.steps.pop(0)
        if not self.steps:
            self.open = False
        call(self.handler)
        if self.open:
            self.transport.clock.call_soon(self.step)


@dataclass
class FakeTransport:
    """Answers every request with the same scripted callbacks, one a turn."""

    clock: VirtualClock
    faults: Faults
    stream: bool
    calls: list[FakeCall] = field(default_factory=list[FakeCall])

    def send(self, origin: Origin, request: bytes, handler: ResponseHandler, connect_s: float) -> FakeCall:
        """See ports.transport."""
        del origin, request, connect_s
        head = STREAM_HEAD if self.stream else HEAD
        steps: list[Callable[[ResponseHandler], None]] = [
            lambda h: h.on_connected(reused=False),
            lambda h: h.on_head(200, dict(head)),
            *[_data(piece) for piece in (EVENTS if self.stream else WHOLE)],
            lambda h: h.on_end(),
        ]
        call = FakeCall(self, handler, steps)
        self.calls.append(call)
        self.clock.call_soon(call.step)
        return call


def _data(piece: bytes) -> Callable[[ResponseHandler], None]:
    return lambda handler: handler.on_data(piece)


@dataclass
class FakeJournal:
    """Appends in groups like the real one; an opening can be refused or lost at the write."""

    clock: VirtualClock
    faults: Faults
    events: list[Event] = field(default_factory=list[Event])
    group: list[tuple[Entry, Callable[[], None] | None, Callable[[Exception], None] | None]] = field(
        default_factory=list[tuple[Entry, Callable[[], None] | None, Callable[[Exception], None] | None]]
    )

    def append(
        self,
        event: Entry,
        then: Callable[[], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        """See ports.journal."""
        if isinstance(event, AttemptOpened) and self.faults.hit():
            raise JournalFull("injected")
        if not self.group:
            self.clock.call_soon(self.flush)
        self.group.append((event, then, failed))

    def flush(self) -> None:
        """One write for the group."""
        group, self.group = self.group, []
        for event, then, failed in group:
            if failed is not None and self.faults.hit():
                failed(OSError(28, "injected"))
                continue
            if not isinstance(event, AlertRaised | Judged | Drilled):
                self.events.append(event)
            if then is not None:
                then()


@dataclass(eq=False)
class FakeReply:
    """The client: it hangs up where an operation on it is struck."""

    faults: Faults
    listener: ReplyListener | None = None
    bytes_out: int = 0
    status: int = 0
    body: bytes = b""
    ended: bool = False

    def _hit(self) -> bool:
        if self.faults.hit():
            self.hang_up()
        return self.ended

    def hang_up(self) -> None:
        """The connection is lost."""
        listener, self.listener = self.listener, None
        self.ended = True
        if listener is not None:
            listener.client_gone()

    def send(self, status: int, headers: bytes, body: bytes) -> None:
        """See ports.http_server."""
        del headers
        if not self._hit():
            self.status, self.body, self.ended, self.listener = status, body, True, None

    def start(self, status: int, headers: bytes, length: int | None = None) -> None:
        """See ports.http_server."""
        del headers, length
        if not self._hit():
            self.status = status

    def write(self, data: bytes) -> None:
        """See ports.http_server."""
        if not self._hit():
            self.body += data

    def end(self, data: bytes = b"") -> None:
        """See ports.http_server."""
        if not self._hit():
            self.body += data
            self.ended, self.listener = True, None

    def abort(self) -> None:
        """See ports.http_server."""
        self.ended, self.listener = True, None


def key_for() -> VirtualKey:
    """A key with rules."""
    return VirtualKey(
        id="k",
        secret_hash=hashlib.sha256(b"sk").digest(),
        subject=Subject("acme", "", "", "k"),
        accounts=("key:k",),
    )


def plan_for(key: VirtualKey, concurrency: int, origin: Origin, timeouts: Timeouts) -> Plan:
    """One route with two targets at the same upstream; the key has a budget and so many slots."""
    targets = [_target(name, origin) for name in ("a", "b")]
    policy = FallbackNode(tuple(TargetNode(target) for target in targets))
    return Plan(
        revision="1",
        accounts={
            "key:k": AccountRule("key:k", concurrency=concurrency, budgets=(BudgetRule(10**12, "month"),))
        },
        routes={"chat": Route("chat", policy, timeouts=timeouts)},
        deployments={},
        providers={"up": Provider("up", "openai", targets[0])},
        provider_order=(),
        keys={key.secret_hash: key},
        direct_open=False,
        prices=PriceBook("none", {}),
    )


def _target(name: str, origin: Origin) -> Target:
    return Target(
        id=name,
        provider="up",
        kind="openai",
        model="m",
        model_json=b'"m"',
        origin=origin,
        base_path=b"/v1",
        auth=b"",
        secrets=(),
        card=CARD,
        ceiling=Ceiling(CARD),
    )


def body_for(*, stream: bool) -> bytes:
    """What clients ask."""
    return json.dumps({"model": "chat", "stream": stream, "messages": [], "max_tokens": 9}).encode()


def held_of(accounts: Accounts) -> tuple[int, int, int]:
    """Slots taken, nano-dollars reserved and spent of the key."""
    account = accounts.find("key:k")
    assert account is not None
    slots, budget = account.slots[0], account.budgets[0]
    assert isinstance(slots, SlotCounter)
    assert isinstance(budget, BudgetCounter)
    return slots.taken, budget.budget.reserved_nanousd, budget.budget.spent_nanousd


class World:
    """One gateway with one key and a route of two targets, and one request to it."""

    def __init__(self, *, stream: bool) -> None:
        self.clock = VirtualClock()
        self.faults = Faults()
        self.stream = stream
        self.transport = FakeTransport(self.clock, self.faults, stream)
        self.journal = FakeJournal(self.clock, self.faults)
        self.reply = FakeReply(self.faults)
        self.key = key_for()
        self.context = GatewayContext(
            plan_for(self.key, 4, Origin("http", "127.0.0.1", 1), Timeouts()),
            clock=self.clock,
            journal=self.journal,
            transport=self.transport,
            accounts=Accounts(self.clock.call_soon, call_later=self.clock.call_later),
            owned=MemoryOwned(self.clock),
            draw=lambda: 0.5,
            bits=lambda bits: (1 << bits) - 1,
        )

    def ask(self) -> None:
        """Send the request; nothing happens before the clock runs."""
        body = body_for(stream=self.stream)
        headers = {b"authorization": b"Bearer sk", b"content-type": b"application/json"}
        request = HttpRequest(
            b"POST", "/v1/chat/completions", b"", headers, body, self.clock.monotonic(), "127.0.0.1"
        )
        Gateway(self.context).handle(request, self.reply)

    def run(self) -> None:
        """Ask, and let everything happen, timeouts included."""
        self.ask()
        self.settle()

    def settle(self) -> None:
        """Let an hour pass in steps, with the sweeps that a real process makes."""
        for _ in range(40):
            self.clock.advance(100.0)
            self.context.sweep(self.clock.monotonic())
        self.clock.run_soon()

    @property
    def held(self) -> tuple[int, int, int]:
        """What the key's counters hold: see held_of."""
        return held_of(self.context.accounts)

    @property
    def exchanges(self) -> list[ExchangeSettled]:
        """The settled exchanges."""
        return [event for event in self.journal.events if isinstance(event, ExchangeSettled)]
