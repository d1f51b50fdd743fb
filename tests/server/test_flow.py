"""Back-pressure, drain and TLS of the server."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import asyncio
import ssl

import pytest

from penstock.server.limits import ServerLimits
from tests.server.doubles import Client, holds, run, serving
from tests.transport.certificates import Authority

HOLD = b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n"
GET = b"GET /g HTTP/1.1\r\nHost: x\r\n\r\n"


def test_a_slow_reader_is_told_about_and_buffers_stay_bounded() -> None:
    """Who answers hears that the client is slow, and again when it has caught up."""

    async def main() -> None:
        async with serving(ServerLimits(write_high_water=32_000)) as setup:
            client = await setup.connect()
            await client.send(HOLD)
            await holds(lambda: len(setup.handler.held) == 1)
            reply = setup.handler.held[0]
            reply.start(200, b"")
            connection = next(iter(setup.server.connections))
            sent = 0
            while not setup.handler.told:
                reply.write(b"x" * 10_000)
                sent += 10_000
                await asyncio.sleep(0)
            assert connection._transport is not None
            assert connection._transport.get_write_buffer_size() < 32_000 + 2 * 10_100
            got, tail = 0, b""
            while not tail.endswith(b"0\r\n\r\n"):
                piece = await client.reader.read(65536)
                got, tail = got + len(piece), (tail + piece)[-8:]
                if got >= sent and "ready" in setup.handler.told:
                    reply.end()
            assert got > sent
            assert setup.handler.told == ["slow", "ready"]
            client.writer.close()

    run(main)


def test_a_reader_that_stops_is_cut_off_but_a_slow_one_is_not() -> None:
    """Without any progress the write deadline ends the connection."""

    async def main() -> None:
        async with serving(ServerLimits(write_idle_s=0.2, keep_alive_s=0.2)) as setup:
            client = await setup.connect()
            client.writer.transport.pause_reading()  # type: ignore[attr-defined]
            await client.send(HOLD)
            await holds(lambda: len(setup.handler.held) == 1)
            setup.handler.held[0].start(200, b"")
            for _ in range(100):
                setup.handler.held[0].write(b"x" * 200_000)
            await holds(lambda: not setup.server.connections)
            assert setup.handler.told[-1] == "gone"
            client.writer.transport.abort()

    run(main)


def test_drain_closes_idle_connections_and_lets_answers_end() -> None:
    """An idle connection ends at once, an answer under way ends in full and then its connection."""

    async def main() -> None:
        async with serving() as setup:
            idle, busy = await setup.connect(), await setup.connect()
            await idle.send(GET)
            await idle.answer()
            await busy.send(HOLD)
            await holds(lambda: len(setup.handler.held) == 1)
            drained = asyncio.ensure_future(setup.server.drain(20))
            assert await idle.rest() == b""
            with pytest.raises(OSError, match="Connect"):
                await setup.connect()
            reply = setup.handler.held[0]
            reply.start(200, b"")
            reply.end(b"whole")
            assert b"whole" in await busy.rest()
            for client in (idle, busy):
                client.writer.close()
            assert await drained == 0

    run(main)


def test_drain_cuts_what_does_not_end_by_the_deadline() -> None:
    """At the deadline the rest is reset and counted."""

    async def main() -> None:
        async with serving() as setup:
            client = await setup.connect()
            await client.send(HOLD)
            await holds(lambda: len(setup.handler.held) == 1)
            assert await setup.server.drain(0.05) == 1
            await holds(lambda: setup.handler.told == ["gone"])
            client.writer.close()

    run(main)


def test_tls_requests_are_answered_and_the_end_is_said() -> None:
    """Over TLS 1.3 and 1.2 with ALPN: pipelining, large bodies both ways, and an orderly close."""

    async def main() -> None:
        authority = Authority()
        async with serving(tls=authority.server("localhost")) as setup:
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                context = authority.client()
                context.set_alpn_protocols(["h2", "http/1.1"])
                context.maximum_version = version
                client = await setup.connect(context)
                found: ssl.SSLObject = client.writer.get_extra_info("ssl_object")
                assert found.selected_alpn_protocol() == "http/1.1"
                body = b"z" * 1_000_000
                await client.send(
                    GET + b"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + body
                )
                assert (await client.answer())[2] == b"GET /g? "
                assert (await client.answer())[2] == b"POST /p? " + body
                await client.send(b"GET /e HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                assert (await client.answer())[2] == b"GET /e? "
                assert await client.rest() == b""
                client.writer.close()

    run(main)


def test_a_tls_handshake_that_hangs_or_fails_is_ended() -> None:
    """Silence and plain HTTP on a TLS port end without reaching the handler and without a trace."""

    async def main() -> None:
        authority = Authority()
        limits = ServerLimits(handshake_timeout_s=0.2)
        async with serving(limits, tls=authority.server("localhost")) as setup:
            silent, plain = await setup.connect(), await setup.connect()
            await plain.send(GET)
            assert b"HTTP" not in await plain.rest()
            assert await silent.rest() == b""
            await holds(lambda: not setup.server._handshaking)
            assert not setup.handler.requests
            for client in (silent, plain):
                client.writer.close()

    run(main)


def test_a_tls_client_that_hangs_up_is_noticed() -> None:
    """close_notify during the answer is a hang-up, as FIN is."""

    async def main() -> None:
        authority = Authority()
        async with serving(tls=authority.server("localhost")) as setup:
            client: Client = await setup.connect(authority.client())
            await client.send(HOLD)
            await holds(lambda: len(setup.handler.held) == 1)
            client.writer.close()
            await holds(lambda: setup.handler.told == ["gone"])

    run(main)
