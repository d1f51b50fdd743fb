"""The upstream client against scripted peers: every way an answer can be framed, cut or wrong."""

from __future__ import annotations

import asyncio

import pytest

from penstock.core.origin import Origin
from tests.server.doubles import holds, run
from tests.transport.doubles import Peer, Recorder, client, upstream

GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"

ANSWERS = {
    "length": (OK, True, "end", b"ok"),
    "chunked": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x=y\r\no\r\n1\r\nk\r\n0\r\nTrailer: t\r\n\r\n",
        True,
        "end",
        b"ok",
    ),
    "closed": (b"HTTP/1.1 200 OK\r\n\r\nok", False, "end", b"ok"),
    "interim": (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nlink: a\r\n\r\n" + OK, True, "end", b"ok"),
    "connection close": (OK.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"), False, "end", b"ok"),
    "http 1.0": (OK.replace(b"1.1", b"1.0", 1), False, "end", b"ok"),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", True, "end", b""),
    "extra message": (OK + OK, False, "end", b"ok"),
    "extra junk": (OK + b"junk junk", False, "end", b"ok"),
    "cut length": (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok", False, "cut", b"ok"),
    "cut chunk": (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n", False, "cut", b"ok"),
    "cut head": (b"HTTP/1.1 200 OK\r\ncont", False, "reset", b""),
    "nothing": (b"", False, "reset", b""),
    "not http": (b"SSH-2.0-OpenSSH\r\n\r\n", False, "bad_response", b""),
    "two lengths": (
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok",
        False,
        "bad_response",
        b"",
    ),
    "head too large": (b"HTTP/1.1 200 OK\r\na: " + b"a" * 600_000, False, "bad_response", b""),
    "switch": (
        b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n",
        False,
        "bad_response",
        b"",
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_ends_as_its_framing_says(name: str) -> None:
    """The handler hears the right end and body, and the connection is kept only where that is safe."""
    answer, kept, outcome, body = ANSWERS[name]

    async def main() -> None:
        async def script(peer: Peer) -> None:
            await peer.request()
            await peer.send(answer)
            if kept:
                await peer.request()
                await peer.send(OK)

        async with upstream(script) as peer, client() as http:
            origin = Origin("http", "127.0.0.1", peer.port)
            first, second = Recorder(), Recorder()
            http.send(origin, GET, first, 10)
            assert (await first.outcome(), first.body) == (outcome, body)
            assert http.connections() == int(kept)
            if kept:
                http.send(origin, GET, second, 10)
                assert (await second.outcome(), second.body, second.reused) == ("end", b"ok", True)

    run(main)


@pytest.mark.parametrize("name", ["length", "chunked", "interim", "204"])
def test_an_answer_cut_at_any_byte_is_read_the_same(name: str) -> None:
    """Wherever the network cuts the answer, status, body and reuse are the same."""
    answer, _, _, body = ANSWERS[name]

    async def main() -> None:
        async def script(peer: Peer) -> None:
            for at in range(1, len(answer)):
                await peer.request()
                await peer.send(answer[:at])
                await asyncio.sleep(0.001)
                await peer.send(answer[at:])

        async with upstream(script) as peer, client() as http:
            for _ in range(1, len(answer)):
                one = Recorder()
                http.send(Origin("http", "127.0.0.1", peer.port), GET, one, 10)
                assert (await one.outcome(), one.body) == ("end", body)
            assert peer.accepted == 1

    run(main)


def test_what_comes_after_an_answer_never_reaches_the_next_caller() -> None:
    """Bytes that arrive on an idle connection close it; the next call gets a fresh one."""

    async def main() -> None:
        async def script(peer: Peer) -> None:
            await peer.request()
            await peer.send(OK)
            await asyncio.sleep(0.01)
            await peer.send(OK.replace(b"ok", b"no"))
            await peer.reader.read()

        async with upstream(script) as peer, client() as http:
            origin = Origin("http", "127.0.0.1", peer.port)
            for number in (1, 2):
                one = Recorder()
                http.send(origin, GET, one, 10)
                assert (await one.outcome(), one.body) == ("end", b"ok")
                await holds(lambda: http.connections() == 0)
                assert peer.accepted == number

    run(main)


def test_an_idle_connection_that_the_upstream_closes_is_not_used() -> None:
    """A stale connection leaves the pool; after IDLE_TIMEOUT_S the pool closes one itself."""

    async def main() -> None:
        async def script(peer: Peer) -> None:
            await peer.request()
            await peer.send(OK)
            if upstream_closes:
                return
            await peer.reader.read()

        async with upstream(script) as peer, client() as http:
            origin = Origin("http", "127.0.0.1", peer.port)
            for upstream_closes in (True, False):
                one = Recorder()
                http.send(origin, GET, one, 10)
                await one.outcome()
                if not upstream_closes:
                    http.sweep(http.clock.monotonic() + 60)
                await holds(lambda: http.connections() == 0)

    run(main)


def test_a_paused_answer_is_held_back_and_reading_goes_on_for_the_next_call() -> None:
    """A pause stops the socket, and one that lasts to the answer's end does not starve the next call."""

    async def main() -> None:
        async def script(peer: Peer) -> None:
            while True:
                await peer.request()
                await peer.send(OK)

        class Pausing(Recorder):
            def on_data(self, data: bytes) -> None:
                super().on_data(data)
                call.pause()

        async with upstream(script) as peer, client() as http:
            origin = Origin("http", "127.0.0.1", peer.port)
            for _ in range(3):
                one = Pausing()
                call = http.send(origin, GET, one, 10)
                assert await one.outcome() == "end"
            assert peer.accepted == 1

    run(main)


@pytest.mark.parametrize("moment", ["queued", "head", "data", "end"])
def test_a_cancelled_call_hears_nothing_more_and_leaks_nothing(moment: str) -> None:
    """Cancelled while connecting, in any callback or after the end: no later callback, no used connection."""

    async def main() -> None:
        async def script(peer: Peer) -> None:
            await peer.request()
            await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nok")
            await asyncio.sleep(0.005)
            await peer.send(b"ok")
            await peer.reader.read()

        class Cancelling(Recorder):
            def on_head(self, status: int, headers: dict[bytes, bytes]) -> None:
                super().on_head(status, headers)
                if moment == "head":
                    call.cancel()

            def on_data(self, data: bytes) -> None:
                super().on_data(data)
                if moment == "data":
                    call.cancel()

            def on_end(self) -> None:
                super().on_end()
                call.cancel()

        async with upstream(script) as peer, client() as http:
            one = Cancelling()
            call = http.send(Origin("http", "127.0.0.1", peer.port), GET, one, 10)
            if moment == "queued":
                call.cancel()
            if moment == "end":
                await one.outcome()
            await asyncio.sleep(0.05)
            assert one.outcomes == (["end"] if moment == "end" else [])
            assert one.body == {"queued": b"", "head": b"", "data": b"ok", "end": b"okok"}[moment]
            assert http.connections() == int(moment in ("queued", "end"))
            call.cancel()

    run(main)
