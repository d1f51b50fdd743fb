"""Whole requests over real sockets: framing that is right, at whatever places it is cut."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import asyncio

import pytest

from penstock.server.limits import ServerLimits
from tests.server.doubles import holds, run, serving

POST = b"POST /a/b?c=d HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2;name=value\r\nhe\r\n3\r\nllo\r\n0\r\nX-Api-Key: late\r\n\r\n"
)
UPGRADE = (
    b"POST /u HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    b"HTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Length: 5\r\n\r\nhello"
)


@pytest.mark.parametrize("request_bytes", [POST, CHUNKED, UPGRADE])
def test_a_request_cut_at_any_byte_is_read_the_same(request_bytes: bytes) -> None:
    """Wherever the network cuts a request, the handler sees the same one, and the connection stays open."""

    async def main() -> None:
        async with serving() as setup:
            client = await setup.connect()
            for at in range(1, len(request_bytes)):
                await client.send(request_bytes[:at])
                await asyncio.sleep(0)
                await client.send(request_bytes[at:])
                status, _, body = await client.answer()
                assert (status, body[-5:]) == (200, b"hello")
            assert {(r.method, r.path, r.query, r.body) for r in setup.handler.requests} == {
                (r.method, r.path, r.query, r.body) for r in setup.handler.requests[:1]
            }
            client.writer.close()

    run(main)


def test_a_request_that_comes_byte_by_byte_is_read() -> None:
    """The slowest sender within the time limits is served."""

    async def main() -> None:
        async with serving() as setup:
            client = await setup.connect()
            for byte in CHUNKED:
                await client.send(bytes([byte]))
                await asyncio.sleep(0)
            assert (await client.answer())[2] == b"POST /c? hello"
            client.writer.close()

    run(main)


def test_trailers_never_become_fields_of_the_request() -> None:
    """A trailer that is named like a credential is dropped, for this request and for the next."""

    async def main() -> None:
        async with serving() as setup:
            client = await setup.connect()
            for _ in range(2):
                await client.send(CHUNKED)
                await client.answer()
            assert all(b"x-api-key" not in request.headers for request in setup.handler.requests)
            client.writer.close()

    run(main)


def test_pipelined_requests_are_answered_in_order() -> None:
    """Requests sent ahead, in one piece and in later ones, are answered one after another."""

    async def main() -> None:
        async with serving() as setup:
            client = await setup.connect()
            hold = b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n"
            await client.send(hold + POST + CHUNKED)
            await holds(lambda: len(setup.handler.held) == 1)
            await client.send(b"GET /last HTTP/1.1\r\nHost: x\r\n\r\n")
            await asyncio.sleep(0.01)
            assert len(setup.handler.requests) == 1
            setup.handler.held[0].send(200, b"", b"first")
            bodies = [(await client.answer())[2] for _ in range(4)]
            assert bodies == [b"first", b"POST /a/b?c=d hello", b"POST /c? hello", b"GET /last? "]
            client.writer.close()

    run(main)


def test_requests_sent_far_ahead_stop_being_read() -> None:
    """While an answer is under way a client cannot make us keep more than a bounded part of what it sends."""

    async def main() -> None:
        async with serving(ServerLimits(pipelined_bytes=1000)) as setup:
            client = await setup.connect()
            await client.send(b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n")
            await holds(lambda: len(setup.handler.held) == 1)
            connection = next(iter(setup.server.connections))
            client.writer.write(POST * 200_000)
            await holds(lambda: connection._paused)
            before = len(connection._pending)
            await asyncio.sleep(0.05)
            assert len(connection._pending) == before <= 300_000
            client.writer.transport.abort()

    run(main)


def test_more_requests_ahead_than_allowed_are_refused() -> None:
    """A flood of tiny requests in one piece is cut off after the bound; those before it are answered."""

    async def main() -> None:
        async with serving(ServerLimits(pipelined_requests=3)) as setup:
            answer = await setup.exchange(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n" * 50)
            assert answer.count(b"HTTP/1.1 200") <= 4
            assert setup.handler.refused in ([], [(400, "too_many_requests_ahead")])

    run(main)


def test_100_continue_comes_before_the_body_and_only_when_asked() -> None:
    """The client that expects it is told to go on; one whose body is too large is refused instead."""

    async def main() -> None:
        async with serving(ServerLimits(max_body_bytes=10)) as setup:
            client = await setup.connect()
            head = b"POST /e HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
            await client.send(head % 5)
            assert await client.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            await client.send(b"hello")
            assert (await client.answer())[0] == 200
            await client.send(head % 11)
            assert (await client.answer())[0] == 413
            assert await client.rest() == b""
            client.writer.close()

    run(main)


def test_100_continue_waits_for_the_answer_before_it() -> None:
    """An expecting request behind another one is told to go on once the other's answer is out."""

    async def main() -> None:
        async with serving() as setup:
            client = await setup.connect()
            await client.send(
                b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n"
                b"POST /e HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
            )
            await holds(lambda: len(setup.handler.held) == 1)
            setup.handler.held[0].send(200, b"", b"one")
            assert (await client.answer())[2] == b"one"
            assert await client.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            await client.send(b"ok")
            assert (await client.answer())[2] == b"POST /e? ok"
            client.writer.close()

    run(main)


def test_http_1_0_closes_unless_asked_and_streams_without_chunks() -> None:
    """A client of HTTP/1.0 gets no chunked coding, and the connection's end as the body's."""

    async def main() -> None:
        async with serving() as setup:
            assert b"connection: close" in await setup.exchange(b"GET / HTTP/1.0\r\n\r\n")
            client = await setup.connect()
            await client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            assert (await client.answer())[1]["connection"] == "keep-alive"
            await client.send(b"GET /hold HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            await holds(lambda: len(setup.handler.held) == 1)
            reply = setup.handler.held[0]
            reply.start(200, b"")
            reply.write(b"a")
            reply.end(b"b")
            assert (await client.rest()).endswith(b"\r\n\r\nab")
            client.writer.close()

    run(main)


def test_head_has_the_length_and_no_body() -> None:
    """HEAD is answered with the fields of GET and nothing behind them, streamed or whole."""

    async def main() -> None:
        async with serving() as setup:
            client = await setup.connect()
            await client.send(b"HEAD /h HTTP/1.1\r\nHost: x\r\n\r\n")
            head = await client.until(b"\r\n\r\n")
            assert b"content-length: 9\r\n" in head
            await client.send(b"HEAD /hold HTTP/1.1\r\nHost: x\r\n\r\n")
            await holds(lambda: len(setup.handler.held) == 1)
            reply = setup.handler.held[0]
            reply.start(200, b"")
            reply.write(b"unseen")
            reply.end(b"unseen")
            assert b"chunked" in await client.until(b"\r\n\r\n")
            await client.send(POST)
            assert (await client.answer())[2].endswith(b"hello")
            client.writer.close()

    run(main)
