"""Requests under way that are the same: one asks, the others wait; in virtual time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from penstock.core.cache_plan import CachePlan
from penstock.core.origin import Origin
from penstock.pipeline.gateway import Gateway
from penstock.ports.http_server import HttpRequest
from penstock.ports.transport import ResponseHandler
from tests.fault.world import EVENTS, WHOLE, FakeCall, FakeReply, FakeTransport, World, body_for

SHORT_S = 5.0


class Holding(FakeTransport):
    """Says nothing on its first call."""

    def send(self, origin: Origin, request: bytes, handler: ResponseHandler, connect_s: float) -> FakeCall:
        """See ports.transport."""
        if self.calls:
            return super().send(origin, request, handler, connect_s)
        call = FakeCall(self, handler, [])
        self.calls.append(call)
        return call


class Hall(World):
    """A world whose route keeps answers, and in which several clients may ask."""

    def __init__(self, *, stream: bool = False, wait_s: float = SHORT_S, silent: bool = False) -> None:
        """`silent`: the upstream never answers the first request."""
        super().__init__(stream=stream)
        if silent:
            self.transport = Holding(self.clock, self.faults, stream)
            self.context.transport = self.transport
        plan = self.context.plan
        cached = replace(plan.routes["chat"], cache=CachePlan(b"d", wait_s=wait_s))
        self.context.swap(replace(plan, routes={"chat": cached}))
        self.gateway = Gateway(self.context)

    def client(self, cache: bytes = b"") -> FakeReply:
        """One more client asks."""
        reply = FakeReply(self.faults)
        headers = {b"authorization": b"Bearer sk", b"content-type": b"application/json"}
        if cache:
            headers[b"x-penstock-cache"] = cache
        body = body_for(stream=self.stream)
        now = self.clock.monotonic()
        self.gateway.handle(
            HttpRequest(b"POST", "/v1/chat/completions", b"", headers, body, now, "127.0.0.1"), reply
        )
        return reply

    def closed(self) -> None:
        """Everything is over, once for each, and nothing is held."""
        self.settle()
        assert self.held[:2] == (0, 0)
        assert not self.context.exchanges
        assert not self.context.caches.flights


@pytest.mark.parametrize("stream", [False, True])
def test_one_asks_and_the_others_get_its_answer(*, stream: bool) -> None:
    """Three clients, one call upstream, three answers, of which two cost nothing."""
    hall = Hall(stream=stream)
    replies = [hall.client() for _ in range(3)]
    hall.closed()
    assert len(hall.transport.calls) == 1
    assert [reply.status for reply in replies] == [200, 200, 200]
    assert len({reply.body for reply in replies}) == 1
    assert (EVENTS[1] if stream else WHOLE[1]) in replies[2].body
    assert sorted(row.cache for row in hall.exchanges) == ["exact", "exact", "miss"]


def test_who_follows_has_no_slot_of_a_target() -> None:
    """Only the leader has reserved money while it is asked."""
    hall = Hall()
    hall.client()
    held = hall.held[1]
    hall.client()
    assert hall.held[1] == held
    hall.closed()


@pytest.mark.parametrize("stream", [False, True])
def test_where_the_leader_hangs_up_the_next_one_leads(*, stream: bool) -> None:
    """One more call upstream, not one for each who waits."""
    hall = Hall(stream=stream, silent=True)
    leader, second, third = (hall.client() for _ in range(3))
    hall.clock.run_soon()
    assert len(hall.transport.calls) == 1
    leader.hang_up()
    hall.closed()
    assert len(hall.transport.calls) == 2
    assert (second.status, third.status) == (200, 200)
    assert sorted((row.outcome, row.cache) for row in hall.exchanges) == [
        ("cancelled", "miss"),
        ("ok", "exact"),
        ("ok", "miss"),
    ]


def test_a_follower_may_hang_up() -> None:
    """Nobody else notices."""
    hall = Hall()
    _, second, third = (hall.client() for _ in range(3))
    second.hang_up()
    hall.closed()
    assert len(hall.transport.calls) == 1
    assert third.status == 200
    assert [row.outcome for row in hall.exchanges].count("cancelled") == 1


def test_nobody_waits_longer_than_the_route_says() -> None:
    """A leader that takes too long is not waited for any more; both get answers of their own."""
    hall = Hall(silent=True)
    leader = hall.client()
    hall.clock.run_soon()
    followers = [hall.client() for _ in range(2)]
    hall.clock.advance(SHORT_S - 0.1)
    assert len(hall.transport.calls) == 1
    hall.clock.advance(0.2)
    hall.clock.run_soon()
    assert [follower.status for follower in followers] == [200, 200]
    assert leader.status == 0
    hall.closed()
    assert leader.status == 504


@pytest.mark.parametrize("how", [b"no-cache", b"no-store"])
def test_who_wants_no_kept_answer_does_not_wait(how: bytes) -> None:
    """Such a request asks by itself although the same one is under way."""
    hall = Hall()
    hall.client()
    hall.client(how)
    hall.closed()
    assert len(hall.transport.calls) == 2


def test_an_answer_that_is_not_kept_frees_all() -> None:
    """Waiting is vain where the answer may not be kept: each asks, and none waits for the next."""
    hall = Hall()
    plan = hall.context.plan
    route = replace(plan.routes["chat"], cache=CachePlan(b"d", wait_s=SHORT_S, max_entry_bytes=10))
    hall.context.swap(replace(plan, routes={"chat": route}))
    replies = [hall.client() for _ in range(3)]
    hall.closed()
    assert [reply.status for reply in replies] == [200, 200, 200]
    assert len(hall.transport.calls) == 3


@pytest.mark.parametrize("stream", [False, True])
def test_any_operation_may_fail_while_others_wait(*, stream: bool) -> None:
    """Whatever fails for one, everybody has one row in the end, and nothing is held."""

    def struck(number: int) -> bool:
        hall = Hall(stream=stream)
        hall.faults.at, hall.faults.strike = number, yes
        for _ in range(3):
            hall.client()
        hall.closed()
        assert len(hall.exchanges) == 3, number
        return hall.faults.count >= number

    number = 1
    while struck(number):
        number += 1
    assert number > 10


def yes() -> bool:
    """Strike."""
    return True
