"""What was spent before Redis knew of it: told by every machine's ledger, never forgotten and never twice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from penstock.adapters.clock import LoopClock
from penstock.adapters.redis.accounts import RedisShares
from penstock.adapters.redis.address import RedisAddress
from penstock.adapters.redis.connection import RedisConnection
from penstock.adapters.redis.seeding import Words
from penstock.bootstrap.redis_part import OLD_S, words_of
from penstock.core.allowance import CounterRule
from penstock.core.budget import FOREVER_MS
from penstock.ledger.accounts_replay import Snapshot, Spending
from penstock.ports.ledger import Position
from tests.accounts.houses import PACE, Part, RedisHouse, new_word, redis_house, until
from tests.clients.needed import needed

COUNTER = "key:k|usd|total|UTC|hard|0"
BUDGET = CounterRule("budget", 100, 0.0, FOREVER_MS)


class Machine:
    """A gateway, and what its machine's ledgers say."""

    def __init__(self, house: RedisHouse, name: str, *sources: str) -> None:
        self.words: dict[str, Mapping[str, int] | None] = {}
        self.asked = 0
        self._server = house.server
        clock = LoopClock(asyncio.get_running_loop())
        self.connection = RedisConnection(RedisAddress.parse(house.server.url), clock, random.random)
        self.shares = RedisShares(
            self.connection, clock, name, word=new_word, sources=sources, earlier=self._earlier, pace=PACE
        )
        self.connection.start()

    def _earlier(self, counter: str, rule: CounterRule, then: Callable[[Words], None]) -> None:
        del counter, rule
        self.asked += 1
        then(dict(self.words))

    async def left(self) -> int:
        """How much of the budget it can have, all others' being given back."""
        await until(lambda: self.shares.ready)
        part = Part(self.shares, COUNTER, BUDGET)
        left = 0
        for amount in range(100, 0, -1):
            word, _ = await part.get(amount)
            if word == "granted":
                left = amount
                break
        self.shares.close(COUNTER)
        await until(
            lambda: self._server.say(f"HGET penstock:c:{COUNTER} leased") in {b"$1\r\n0\r\n", b"$-1\r\n"}
        )
        return left

    def end(self) -> None:
        """As `kill -9` does."""
        self.shares.halt()
        self.connection.halt()


@asynccontextmanager
async def machines(house: RedisHouse, *sources: tuple[str, ...]) -> AsyncGenerator[list[Machine]]:
    """One with each of these sources."""
    made = [Machine(house, new_word(), *each) for each in sources]
    yield made
    for each in made:
        each.end()


def play(test: Callable[[RedisHouse], Awaitable[None]]) -> None:
    """Run it with a server of its own."""

    async def whole() -> None:
        async with redis_house(needed("redis") / "redis-server") as house:
            await test(house)

    asyncio.run(whole())


def test_each_machine_with_a_ledger_of_its_own_is_heard() -> None:
    """What two machines spent adds up, whoever comes first and however often they come."""

    async def test(house: RedisHouse) -> None:
        async with machines(house, ("one",), ("two",)) as (one, two):
            one.words = {"one": {"boot1": 20, "before:one": 5}}
            two.words = {"two": {"boot2": 30}}
            assert await one.left() == 75
            assert await two.left() == 45
            assert await one.left() == 45
            assert (one.asked, two.asked) == (1, 1)

    play(test)


def test_a_shared_ledger_is_told_once_and_the_last_moments_by_each_machine() -> None:
    """Both machines have read the same database, and each its own journal beyond it: nothing counts twice."""

    async def test(house: RedisHouse) -> None:
        async with machines(house, ("database", "one"), ("database", "two")) as (one, two):
            # boot2 died on the second machine; it spent 10 more than the first machine's ledger has.
            one.words = {"one": {"boot1": 20}, "database": {"boot1": 20, "boot2": 10, "before:database": 15}}
            two.words = {"two": {"boot2": 20}, "database": {"boot1": 5, "boot2": 20, "before:database": 15}}
            assert await one.left() == 55
            assert await two.left() == 45
            assert await one.left() == 45

    play(test)


def test_who_cannot_read_the_shared_ledger_waits_for_who_can() -> None:
    """Nothing is granted on a budget before somebody has told what the database says; then it is."""

    async def test(house: RedisHouse) -> None:
        async with machines(house, ("database", "one"), ("database", "two")) as (one, two):
            one.words = {"one": {"boot1": 20}, "database": None}
            two.words = {"two": {}, "database": {"boot1": 15, "before:database": 50}}
            await until(lambda: one.shares.ready)
            part = Part(one.shares, COUNTER, BUDGET)
            part.want(31)
            await until(lambda: one.asked == 1)
            assert part.asking
            assert await two.left() == 30
            await until(lambda: not part.asking)
            assert part.answers == [("denied", float("inf"))]

    play(test)


def test_a_redis_that_kept_its_data_hears_what_was_folded_once() -> None:
    """In a new epoch a boot that has become a part of the whole is taken out where it was counted by itself."""

    async def test(house: RedisHouse) -> None:
        async with machines(house, ("one",), ("two",)) as (one, two):
            one.words = {"one": {"boot1": 20, "before:one": 5}}
            two.words = {"two": {"boot2": 30}}
            assert (await one.left(), await two.left()) == (75, 45)
            one.words = {"one": {"before:one": 25}}
            # The second machine stays away; what it said stands in Redis still.
            two.end()
            house.server.say("SET penstock:epoch gone")
            one.connection.abort()
            await until(lambda: not one.shares.ready)
            assert await one.left() == 45
            assert one.asked == 2

    play(test)


def spending(*, recent: frozenset[str] = frozenset()) -> Spending:
    """Sums of the second machine: one boot lives, one is finished, one stands in the other's journal."""
    spent = {boot: {"key:k": {2_000_000: nanousd}} for boot, nanousd in (("a", 1), ("b", 2), ("c", 4), ("", 8))}
    places = {"a": Position(finished=False), "b": Position(finished=True)}
    return Spending(Snapshot(2, places, spent, {}, recent=recent))


def test_a_machine_tells_of_its_own_boots_that_others_may_not_have_read() -> None:
    """Those that live or were finished of late by itself, and the whole if it was read of late."""
    sources = ("database", "two")
    everything = {"a": 1, "b": 2, "c": 4, "before:database": 8}
    assert words_of(spending(), 1.0, sources, COUNTER) == {"two": {"a": 1}, "database": everything}
    found = words_of(spending(recent=frozenset("b")), OLD_S, sources, COUNTER)
    assert found == {"two": {"a": 1, "b": 2}, "database": None}
    alone = {"a": 1, "b": 2, "c": 4, "before:two": 8}
    assert words_of(spending(), OLD_S, ("two",), COUNTER) == {"two": alone}
