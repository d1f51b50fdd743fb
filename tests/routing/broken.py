"""A route of two targets that resumes broken streams, without sockets, in virtual time."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from penstock.adapters.memory.owned import MemoryOwned
from penstock.admission.accounts import Accounts
from penstock.core.exchange import ExchangeSettled
from penstock.core.origin import Origin
from penstock.core.plan import Route, Timeouts
from penstock.core.policy import FallbackNode, TargetNode
from penstock.core.target import Target
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.gateway import Gateway
from penstock.ports.http_server import HttpRequest
from penstock.ports.transport import ResponseHandler
from penstock.testing.clock import VirtualClock
from tests.fault.world import key_for, plan_for
from tests.routing.game import Client, GameJournal, UpstreamCall, target


@dataclass
class Play:
    """What a target sends: pieces of a stream, and whether it breaks after them; or a status."""

    pieces: list[bytes]
    cut: bool = False
    status: int = 200
    content_type: bytes = b"text/event-stream"


@dataclass
class Stage:
    """The transport: the n-th call gets the n-th play, or, `by_port`, each target its own.

    `sent` has the bodies of requests, decoded.
    """

    clock: VirtualClock
    plays: list[Play]
    by_port: bool = False
    sent: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    ports: list[int] = field(default_factory=list[int])

    def send(self, origin: Origin, request: bytes, handler: ResponseHandler, connect_s: float) -> UpstreamCall:
        """See ports.transport."""
        del connect_s
        play = self.plays[origin.port if self.by_port else len(self.sent)]
        self.sent.append(json.loads(request.partition(b"\r\n\r\n")[2]))
        self.ports.append(origin.port)
        last: Callable[[ResponseHandler], None] = (
            (lambda h: h.on_failure("cut", "cut")) if play.cut else (lambda h: h.on_end())
        )
        steps: list[tuple[float, Callable[[ResponseHandler], None]]] = [
            (0.0, lambda h: h.on_connected(reused=False)),
            (0.0, lambda h: h.on_head(play.status, {b"content-type": play.content_type})),
            *[(0.0, _data(piece)) for piece in play.pieces],
            (0.0, last),
        ]
        return UpstreamCall(self.clock, handler, steps)


def _data(piece: bytes) -> Callable[[ResponseHandler], None]:
    return lambda handler: handler.on_data(piece)


@dataclass
class Outcome:
    """What the client got, what the upstreams were asked, what was written down."""

    body: bytes
    sent: list[dict[str, Any]]
    ports: list[int]
    settled: ExchangeSettled

    @property
    def chunks(self) -> list[dict[str, Any]]:
        """The data of the client's events."""
        return chunks_of(self.body)


def chunks_of(body: bytes) -> list[dict[str, Any]]:
    """The JSON objects of an SSE stream."""
    lines = [line[5:].strip() for line in body.splitlines() if line.startswith(b"data:")]
    return [json.loads(line) for line in lines if line and line != b"[DONE]"]


OPENAI = target(0)
ANTHROPIC = replace(target(0), api="anthropic", speaks=frozenset({"anthropic", "anthropic.count"}))


def play(
    plays: list[Play],
    request: dict[str, Any],
    *,
    path: str = "/v1/chat/completions",
    first: Target = OPENAI,
    second: Target = OPENAI,
    resumes: bool = True,
    by_port: bool = False,
    keeps_body: bool = False,
) -> Outcome:
    """One request to the route `chat`, over `first` at port 0 and `second` at port 1."""
    clock = VirtualClock()
    stage = Stage(clock, plays, by_port)
    key = replace(key_for(), accounts=())
    targets = [
        replace(each, id=f"t{at}", provider=f"p{at}", origin=Origin("http", "127.0.0.1", at))
        for at, each in enumerate((first, second))
    ]
    policy = FallbackNode(tuple([TargetNode(each) for each in targets]))
    plan = replace(
        plan_for(key, 4, Origin("http", "127.0.0.1", 0), Timeouts()),
        accounts={},
        routes={"chat": Route("chat", policy, resumes=resumes)},
    )
    journal = GameJournal(clock)
    context = GatewayContext(
        plan,
        clock=clock,
        journal=journal,
        transport=stage,
        accounts=Accounts(clock.call_soon),
        owned=MemoryOwned(clock),
        draw=lambda: 0.5,
        bits=lambda bits: (1 << bits) - 1,
    )
    told = (
        request if keeps_body and "max_tokens" not in request else {**request, "model": "chat", "stream": True}
    )
    body = json.dumps(told).encode()
    headers = {b"authorization": b"Bearer sk", b"content-type": b"application/json"}
    client = Client(clock, clock.monotonic())
    asked = HttpRequest(b"POST", path, b"", headers, body, clock.monotonic(), "127.0.0.1")
    Gateway(context).handle(asked, client)
    clock.run_soon()
    clock.advance(30.0)
    assert client.done_at is not None, "the client waits for ever"
    (settled,) = [event for event in journal.events if isinstance(event, ExchangeSettled)]
    return Outcome(client.body, stage.sent, stage.ports, settled)
