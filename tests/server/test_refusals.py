"""What bad input gets: the right status, then the end of the connection."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest

from penstock.server.limits import ServerLimits
from tests.server.doubles import holds, run, serving

H = b"POST / HTTP/1.1\r\nHost: x\r\n"
C = H + b"Transfer-Encoding: chunked\r\n\r\n"
G = b"GET / HTTP/1.1\r\n"

BAD = {
    "conflicting lengths": (H + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", 400),
    "the same length twice": (H + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400),
    "length as a list": (H + b"Content-Length: 5, 5\r\n\r\nhello", 400),
    "length with a sign": (H + b"Content-Length: +5\r\n\r\nhello", 400),
    "length and coding": (H + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "coding and length": (H + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400),
    "coding not chunked": (H + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    "coding like chunked": (H + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501),
    "coding twice": (H + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "coding in 1.0": (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "folded line": (G + b"Host: x\r\nA: b\r\n c\r\n\r\n", 400),
    "bare LF": (G + b"Host: x\nA: b\r\n\r\n", 400),
    "bare CR": (G + b"Host: x\rA: b\r\n\r\n", 400),
    "NUL in a value": (G + b"Host: x\r\nA: b\0c\r\n\r\n", 400),
    "NUL in the target": (b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "space before the colon": (G + b"Host : x\r\n\r\n", 400),
    "chunk size with sign": (C + b"+5\r\nhello\r\n0\r\n\r\n", 400),
    "chunk size not hex": (C + b"5g\r\nhello\r\n0\r\n\r\n", 400),
    "chunk size too large": (C + b"fffffffffffffffff\r\n", 400),
    "chunk without CRLF": (C + b"5\r\nhelloo\r\n0\r\n\r\n", 400),
    "chunk with LF": (C + b"5\nhello\n0\n\n", 400),
    "two hosts": (G + b"Host: x\r\nHost: y\r\n\r\n", 400),
    "no host": (G + b"\r\n", 400),
    "host with a path": (G + b"Host: x/y\r\n\r\n", 400),
    "two credentials": (G + b"Host: x\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n", 400),
    "two api keys": (G + b"Host: x\r\nX-Api-Key: a\r\nx-api-key: b\r\n\r\n", 400),
    "two content types": (G + b"Host: x\r\nContent-Type: a\r\nContent-Type: b\r\n\r\n", 400),
    "unknown expectation": (H + b"Expect: tea\r\nContent-Length: 0\r\n\r\n", 417),
    "unknown method": (b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "method not served": (b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", 405),
    "CONNECT": (b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 405),
    "HTTP/0.9": (b"GET /\r\n\r\n", 505),
    "HTTP/2.0": (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
    "TLS on a plain port": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "body too large, said": (H + b"Content-Length: 1001\r\n\r\n", 413),
    "body too large, chunked": (C + b"3e9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n", 413),
    "head too large": (G + b"Host: x\r\nA: " + b"a" * 3000 + b"\r\n\r\n", 431),
    "head without an end": (G + b"Host: x\r\nA: " + b"a" * 3000, 431),
    "too many fields": (G + b"Host: x\r\n" + b"A: b\r\n" * 30 + b"\r\n", 431),
    "target too long": (b"GET /" + b"a" * 300 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    "cut in the body": (H + b"Content-Length: 5\r\n\r\nhell", 400),
    "cut in the head": (G + b"Host: x", 400),
    "cut in the method": (b"GE", 400),
}
SMALL = ServerLimits(max_body_bytes=1000, max_head_bytes=2000, max_headers=20, max_target_bytes=200)


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_and_the_connection_closed(name: str) -> None:
    """Each fault gets its status, no request reaches the handler, and nothing behind it is read."""

    async def main() -> None:
        request, status = BAD[name]
        async with serving(SMALL) as setup:
            whole = await setup.exchange(request)
            assert int(whole.split(b" ", 2)[1]) == status
            assert b"connection: close" in whole
            assert not setup.handler.requests
            hurried = await setup.exchange(request[:-1])
            assert hurried.count(b"HTTP/1.1 ") <= 1

    run(main)


def test_nothing_behind_a_fault_is_read_as_a_request() -> None:
    """A request smuggled behind a broken one never reaches the handler."""

    async def main() -> None:
        async with serving(SMALL) as setup:
            for request in [pair[0] for name, pair in BAD.items() if not name.startswith("cut")]:
                await setup.exchange(request + b"\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
            assert not [r for r in setup.handler.requests if r.path == "/smuggled"]

    run(main)


def test_a_request_before_a_fault_is_answered_first() -> None:
    """Good requests that came in one piece with a broken one get their answers."""

    async def main() -> None:
        async with serving() as setup:
            good = b"GET /good HTTP/1.1\r\nHost: x\r\n\r\n"
            answer = await setup.exchange(good + BAD["bare LF"][0])
            assert answer.index(b"GET /good?") < answer.index(b"HTTP/1.1 400")

    run(main)


def test_a_body_that_is_nearly_all_framing_is_refused() -> None:
    """Chunk extensions cannot make us read without end for a body that stays small."""

    async def main() -> None:
        async with serving() as setup:
            client = await setup.connect()
            await client.send(C)
            client.writer.write((b"1;" + b"e" * 4000 + b"\r\nx\r\n") * 10)
            assert (await client.answer())[0] == 400
            client.writer.close()

    run(main)


@pytest.mark.parametrize("sent", [b"GET / HT", H + b"Content-Length: 9\r\n\r\nhalf"])
def test_a_slow_request_gets_408(sent: bytes) -> None:
    """A head or a body that does not come in time is answered and the connection closed."""

    async def main() -> None:
        async with serving(ServerLimits(head_timeout_s=0.2, body_idle_s=0.2)) as setup:
            client = await setup.connect()
            await client.send(sent)
            assert (await client.answer())[0] == 408
            assert await client.rest() == b""
            client.writer.close()

    run(main)


@pytest.mark.parametrize("sent", [b"", b"\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_an_idle_connection_is_closed_without_a_word(sent: bytes) -> None:
    """Who sends nothing, or nothing more, is not told an error."""

    async def main() -> None:
        async with serving(ServerLimits(head_timeout_s=0.2, keep_alive_s=0.2)) as setup:
            client = await setup.connect()
            await client.send(sent)
            assert b"408" not in await client.rest()
            client.writer.close()

    run(main)


@pytest.mark.parametrize("how", ["fin", "reset"])
def test_a_client_that_hangs_up_is_noticed_during_its_answer(how: str) -> None:
    """FIN or reset during the answer reaches whoever answers, once; writing on is harmless."""

    async def main() -> None:
        async with serving() as setup:
            client = await setup.connect()
            await client.send(b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n")
            await holds(lambda: len(setup.handler.held) == 1)
            reply = setup.handler.held[0]
            reply.start(200, b"")
            if how == "fin":
                client.writer.write_eof()
            else:
                sock = client.writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.writer.transport.abort()
            await holds(lambda: setup.handler.told == ["gone"])
            reply.write(b"x")
            reply.end()
            reply.abort()
            await asyncio.sleep(0.02)
            assert setup.handler.told == ["gone"]
            client.writer.close()

    run(main)
