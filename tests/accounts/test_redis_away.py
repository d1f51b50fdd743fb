"""Redis is killed, goes silent, or is reached by some only: what limits do, and that nothing counts twice.

Real servers; the network between is ours. Paces are shorter than a service's.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from penstock.adapters.clock import LoopClock
from penstock.adapters.redis.accounts import RedisShares
from penstock.adapters.redis.address import RedisAddress
from penstock.adapters.redis.connection import RedisConnection
from penstock.adapters.redis.epochs import Pace
from penstock.core.allowance import CounterRule
from penstock.core.budget import FOREVER_MS
from tests.accounts.cut_off import Line
from tests.accounts.houses import Part, RedisHouse, new_word, redis_house, until
from tests.clients.needed import needed

BUDGET = CounterRule("budget", 100, 0.0, FOREVER_MS)
SLOTS = CounterRule("slots", 10)
RATE = CounterRule("rate", 100, 60.0)
PACE = Pace(beat_s=0.02, lost_s=0.4, deaf_s=0.2, settles_s=0.1, gives_up_s=0.6)


class Gateway:
    """A process whose way to Redis is a line of its own."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.name = new_word()
        clock = LoopClock(asyncio.get_running_loop())
        address = RedisAddress.parse(f"redis://127.0.0.1:{line.port}")
        self.connection = RedisConnection(address, clock, random.random, name=self.name)
        self.shares = RedisShares(self.connection, clock, self.name, word=new_word, pace=PACE)
        self.connection.start()

    def part(self, counter: str, rule: CounterRule) -> Part:
        """Its part of a counter."""
        return Part(self.shares, counter, rule)

    async def ready(self) -> None:
        """Wait until Redis can be asked."""
        await until(lambda: self.shares.ready)

    def end(self) -> None:
        """As `kill -9` does."""
        self.shares.halt()
        self.connection.halt()


Test = Callable[[RedisHouse, Gateway, Gateway], Awaitable[None]]


def play(test: Test) -> None:
    """Two gateways, a line for each."""

    async def whole() -> None:
        async with (
            redis_house(needed("redis") / "redis-server") as house,
            Line(house.server.port) as first,
            Line(house.server.port) as second,
        ):
            one, two = Gateway(first), Gateway(second)
            await one.ready()
            await two.ready()
            await test(house, one, two)
            one.end()
            two.end()

    asyncio.run(whole())


@pytest.mark.parametrize(
    ("up", "down"), [(True, True), (True, False), (False, True)], ids=["both", "up", "down"]
)
def test_a_silent_network_is_noticed_and_nothing_counts_twice(*, up: bool, down: bool) -> None:
    """Whatever was under way in either direction when it fell silent, in the end the rest can be had."""

    async def test(house: RedisHouse, one: Gateway, two: Gateway) -> None:
        del house
        mine, theirs = one.part("b", BUDGET), two.part("b", BUDGET)
        for _ in range(3):
            assert (await mine.get(8))[0] == "granted"
            mine.use(6)
            one.line.silence(up=up, down=down)
            # What is said now is lost, or carried out and its answer lost.
            mine.use(2)
            mine.want(8)
            await until(lambda: mine.is_away)
            one.line.heal()
            await until(lambda: not mine.is_away)
        assert (await mine.get(1))[0] == "granted"
        mine.give_back(mine.free)
        spent = mine.spent
        await until(lambda: theirs.is_away or theirs.last_known[0] >= 0)
        assert await theirs.get(100 - spent) == ("granted", 100 - spent)
        theirs.use(100 - spent)
        assert await theirs.get(1) == ("denied", float("inf"))

    play(test)


def test_who_is_cut_off_for_long_keeps_its_budget_and_loses_its_places() -> None:
    """A lost machine's slots are free, its rates used; its budget stays held until it is back."""

    async def test(house: RedisHouse, one: Gateway, two: Gateway) -> None:
        del house
        money, places, rate = one.part("b", BUDGET), one.part("s", SLOTS), one.part("r", RATE)
        await money.get(60)
        await places.get(10)
        places.hold(10)
        await rate.get(50)
        one.line.silence()
        await until(lambda: money.is_away)
        money.use(25)
        other, free, left = two.part("b", BUDGET), two.part("s", SLOTS), two.part("r", RATE)
        other.want(60)
        word, _ = await free.get(10)
        while word == "denied":
            word, _ = await free.get(10)
        assert free.held() == 10
        word, wait_s = await left.get(60)
        assert (word, wait_s > 10) == ("denied", True)
        assert other.asking  # 60 are held by who is away, 40 are left
        one.line.heal()
        await until(lambda: not money.is_away)
        money.give_back(money.free)
        await until(lambda: not other.asking)
        assert other.answers == [("granted", 60)]
        other.use(60)
        assert await other.get(15) == ("granted", 15)
        other.use(15)
        assert await money.get(1) == ("denied", float("inf"))

    play(test)


def test_a_redis_that_is_killed_and_comes_back_empty_in_mid_lease() -> None:
    """Each says what it has and what it spent meanwhile; leases stay valid, and the sum is the limit."""

    async def test(house: RedisHouse, one: Gateway, two: Gateway) -> None:
        mine, theirs = one.part("b", BUDGET), two.part("b", BUDGET)
        for part in (mine, theirs):
            await part.get(30)
            part.use(5)
        house.server.stop()
        await until(lambda: mine.is_away and theirs.is_away)
        mine.use(10)
        theirs.use(25)
        house.server.start()
        await until(lambda: not (mine.is_away or theirs.is_away))
        assert (mine.held(), theirs.held()) == (15, 0)
        assert await theirs.get(40) == ("granted", 40)
        theirs.use(40)
        mine.use(15)
        assert await theirs.get(1) == ("denied", float("inf"))

    play(test)
