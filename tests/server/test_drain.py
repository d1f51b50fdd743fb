"""How a server leaves: nobody's request is dropped that was sent before he could know."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import asyncio
import socket

import pytest

from tests.server.doubles import Client, StandingClock, holds, run, serving
from tests.transport.certificates import Authority

HOLD = b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n"
GET = b"GET /g HTTP/1.1\r\nHost: x\r\n\r\n"
CLOSE = ("connection", "close")


async def _until_told(client: Client) -> int:
    """Send one request after the other until an answer says that it is the last; how many were answered."""
    count = 0
    while True:
        await client.send(GET)
        status, fields, _ = await client.answer()
        assert status == 200
        count += 1
        if CLOSE in fields.items():
            assert await client.rest() == b""
            client.writer.close()
            return count


@pytest.mark.parametrize("encrypted", [False, True])
def test_clients_that_keep_sending_are_all_answered(*, encrypted: bool) -> None:
    """Each open connection gets its next answer and is told to close; none ends under a request."""

    async def main() -> None:
        authority = Authority()
        tls = authority.server("localhost") if encrypted else None
        async with serving(tls=tls, clock=StandingClock()) as setup:
            trust = authority.client() if encrypted else None
            clients = [await setup.connect(trust) for _ in range(16)]
            asking = [asyncio.ensure_future(_until_told(client)) for client in clients]
            await holds(lambda: len(setup.handler.requests) > 200)
            drained = asyncio.ensure_future(setup.server.drain(60, idle_s=5))
            assert min(await asyncio.gather(*asking)) > 1
            assert await drained == 0

    run(main)


def test_a_connection_whose_answer_began_before_is_kept_for_one_more_request() -> None:
    """Its client was not told to close, so that its next request may be on its way already."""

    async def main() -> None:
        async with serving(clock=StandingClock()) as setup:
            client = await setup.connect()
            await client.send(HOLD)
            await holds(lambda: len(setup.handler.held) == 1)
            reply = setup.handler.held[0]
            reply.start(200, b"")
            drained = asyncio.ensure_future(setup.server.drain(60, idle_s=5))
            await holds(lambda: setup.server.draining)
            reply.end(b"whole")
            assert CLOSE not in (await client.answer())[1].items()
            assert await _until_told(client) == 1
            assert await drained == 0

    run(main)


def test_an_idle_connection_is_closed_when_its_time_is_over() -> None:
    """Not before: a request that is on its way is answered."""

    async def main() -> None:
        clock = StandingClock()
        async with serving(clock=clock) as setup:
            used, fresh = await setup.connect(), await setup.connect()
            await used.send(GET)
            await used.answer()
            await holds(lambda: len(setup.server.connections) == 2)
            drained = asyncio.ensure_future(setup.server.drain(60, idle_s=5))
            await holds(lambda: setup.server.draining)
            clock.at += 4.8
            setup.server._sweep()
            assert len(setup.server.connections) == 2
            clock.at += 0.4
            assert await used.rest() == b""
            assert await fresh.rest() == b""
            assert await drained == 0
            for client in (used, fresh):
                client.writer.close()

    run(main)


def test_a_request_that_came_just_before_the_end_is_answered() -> None:
    """Bytes that wait in the socket when the time is over are read, not closed over."""

    async def main() -> None:
        clock = StandingClock()
        async with serving(clock=clock) as setup:
            with socket.create_connection(("127.0.0.1", setup.port)) as plain:
                await holds(lambda: len(setup.server.connections) == 1)
                drained = asyncio.ensure_future(setup.server.drain(60, idle_s=5))
                await holds(lambda: setup.server.draining)
                clock.at += 10
                plain.sendall(GET)
                setup.server._sweep()
                plain.setblocking(False)  # noqa: FBT003 - the socket's own signature
                answer = await asyncio.get_running_loop().sock_recv(plain, 4096)
                assert answer.startswith(b"HTTP/1.1 200 OK")
                assert b"connection: close" in answer
            assert await drained == 0

    run(main)


def test_requests_that_were_sent_ahead_are_all_answered() -> None:
    """Only the last of them is told to close."""

    async def main() -> None:
        async with serving(clock=StandingClock()) as setup:
            client = await setup.connect()
            await client.send(HOLD + GET + GET)
            await holds(lambda: len(setup.handler.held) == 1)
            drained = asyncio.ensure_future(setup.server.drain(60, idle_s=5))
            await holds(lambda: setup.server.draining)
            await client.send(GET)
            await asyncio.sleep(0)
            setup.handler.held[0].send(200, b"", b"first")
            said = [(await client.answer())[1].get("connection") for _ in range(4)]
            assert said == [None, None, None, "close"]
            assert await client.rest() == b""
            client.writer.close()
            assert await drained == 0

    run(main)


def test_it_accepts_until_balancers_had_time_to_notice() -> None:
    """New connections are served for so long, each for one request; then there is nobody."""

    async def main() -> None:
        clock = StandingClock()
        async with serving(clock=clock) as setup:
            drained = asyncio.ensure_future(setup.server.drain(60, idle_s=5, notice_s=10))
            await holds(lambda: setup.server.draining)
            assert await _until_told(await setup.connect()) == 1
            clock.at += 11
            assert await drained == 0
            with pytest.raises(OSError, match="Connect"):
                await setup.connect()

    run(main)


def test_who_waits_to_be_accepted_is_answered() -> None:
    """The kernel has taken his connection, and maybe his request: closing the socket would reset both."""

    async def main() -> None:
        async with serving(clock=StandingClock()) as setup:
            loop = asyncio.get_running_loop()
            waiting = [socket.create_connection(("127.0.0.1", setup.port)) for _ in range(5)]
            for each in waiting:
                each.sendall(GET)
            drained = asyncio.ensure_future(setup.server.drain(60, idle_s=5))
            for each in waiting:
                each.setblocking(False)  # noqa: FBT003 - the socket's own signature
                assert (await loop.sock_recv(each, 4096)).startswith(b"HTTP/1.1 200 OK")
                each.close()
            assert await drained == 0

    run(main)
