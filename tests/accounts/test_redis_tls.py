"""Redis over TLS, with client certificates, users, databases and Unix sockets: real ones all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.adapters.clock import LoopClock
from penstock.adapters.redis.connection import RedisConnection
from penstock.bootstrap.redis_part import connection_for
from penstock.config.load import load_text
from tests.accounts.houses import until
from tests.accounts.redis_server import RedisServer
from tests.clients.needed import needed
from tests.transport.certificates import Authority

HOST = "localhost"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Issues what server and client show each other."""
    made = Authority()
    (tmp_path / "ca.pem").write_bytes(made.pem)
    for name, host in (("server", HOST), ("client", "gateway.example")):
        certificate, key = made.pair(host)
        (tmp_path / f"{name}.pem").write_bytes(certificate)
        (tmp_path / f"{name}.key").write_bytes(key)
    return made


@pytest.fixture
def server(tmp_path: Path, authority: Authority) -> Iterator[RedisServer]:
    """A server that asks for a client's certificate and a user, over TLS; and a Unix socket besides."""
    del authority
    options = [
        *("--tls-cert-file", tmp_path / "server.pem", "--tls-key-file", tmp_path / "server.key"),
        *("--tls-ca-cert-file", tmp_path / "ca.pem", "--tls-auth-clients", "yes"),
        *("--unixsocket", tmp_path / "redis.sock", "--unixsocketperm", "700"),
        *("--user", "gateway", "on", ">s3cret", "~penstock:*", "&penstock:*", "+@all"),
    ]
    with RedisServer(needed("redis") / "redis-server", tmp_path, *map(str, options), tls=True) as running:
        yield running


def made(tmp_path: Path, url: str, *keys: str) -> RedisConnection:
    """A connection as a document asks for it."""
    tls = f", redis_tls: {{{', '.join(keys)}}}" if keys else ""
    text = f"version: 1\nserver: {{state_dir: '{tmp_path}', redis_url: '{url}'{tls}}}\n"
    return connection_for(load_text(text, {}), LoopClock(asyncio.get_running_loop()), "test")


async def works(connection: RedisConnection) -> bytes:
    """Who the server says we are."""
    connection.start()
    await until(lambda: connection.is_up)
    answer = await connection.ask("CLIENT", "INFO")
    await connection.close()
    assert isinstance(answer, (bytes, str))
    return answer if isinstance(answer, bytes) else answer.encode()


def test_both_sides_show_certificates(server: RedisServer, tmp_path: Path) -> None:
    """With CA and client certificate it logs in as its user, in its database."""

    async def run() -> None:
        url = f"rediss://gateway:s3cret@{HOST}:{server.tls_port}/3"
        files = (f"ca_file: {tmp_path}/ca.pem", f"cert: {tmp_path}/client.pem", f"key: {tmp_path}/client.key")
        said = await works(made(tmp_path, url, *files))
        assert b"user=gateway" in said
        assert b"db=3" in said

    asyncio.run(run())


def test_a_name_may_differ_from_the_address(server: RedisServer, tmp_path: Path) -> None:
    """Where the address is not in the certificate, `server_name` says whom to expect."""

    async def run() -> None:
        url = f"rediss://gateway:s3cret@127.0.0.1:{server.tls_port}/0"
        files = (f"ca_file: {tmp_path}/ca.pem", f"cert: {tmp_path}/client.pem", f"key: {tmp_path}/client.key")
        assert b"user=gateway" in await works(made(tmp_path, url, *files, f"server_name: {HOST}"))

    asyncio.run(run())


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        (("cert: {0}/client.pem", "key: {0}/client.key"), "certificate verify failed"),
        (("ca_file: {0}/ca.pem",), "trying on"),
        (
            (
                "ca_file: {0}/ca.pem",
                "cert: {0}/client.pem",
                "key: {0}/client.key",
                "server_name: other.example",
            ),
            "other.example",
        ),
    ],
    ids=["unknown authority", "no client certificate", "another name"],
)
def test_what_cannot_be_trusted_is_not_used(
    server: RedisServer,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    keys: tuple[str, ...],
    what: str,
) -> None:
    """An authority that we do not know, a certificate that we do not show, a name that is not the server's."""

    async def run() -> None:
        url = f"rediss://gateway:s3cret@{HOST}:{server.tls_port}/0"
        connection = made(tmp_path, url, *(key.format(tmp_path) for key in keys))
        connection.start()
        await until(lambda: what in caplog.text)
        assert not connection.is_up
        await connection.close()

    asyncio.run(run())
    assert "s3cret" not in caplog.text


@pytest.mark.usefixtures("server")
def test_a_unix_socket(tmp_path: Path) -> None:
    """`unix://` has path, login and database in one URL."""

    async def run() -> None:
        said = await works(made(tmp_path, f"unix://gateway:s3cret@{tmp_path}/redis.sock?db=5"))
        assert b"db=5" in said
        assert b"user=gateway" in said

    asyncio.run(run())
