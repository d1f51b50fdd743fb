"""How connections come to stand: refused, late, over TLS, through proxies, bounded and warmed."""

from __future__ import annotations

import asyncio
import base64
import socket
from pathlib import Path

import pytest

from penstock.adapters.http.dial import DialError, check_peer
from penstock.core.origin import Origin
from tests.server.doubles import holds, run
from tests.transport.certificates import Authority
from tests.transport.doubles import Peer, Recorder, client, upstream

GET = b"GET /path HTTP/1.1\r\nhost: x\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


async def answering(peer: Peer) -> None:
    """Answer every request."""
    while True:
        await peer.request()
        await peer.send(OK)


@pytest.mark.parametrize("peer", [("169.254.169.254", 80), ("fd00:ec2::254", 80, 0, 0)])
def test_whatever_a_name_resolves_to_metadata_are_not_asked(peer: tuple[object, ...]) -> None:
    """The configuration refuses the address; a name that leads there gets no request either."""
    with pytest.raises(DialError, match="metadata"):
        check_peer(peer)
    check_peer(("127.0.0.1", 80))


def test_a_port_where_nobody_listens_is_connect_refused() -> None:
    """The cause is told apart from others."""

    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as sock:
            port = sock.getsockname()[1]
        async with client() as http:
            one = Recorder()
            http.send(Origin("http", "127.0.0.1", port), GET, one, 10)
            assert await one.outcome() == "connect_refused"

    run(main)


def test_a_name_that_does_not_resolve_is_a_dns_error() -> None:
    """`.invalid` never resolves (RFC 6761, section 6.4)."""

    async def main() -> None:
        async with client() as http:
            one = Recorder()
            http.send(Origin("http", "no-such-host.invalid", 80), GET, one, 20)
            assert await one.outcome() in ("dns_error", "connect_timeout")

    run(main)


def test_a_name_that_cannot_be_one_is_a_dns_error() -> None:
    """An empty label is found before anybody is asked; the call must not wait until it is too late."""

    async def main() -> None:
        async with client() as http:
            one = Recorder()
            http.send(Origin("http", "model..test", 80), GET, one, 20)
            assert await one.outcome() == "dns_error"

    run(main)


def test_a_client_that_is_closed_takes_no_more_calls() -> None:
    """Whoever calls then, a retry of a call that the closing failed included, is told at once."""

    async def main() -> None:
        async with upstream(answering) as peer, client() as http:
            await http.close()
            one = Recorder()
            http.send(Origin("http", "127.0.0.1", peer.port), GET, one, 20)
            http.warm(Origin("http", "127.0.0.1", peer.port), 1, 20)
            assert one.outcomes == ["closed"]
            assert http.connections() == 0

    run(main)


def test_authorities_that_cannot_be_read_are_a_tls_error(tmp_path: Path) -> None:
    """Warming is quiet about it, and a call hears it at once, with the file's name."""

    async def main() -> None:
        async with client() as http:
            origin = Origin("https", "localhost", 1, ca_file=str(tmp_path / "missing.pem"))
            http.warm(origin, 2, 10)
            one = Recorder()
            http.send(origin, GET, one, 10)
            assert await one.outcome() == "tls_error"

    run(main)


def test_a_handshake_that_hangs_is_a_connect_timeout() -> None:
    """A peer that accepts and says nothing does not hold the call beyond connect_s."""

    async def main() -> None:
        async def silent(peer: Peer) -> None:
            await peer.reader.read(-1)

        async with upstream(silent) as peer, client() as http:
            one = Recorder()
            http.send(Origin("https", "127.0.0.1", peer.port), GET, one, 0.1)
            assert await one.outcome() == "connect_timeout"
            assert http.connections() == 0

    run(main)


@pytest.mark.parametrize("fault", ["", "wrong host", "expired", "untrusted", "not tls"])
def test_tls_upstreams_are_verified(fault: str, tmp_path: Path) -> None:
    """A certificate for another host, out of date or of an unknown authority ends the attempt."""

    async def main() -> None:
        authority, other = Authority(), Authority()
        context = authority.server(
            "other.test" if fault == "wrong host" else "localhost", expired=fault == "expired"
        )
        trusted = (other if fault == "untrusted" else authority).file(tmp_path)
        async with upstream(answering, None if fault == "not tls" else context) as peer, client() as http:
            origin = Origin("https", "localhost", peer.port, ca_file=trusted)
            outcomes: set[str] = set()
            for _ in range(3):
                one = Recorder()
                http.send(origin, GET, one, 0.5 if fault == "not tls" else 10)
                outcomes.add(await one.outcome())
            if not fault:
                assert (outcomes, peer.accepted) == ({"end"}, 1)
            else:
                assert outcomes <= {"tls_error", "connect_timeout"}
                assert http.connections() == 0

    run(main)


def test_tls_sessions_are_resumed(tmp_path: Path) -> None:
    """The second connection to an origin resumes the first one's session."""

    async def main() -> None:
        resumed: list[bool] = []

        async def script(peer: Peer) -> None:
            resumed.append(peer.writer.get_extra_info("ssl_object").session_reused)
            await peer.request()
            await peer.send(OK)

        authority = Authority()
        async with upstream(script, authority.server("localhost")) as peer, client() as http:
            origin = Origin("https", "localhost", peer.port, ca_file=authority.file(tmp_path))
            for _ in range(2):
                one = Recorder()
                http.send(origin, GET, one, 10)
                assert await one.outcome() == "end"
                await holds(lambda: http.connections() == 0)
        assert resumed == [False, True]

    run(main)


def test_a_tls_answer_without_length_needs_close_notify(tmp_path: Path) -> None:
    """An end of the connection that TLS did not announce is a cut, not the end of a body."""

    async def main() -> None:
        orderly = True

        async def script(peer: Peer) -> None:
            await peer.request()
            await peer.send(b"HTTP/1.1 200 OK\r\n\r\nok")
            if not orderly:
                await asyncio.sleep(0.01)
                peer.writer.transport.abort()

        authority = Authority()
        async with upstream(script, authority.server("localhost")) as peer, client() as http:
            origin = Origin("https", "localhost", peer.port, ca_file=authority.file(tmp_path))
            for orderly, outcome in ((True, "end"), (False, "cut")):  # noqa: B007 - the script reads it
                one = Recorder()
                http.send(origin, GET, one, 10)
                assert (await one.outcome(), one.body) == (outcome, b"ok")

    run(main)


def test_a_pool_grows_to_its_bound_and_calls_beyond_wait() -> None:
    """No more connections than allowed; a call that waits too long fails, others get their turn."""

    async def main() -> None:
        go = asyncio.Event()

        async def script(peer: Peer) -> None:
            while True:
                await peer.request()
                await go.wait()
                await peer.send(OK)

        async with upstream(script) as peer, client(max_connections=2) as http:
            origin = Origin("http", "127.0.0.1", peer.port)
            calls = [Recorder() for _ in range(6)]
            for one in calls[:5]:
                http.send(origin, GET, one, 10)
            http.send(origin, GET, calls[5], 0.0)
            await holds(lambda: peer.accepted == 2)
            http.sweep(http.clock.monotonic() + 1)
            assert await calls[5].outcome() == "connect_timeout"
            go.set()
            assert [await one.outcome() for one in calls[:5]] == ["end"] * 5
            assert (peer.accepted, http.connections()) == (2, 2)

    run(main)


def test_a_warmed_pool_has_its_connections_before_the_first_call() -> None:
    """Warming opens what is missing and no more; the first call then reuses none but waits for none."""

    async def main() -> None:
        async with upstream(answering) as peer, client() as http:
            origin = Origin("http", "127.0.0.1", peer.port)
            http.warm(origin, 3, 10)
            http.warm(origin, 3, 10)
            await holds(lambda: http.connections() == 3 == peer.accepted)
            one = Recorder()
            http.send(origin, GET, one, 10)
            assert one.reused is False
            assert await one.outcome() == "end"
            assert peer.accepted == 3

    run(main)


def test_plain_requests_go_to_a_proxy_in_absolute_form() -> None:
    """RFC 9112, section 3.2.2, with the credentials of the proxy's URL."""

    async def main() -> None:
        heads: list[bytes] = []

        async def proxy(peer: Peer) -> None:
            heads.append(await peer.request())
            await peer.send(OK)

        async with upstream(proxy) as peer, client() as http:
            one = Recorder()
            origin = Origin("http", "model.test", 8000, proxy=f"http://me:p%40ss@127.0.0.1:{peer.port}")
            http.send(origin, GET, one, 10)
            assert await one.outcome() == "end"
        pair = base64.b64encode(b"me:p@ss")
        assert heads[0].startswith(
            b"GET http://model.test:8000/path HTTP/1.1\r\nproxy-authorization: Basic "
            + pair
            + b"\r\nhost: x\r\n"
        )

    run(main)


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 200 Connection established\r\n\r\n", b"HTTP/1.1 407 No\r\n\r\n", b"junk\r\n\r\n", b""]
)
def test_tls_goes_through_a_proxys_tunnel(answer: bytes, tmp_path: Path) -> None:
    """CONNECT first, then TLS with the origin itself; a proxy that refuses ends the attempt."""

    async def main() -> None:
        heads: list[bytes] = []

        async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while data := await reader.read(65536):
                writer.write(data)
            writer.close()

        async def proxy(peer: Peer) -> None:
            heads.append(await peer.request())
            await peer.send(answer)
            if b"200" not in answer:
                return
            reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
            try:
                await asyncio.gather(pump(peer.reader, writer), pump(reader, peer.writer))
            finally:
                writer.close()

        authority = Authority()
        async with (
            upstream(answering, authority.server("localhost")) as target,
            upstream(proxy) as peer,
            client() as http,
        ):
            origin = Origin(
                "https",
                "localhost",
                target.port,
                ca_file=authority.file(tmp_path),
                proxy=f"http://127.0.0.1:{peer.port}",
            )
            one = Recorder()
            http.send(origin, GET, one, 10)
            expected = {
                b"HTTP/1.1 2": "end",
                b"HTTP/1.1 4": "proxy_refused",
                b"junk\r\n\r\n": "proxy_error",
                b"": "connect_error",
            }
            assert await one.outcome() == expected[answer[:10]]
            assert heads[0].startswith(f"CONNECT localhost:{target.port} HTTP/1.1\r\n".encode())

    run(main)
