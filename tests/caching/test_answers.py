"""One suite for all stores of answers: in memory, in a file, in a real Redis."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.adapters.answers.file import AnswerFile
from penstock.adapters.answers.memory import MemoryAnswers
from penstock.adapters.answers.thread import ThreadedAnswers
from penstock.adapters.clock import LoopClock
from penstock.adapters.redis.address import RedisAddress
from penstock.adapters.redis.answers import PREFIX, RedisAnswers
from penstock.adapters.redis.connection import RedisConnection
from penstock.adapters.secrets.aesgcm import AesGcmBox
from penstock.core.kept import Kept, Purge
from penstock.core.s3_fifo import S3Fifo
from penstock.core.usage import Usage
from penstock.ports.answers import Answers, AnswersTold
from tests.accounts.redis_server import RedisServer
from tests.clients.needed import needed

NOW = 1_800_000_000_000
BOX = AesGcmBox(bytes(32))
Place = Callable[[Path], AbstractAsyncContextManager[Answers]]


def entry(key: bytes = b"k" * 32, **changes: object) -> Kept:
    """An entry that is good for a minute."""
    with_usage = False
    kept = Kept(
        key,
        "acme",
        "one",
        "ann",
        "dev",
        "chat",
        "sim/echo",
        ("feature=faq", "user=ann"),
        NOW,
        NOW,
        NOW + 60_000,
        NOW + 120_000,
        "openai.chat",
        "",
        with_usage,
        b'{"secret":"of somebody"}',
        Usage(input_tokens=3, output_tokens=4),
        1234,
    )
    return msgspec.structs.replace(kept, **changes)


@asynccontextmanager
async def memory(folder: Path) -> AsyncGenerator[Answers]:
    """In this process."""
    del folder
    yield MemoryAnswers(1_000_000)


@asynccontextmanager
async def file(folder: Path) -> AsyncGenerator[Answers]:
    """In a file, in a thread of its own."""
    loop, errors = asyncio.get_running_loop(), list[Exception]()
    answers = ThreadedAnswers(
        lambda: AnswerFile(folder / "answers.db", BOX, 1_000_000), loop.call_soon_threadsafe, errors.append
    )
    yield answers
    answers.close()
    assert errors == []


def connection_to(server: RedisServer) -> RedisConnection:
    """A connection as the gateway has it."""
    clock = LoopClock(asyncio.get_running_loop())
    return RedisConnection(RedisAddress.parse(server.url), clock, random.random)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition. Raises TimeoutError."""
    for _ in range(2_000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


def nothing(purge: Purge) -> None:
    """Nobody hears of it."""


@asynccontextmanager
async def redis(folder: Path) -> AsyncGenerator[Answers]:
    """In a server of its own."""
    with RedisServer(needed("redis") / "redis-server", folder) as server:
        connection = connection_to(server)
        answers = RedisAnswers(connection, BOX, lambda: NOW, nothing)
        connection.start()
        await until(lambda: answers.fresh)
        yield answers
        await connection.close()


STORES = pytest.mark.parametrize("place", [memory, file, redis])


async def find(answers: Answers, key: bytes, now_ms: int = NOW) -> Kept | None:
    """What it has under a key."""
    told: asyncio.Future[Kept | None] = asyncio.get_running_loop().create_future()
    answers.find(key, now_ms, told.set_result)
    return await asyncio.wait_for(told, 10)


async def drop(answers: Answers, purge: Purge) -> int | None:
    """Take entries away."""
    told: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()

    def then(count: int | None, why: str) -> None:
        assert why == ""
        told.set_result(count)

    answers.drop(purge, then)
    return await asyncio.wait_for(told, 10)


@STORES
def test_what_is_kept_is_found(place: Place, tmp_path: Path) -> None:
    """The whole entry, under its key alone, and the newest one of a key."""

    async def main() -> None:
        async with place(tmp_path) as answers:
            assert await find(answers, b"k" * 32) is None
            answers.keep(entry(), NOW)
            assert await find(answers, b"k" * 32) == entry()
            assert await find(answers, b"j" * 32) is None
            answers.keep(entry(body=b"newer"), NOW)
            found = await find(answers, b"k" * 32)
            assert found is not None
            assert found.body == b"newer"

    asyncio.run(main())


@STORES
def test_what_has_ended_is_not_found(place: Place, tmp_path: Path) -> None:
    """Too old for every day it may still answer an outage; once that is over, it is gone."""

    async def main() -> None:
        async with place(tmp_path) as answers:
            answers.keep(entry(), NOW)
            assert await find(answers, b"k" * 32, NOW + 60_001) == entry()
            assert await find(answers, b"k" * 32, NOW + 120_000) is None
            answers.keep(entry(b"l" * 32, ends_ms=NOW), NOW)
            assert await find(answers, b"l" * 32) is None

    asyncio.run(main())


TAKING = [
    (Purge(NOW), True),
    (Purge(NOW - 1), False),
    (Purge(NOW, org="acme"), True),
    (Purge(NOW, org="other"), False),
    (Purge(NOW, route="chat"), True),
    (Purge(NOW, route="cha"), False),
    (Purge(NOW, tag="feature=faq"), True),
    (Purge(NOW, tag="feature"), False),
    (Purge(NOW, tag="feature=fa"), False),
    (Purge(NOW, key="dev"), True),
    (Purge(NOW, key="prod"), False),
    (Purge(NOW, user="ann"), True),
    (Purge(NOW, user="joe"), False),
    (Purge(NOW, entry=entry().name), True),
    (Purge(NOW, entry=entry().name[:6]), True),
    (Purge(NOW, entry="ff"), False),
    (Purge(NOW, org="acme", route="chat", tag="user=ann"), True),
    (Purge(NOW, org="acme", route="other"), False),
]


@STORES
def test_what_is_taken_away_is_not_found(place: Place, tmp_path: Path) -> None:
    """Everything that is named must hold, and the request must have come before."""

    async def main() -> None:
        async with place(tmp_path) as answers:
            for purge, takes in sorted(TAKING, key=lambda each: each[1]):
                answers.keep(entry(), NOW)
                assert await drop(answers, purge) in {None, int(takes)}
                assert (await find(answers, b"k" * 32) is None) == takes, purge
                if place is redis and takes:
                    break  # there it stays taken, whenever it arrives

    asyncio.run(main())


@given(st.sampled_from(TAKING))
def test_the_rule_is_the_same_everywhere(case: tuple[Purge, bool]) -> None:
    """Purge.takes is what stores do."""
    assert case[0].takes(entry()) == case[1]


@pytest.mark.parametrize("place", [file, redis])
def test_nobody_else_can_read_what_is_stored(place: Place, tmp_path: Path) -> None:
    """Neither the file nor Redis has a word of the answer, and another key opens none."""

    async def main() -> None:
        async with place(tmp_path) as answers:
            answers.keep(entry(), NOW)
            assert await find(answers, b"k" * 32) == entry()
            if place is redis:
                assert isinstance(answers, RedisAnswers)
                raw = await raw_of(answers)
                assert raw
                assert b"somebody" not in raw
                assert b"acme" not in raw

    asyncio.run(main())
    if place is file:
        data = b"".join(each.read_bytes() for each in tmp_path.glob("answers.db*"))
        assert b"somebody" not in data
        strange = AnswerFile(tmp_path / "answers.db", AesGcmBox(b"1" * 32), 1_000_000)
        assert strange.find(b"k" * 32, NOW) is None
        strange.close()


async def raw_of(answers: RedisAnswers) -> bytes:
    """What Redis itself has under the key."""
    reply = await answers.connection.ask("GET", PREFIX + (b"k" * 32).hex().encode())
    assert isinstance(reply, bytes)
    return reply


def test_an_entry_under_another_ones_key_does_not_open(tmp_path: Path) -> None:
    """Somebody who can write to the file cannot give one question's answer to another."""
    store = AnswerFile(tmp_path / "answers.db", BOX, 1_000_000)
    store.keep(entry(), NOW)
    store.close()
    with sqlite3.connect(tmp_path / "answers.db") as db:
        db.execute("UPDATE answers SET key = ?", (b"j" * 32,))
    db.close()
    again = AnswerFile(tmp_path / "answers.db", BOX, 1_000_000)
    assert again.find(b"j" * 32, NOW) is None
    again.close()


def test_the_file_stays_within_its_bounds(tmp_path: Path) -> None:
    """What was not used for the longest time goes first; what is still used stays."""
    store = AnswerFile(tmp_path / "answers.db", BOX, 60_000)
    draw = random.Random(1)
    first = entry(bytes(32), body=draw.randbytes(2_000))
    store.keep(first, NOW)
    for number in range(1, 60):
        now_ms = NOW + number * 61_000
        store.keep(entry(bytes([number]) * 32, body=draw.randbytes(2_000), ends_ms=NOW + 10**9), now_ms)
        if number == 1:
            store.keep(msgspec.structs.replace(first, ends_ms=NOW + 10**9), now_ms)
        assert store.find(bytes(32), now_ms) is not None, number
        told = store.told()
        assert told.size is not None
        assert told.size <= 60_000
    assert store.find(b"\x02" * 32, NOW + 59 * 61_000) is None
    store.close()


def test_gateways_of_several_machines_hear_of_what_is_taken_away(tmp_path: Path) -> None:
    """By message while they are connected; by reading all of it when they come back."""

    async def main() -> None:
        with RedisServer(needed("redis") / "redis-server", tmp_path) as server:
            heard: list[Purge] = []
            one, two = connection_to(server), connection_to(server)
            mine = RedisAnswers(one, BOX, lambda: NOW, nothing)
            theirs = RedisAnswers(two, BOX, lambda: NOW, heard.append)
            one.start()
            two.start()
            await until(lambda: mine.fresh and theirs.fresh)
            theirs.keep(entry(), NOW)
            assert await find(theirs, b"k" * 32) == entry()
            await drop(mine, Purge(NOW, route="chat"))
            await until(lambda: bool(heard))
            assert await find(theirs, b"k" * 32) is None
            two.abort()
            await until(lambda: not theirs.fresh)
            await drop(mine, Purge(NOW, route="other"))
            await until(lambda: theirs.fresh)
            assert heard == [Purge(NOW, route="chat"), Purge(NOW, route="other")]
            await one.close()
            await two.close()

    asyncio.run(main())


def test_without_redis_nothing_is_found(tmp_path: Path) -> None:
    """Whoever cannot hear what was taken away serves nothing."""

    async def main() -> None:
        with RedisServer(needed("redis") / "redis-server", tmp_path) as server:
            connection = connection_to(server)
        answers = RedisAnswers(connection, BOX, lambda: NOW, nothing)
        connection.start()
        assert not answers.fresh
        assert await find(answers, b"k" * 32) is None
        told: list[tuple[int | None, str]] = []
        answers.drop(Purge(NOW), lambda count, why: told.append((count, why)))
        await until(lambda: bool(told))
        assert told[0][0] is None
        assert "Redis" in told[0][1]
        await connection.close()

    asyncio.run(main())


def test_a_file_that_cannot_be_opened_is_a_miss() -> None:
    """Nothing of a request fails for it; who takes entries away is told."""

    async def main() -> None:
        errors: list[Exception] = []

        def broken() -> AnswerFile:
            raise OSError("no such disk")

        answers = ThreadedAnswers(broken, asyncio.get_running_loop().call_soon_threadsafe, errors.append)
        assert await find(answers, b"k" * 32) is None
        told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        answers.drop(Purge(NOW), lambda _, why: told.set_result(why))
        assert "no such disk" in await told
        counts: asyncio.Future[AnswersTold] = asyncio.get_running_loop().create_future()
        answers.told(counts.set_result)
        assert (await counts).errors == 3
        assert len(errors) == 3
        answers.close()

    asyncio.run(main())


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 90), st.sampled_from("pgr")), max_size=300))
def test_memory_never_holds_more_than_it_may(steps: list[tuple[int, int, str]]) -> None:
    """Put, get and remove in any order: the bytes are those of what is there, and never too many."""
    queue, sizes = S3Fifo(1_000), dict[bytes, int]()
    for number, size, what in steps:
        key = bytes([number])
        if what == "p":
            queue.put(key, number, size)
            sizes[key] = size
        elif what == "g":
            assert queue.get(key) in {None, number}
        else:
            queue.remove(key)
            assert queue.get(key) is None
        held = list(queue.values())
        assert queue.bytes == sum(sizes[bytes([value])] for value in held)
        assert queue.bytes <= 1_000
        assert len(queue) == len(held)


def test_a_flood_of_single_questions_pushes_nothing_useful_out() -> None:
    """What is asked for again and again survives a scan of a hundred times its size."""
    queue = S3Fifo(100_000)
    hot = [bytes([number]) for number in range(50)]
    for key in hot:
        queue.put(key, key, 1_000)
        queue.get(key)
    for number in range(5_000):
        queue.put(b"cold %d" % number, b"", 1_000)
        if number % 10 == 0:
            queue.get(hot[number // 10 % 50])
    assert sum(queue.get(key) is not None for key in hot) >= 45
