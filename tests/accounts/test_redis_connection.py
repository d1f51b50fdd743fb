"""The connection to a real Redis: order, channels, logins, and what it says of trouble."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.adapters.clock import LoopClock
from penstock.adapters.redis.address import RedisAddress, RedisUrlError
from penstock.adapters.redis.connection import RedisConnection, RedisGoneError
from tests.accounts.houses import until
from tests.accounts.redis_server import RedisServer
from tests.clients.needed import needed


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A server with a password."""
    with RedisServer(needed("redis") / "redis-server", tmp_path, "--requirepass", "s3cret") as running:
        yield running


def connection(server: RedisServer, password: str = "s3cret") -> RedisConnection:  # noqa: S107
    """One to that server, database 2."""
    address = RedisAddress.parse(f"redis://:{password}@127.0.0.1:{server.port}/2")
    return RedisConnection(address, LoopClock(asyncio.get_running_loop()), random.random)


def test_answers_come_in_order_and_channels_between(server: RedisServer) -> None:
    """Each call gets its own answer; messages reach who subscribed, on every later connection too."""

    async def run() -> None:
        one, other = connection(server), connection(server)
        heard: list[bytes] = []
        one.subscribe("news", heard.append)
        one.start()
        other.start()
        await until(lambda: one.is_up and other.is_up)
        answers = await asyncio.gather(*(one.ask("ECHO", f"word{number}") for number in range(500)))
        assert answers == [f"word{number}".encode() for number in range(500)]
        other.publish("news", "first")
        await until(lambda: heard == [b"first"])
        one.abort()
        await until(lambda: not one.is_up)
        with pytest.raises(RedisGoneError):
            await one.ask("PING")
        await until(lambda: one.is_up)
        await one.ask("PING")
        other.publish("news", "second")
        await until(lambda: heard == [b"first", b"second"])
        await one.close()
        await other.close()

    asyncio.run(run())


def test_a_wrong_password_is_said_without_it(server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    """The log names the setting to change, never the secret, and trying goes on."""

    async def run() -> None:
        wrong = connection(server, "wr0ngpass")
        wrong.start()
        await until(lambda: "server.redis_url" in caplog.text)
        assert not wrong.is_up
        await wrong.close()

    asyncio.run(run())
    assert "wr0ngpass" not in caplog.text


@pytest.mark.parametrize(
    "url", ["http://a", "redis://", "redis://h:x/0", "redis://h/zero", "redis://u:hidden@h/0?x=1", "unix://"]
)
def test_bad_urls_are_refused(url: str) -> None:
    """What is no Redis URL is refused with the forms that are, and its password is not repeated."""
    with pytest.raises(RedisUrlError, match="rediss://") as refused:
        RedisAddress.parse(url)
    assert "hidden" not in str(refused.value)


def test_addresses_hide_their_password() -> None:
    """Text and repr of an address have host, port and database, and not the password."""
    address = RedisAddress.parse("rediss://jane:s%2Fecret@cache.example:6390/3")
    assert (address.host, address.port, address.database, address.user) == ("cache.example", 6390, 3, "jane")
    assert (address.password, address.tls) == ("s/ecret", True)  # codespell:ignore ecret
    assert "ecret" not in f"{address} {address!r}"  # codespell:ignore ecret
