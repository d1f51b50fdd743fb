"""A whole gateway below and above its pipeline, struck at the n-th operation on sockets, files and timers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import cast

import pytest

from penstock.ports.http_server import HttpRequest, Reply
from penstock.server.listener import HttpServer
from tests.fault.faults import Faults, until_clean, yes
from tests.fault.house import LIMITS, House, Scheme
from tests.fault.network import KINDS, Kind, LoopTime, SocketName, VirtualLoop
from tests.fault.peers import GATEWAY, Caller

MOST = 2_000
SHAPES = [("http", False), ("http", True), ("https", True)]


def hang_up(house: House) -> bool:
    """The client resets its connection."""
    house.caller.hang_up()
    return False


def leap(house: House) -> bool:
    """So much time passes that every timer and deadline is due."""
    house.loop.leap(3_600)
    return False


def reload(house: House) -> bool:
    """A new Plan comes into force."""
    house.context.swap(house.context.plan)
    return False


def stop(house: House) -> bool:
    """The process is told to end: it takes no more connections."""
    house.server.stop_listening()
    return False


def test_without_a_fault_both_requests_are_answered() -> None:
    """What the other tests disturb works when it is left alone."""
    for scheme, stream in SHAPES:
        house = House("https" if scheme == "https" else "http", stream=stream)
        house.run()
        assert house.caller.received.count(b"HTTP/1.1 200 OK") == 2
        assert house.door.handled == 3
        assert not house.io_errors
        assert not house.loop.errors


@pytest.mark.parametrize(("scheme", "stream"), SHAPES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_operation_on_a_socket_may_fail(kind: Kind, scheme: Scheme, *, stream: bool) -> None:
    """One row for each request handled; no connection, slot or reservation leaked, on either side."""

    def run(number: int) -> Faults:
        house = House(scheme, stream=stream)
        house.loop.kind = kind
        house.loop.operations.at, house.loop.operations.strike = number, yes
        house.run()
        assert not house.loop.errors, number
        return house.loop.operations

    assert until_clean(run, MOST) >= 13


@pytest.mark.parametrize("stream", [False, True])
def test_every_operation_of_the_journal_may_fail(*, stream: bool) -> None:
    """Create, allocate, write, sync, publish, truncate: one row each, or a refusal that called nobody."""

    def run(number: int) -> Faults:
        house = House("http", stream=stream)
        house.files.faults.at, house.files.faults.strike = number, yes
        house.run()
        assert not house.loop.errors, number
        return house.files.faults

    assert until_clean(run, MOST) >= 10


@pytest.mark.parametrize(("scheme", "stream"), SHAPES)
@pytest.mark.parametrize("strike", [hang_up, leap, reload, stop])
def test_anything_may_happen_before_any_callback(
    strike: Callable[[House], bool], scheme: Scheme, *, stream: bool
) -> None:
    """Before the n-th callback or timer the client goes, time runs out, a reload or the end comes."""

    def run(number: int) -> Faults:
        house = House(scheme, stream=stream)
        house.loop.turns.at, house.loop.turns.strike = number, lambda: strike(house)
        house.run()
        if strike is reload:
            assert house.caller.received.count(b"HTTP/1.1 200 OK") == 2, number
        assert not house.loop.errors, number
        return house.loop.turns

    assert until_clean(run, MOST) >= 50


@pytest.mark.parametrize(("scheme", "stream"), SHAPES)
def test_a_handler_that_raises_costs_one_connection(scheme: Scheme, *, stream: bool) -> None:
    """The error is reported, the client's connection ends, what the exchange held is given back."""

    def run(number: int) -> Faults:
        house = House(scheme, stream=stream)
        house.door.faults.at, house.door.faults.strike = number, yes
        house.run()
        if house.door.faults.count >= number:
            assert [str(error) for error in house.loop.errors] == ["injected"], number
            assert house.cut_off or house.caller.received.count(b"HTTP/1.1 200 OK") == 2, number
        return house.door.faults

    assert until_clean(run, MOST) == 4


def test_a_refusal_that_raises_stops_no_deadline() -> None:
    """Two requests that never end are late at once; their refusals raise, and both connections are closed."""
    loop = VirtualLoop()
    clock = LoopTime(loop)

    class Broken:
        def handle(self, request: HttpRequest, reply: Reply) -> None:
            """Not asked."""

        def refuse(self, path: str, reply: Reply, status: int, code: str, message: str) -> None:
            """Fail."""
            del path, reply, status, message
            raise RuntimeError(code)

    async def main() -> None:
        server = HttpServer(Broken(), clock, LIMITS)
        await server.listen(cast("socket.socket", SocketName(GATEWAY)))
        callers = [Caller(loop, [b"GET / HTTP/1.1\r\n"]) for _ in range(2)]
        for caller in callers:
            loop.dial(GATEWAY, caller)
        await asyncio.sleep(2 * LIMITS.head_timeout_s)
        assert [caller.gone for caller in callers] == [True, True]
        assert not server.connections
        await server.drain(0.0)

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(main())
    assert [str(error) for error in loop.errors] == ["request_timeout"] * 2
