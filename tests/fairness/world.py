"""A whole gateway in virtual time in front of an upstream whose answers take as long as a test says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from penstock.adapters.memory.owned import MemoryOwned
from penstock.admission.accounts import Accounts
from penstock.compile.plan import compile_plan
from penstock.config.load import load_text
from penstock.core.exchange import ExchangeSettled
from penstock.core.origin import Origin
from penstock.core.price_book import PriceBook
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.gateway import Gateway
from penstock.ports.http_server import HttpRequest
from penstock.ports.transport import ResponseHandler
from penstock.testing.clock import VirtualClock
from tests.fault.faults import Faults
from tests.fault.world import HEAD, WHOLE, FakeJournal, FakeReply


@dataclass(eq=False)
class SlowCall:
    """One upstream request, answered at its time unless it is called off."""

    handler: ResponseHandler
    open: bool = True

    def cancel(self) -> None:
        """See ports.transport."""
        self.open = False

    def pause(self) -> None:
        """See ports.transport."""

    def resume(self) -> None:
        """See ports.transport."""

    def answer(self) -> None:
        """All of it at once."""
        if not self.open:
            return
        self.open = False
        self.handler.on_head(200, dict(HEAD))
        for piece in WHOLE:
            self.handler.on_data(piece)
        self.handler.on_end()


@dataclass
class SlowTransport:
    """Answers after `service_s`; `began` has the instant of every call."""

    clock: VirtualClock
    service_s: Callable[[], float]
    began: list[float] = field(default_factory=list[float])

    def send(self, origin: Origin, request: bytes, handler: ResponseHandler, connect_s: float) -> SlowCall:
        """See ports.transport."""
        del origin, request, connect_s
        call = SlowCall(handler)
        self.began.append(self.clock.monotonic())
        self.clock.call_soon(lambda: handler.on_connected(reused=False))
        self.clock.call_later(self.service_s(), call.answer)
        return call


@dataclass(eq=False)
class Asked(FakeReply):
    """A client's request: when it was sent, when its answer was there, and what it was told."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    asked_at: float = 0.0
    done_at: float | None = None
    headers: bytes = b""

    def send(self, status: int, headers: bytes, body: bytes) -> None:
        """See ports.http_server."""
        super().send(status, headers, body)
        self.headers, self.done_at = headers, self.clock.monotonic()

    @property
    def took_s(self) -> float:
        """From question to answer."""
        assert self.done_at is not None
        return self.done_at - self.asked_at

    @property
    def code(self) -> str:
        """The error's code, empty for an answer."""
        return "" if self.status == 200 else str(json.loads(self.body)["error"]["code"])

    @property
    def retry_after_s(self) -> int:
        """What the answer says of the next try."""
        lines = dict(line.lower().split(b": ", 1) for line in self.headers.split(b"\r\n") if b": " in line)
        return int(lines[b"retry-after"])


class World:
    """A gateway for a configuration, whose keys' secrets are `sk-` and their names."""

    def __init__(self, config: str, service_s: Callable[[], float]) -> None:
        self.clock = VirtualClock()
        self.faults = Faults()
        self.transport = SlowTransport(self.clock, service_s)
        self.journal = FakeJournal(self.clock, self.faults)
        plan = compile_plan(
            load_text(config, {}),
            revision="test",
            prices=PriceBook("none", {}),
            reveal=lambda secret: secret.resolve({}),
            urls={},
            now_ms=self.clock.now_ms(),
        )
        self.context = GatewayContext(
            plan,
            clock=self.clock,
            journal=self.journal,
            transport=self.transport,
            accounts=Accounts(self.clock.call_soon, call_later=self.clock.call_later),
            owned=MemoryOwned(self.clock),
            draw=lambda: 0.5,
            bits=lambda bits: int.from_bytes(
                hashlib.sha256(str(len(self.transport.began)).encode()).digest()
            ) % (1 << bits),
        )  # fmt: skip
        self._gateway = Gateway(self.context)

    def settled(self) -> list[ExchangeSettled]:
        """The exchanges that are over."""
        return [event for event in self.journal.events if isinstance(event, ExchangeSettled)]

    def ask(self, key: str, model: str = "chat", **fields: object) -> Asked:
        """Send a request; nothing happens before the clock runs."""
        reply = Asked(self.faults, clock=self.clock, asked_at=self.clock.monotonic())
        body = json.dumps({"model": model, "messages": [], "max_tokens": 2, **fields}).encode()
        headers = {b"authorization": b"Bearer sk-" + key.encode(), b"content-type": b"application/json"}
        self._gateway.handle(
            HttpRequest(
                b"POST", "/v1/chat/completions", b"", headers, body, self.clock.monotonic(), "127.0.0.1"
            ),
            reply,
        )
        return reply
