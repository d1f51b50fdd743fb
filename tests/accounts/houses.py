"""Owners of counters, with processes that come, go, die and lose their way to it."""

from __future__ import annotations

import asyncio
import itertools
import random
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from penstock.adapters.clock import LoopClock
from penstock.adapters.redis.accounts import RedisShares
from penstock.adapters.redis.address import RedisAddress
from penstock.adapters.redis.connection import RedisConnection
from penstock.adapters.redis.departed import bury
from penstock.adapters.redis.epochs import Pace
from penstock.core.allowance import CounterRule
from penstock.ports.accounts import Shares
from tests.accounts.redis_server import RedisServer

WAITS_S = 5.0
PACE = Pace(beat_s=0.02, lost_s=30.0, deaf_s=2.0, settles_s=0.1, gives_up_s=0.6)


async def until(true: Callable[[], bool], what: str = "") -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + WAITS_S
    while not true():
        assert time.monotonic() < deadline, what or "waited in vain"
        await asyncio.sleep(0.001)


class Part:
    """A process's part of one counter: implements Holder as a gateway does, and keeps account of it."""

    def __init__(self, shares: Shares, counter: str, rule: CounterRule) -> None:
        self.shares = shares
        self.counter = counter
        self.rule = rule
        self.free = 0
        self.busy = 0
        self.spent = 0
        self.asking = False
        self.stingy = False  # gives back what becomes free
        self.grabs = False  # begins something under way with all that it gets
        self.recalls = 0
        self.unasked = 0
        self.is_away = False
        self.answers: list[tuple[str, float]] = []
        self.last_known = (0, 0)
        shares.open(counter, rule, self)

    def granted(self, amount: int) -> None:
        assert self.asking or self.rule.kind == "rate"
        if self.asking:
            self.answers.append(("granted", amount))
        else:  # it had become free after it was denied
            self.unasked += amount
        self.asking = self.stingy = False
        self.free += amount
        if self.grabs:
            self.hold(amount)

    def denied(self, wait_s: float) -> None:
        self.asking = False
        self.answers.append(("denied", wait_s))

    def recalled(self) -> None:
        self.recalls += 1
        self.stingy = True
        self.give_back(self.free)

    def away(self) -> None:
        self.is_away = True
        self.asking = self.stingy = False

    def here(self) -> None:
        self.is_away = False

    def held(self) -> int:
        return self.free + self.busy

    def told(self) -> int:
        return self.spent

    def known(self, spent: int, leased: int) -> None:
        self.last_known = (spent, leased)

    def want(self, least: int, most: int | None = None) -> None:
        """Ask."""
        self.asking = True
        self.shares.want(self.counter, least, least if most is None else most)

    async def get(self, least: int, most: int | None = None) -> tuple[str, float]:
        """Ask and wait for the answer."""
        await until(lambda: not self.is_away, "the owner stays away")
        if self.unasked >= least > 0 and self.free >= least:
            unasked, self.unasked = self.unasked, 0
            return ("granted", unasked)
        self.want(least, most)
        await until(lambda: not self.asking, f"no answer to a want of {self.counter}")
        return self.answers[-1]

    def use(self, amount: int, at: float | None = None) -> float:
        """Use some of what is free, now."""
        at = time.monotonic() if at is None else at
        self.free -= amount
        self.spent += amount
        self.shares.used(self.counter, amount, at)
        return at

    def hold(self, amount: int) -> None:
        """Begin something under way."""
        self.free -= amount
        self.busy += amount

    def settle(self, held: int, used: int) -> None:
        """It ended."""
        self.busy -= held
        self.free += held
        if used:
            self.use(used)
        if self.stingy:
            self.give_back(self.free)

    def give_back(self, amount: int) -> None:
        """What is free is not needed."""
        if amount > 0:
            self.free -= amount
            self.shares.back(self.counter, amount)


class Process(Protocol):
    """One holder."""

    name: str

    @property
    def shares(self) -> Shares:
        """Its way to the owner."""
        ...

    @property
    def is_ready(self) -> bool:
        """Whether the owner can be asked."""
        ...

    async def ready(self) -> None:
        """Wait until the owner can be asked."""
        ...

    async def leave(self) -> None:
        """End in good order."""
        ...

    def die(self) -> None:
        """End as `kill -9` does."""
        ...

    def cut(self) -> None:
        """Lose the connection, as a network does."""
        ...


class House(Protocol):
    """An owner."""

    def process(self) -> Process:
        """A new process that holds parts."""
        ...

    async def bury(self, process: Process, spent: Mapping[str, int]) -> None:
        """A process that died is resolved by its journal: what it had spent, by budget counter."""
        ...

    async def restart(self) -> None:
        """The owner dies, forgets everything, and is there again."""
        ...

    async def end(self) -> None:
        """Take it down."""
        ...


class RedisProcess:
    """A process whose counters Redis owns."""

    def __init__(self, server: RedisServer, name: str) -> None:
        self.name = name
        clock = LoopClock(asyncio.get_running_loop())
        self.connection = RedisConnection(RedisAddress.parse(server.url), clock, random.random, name=name)
        self.shares = RedisShares(self.connection, clock, name, word=new_word, pace=PACE)
        self.connection.start()

    @property
    def is_ready(self) -> bool:
        return self.shares.ready

    async def ready(self) -> None:
        await until(lambda: self.is_ready)

    async def leave(self) -> None:
        self.shares.end()
        await self.connection.close()

    def die(self) -> None:
        self.shares.halt()
        self.connection.halt()

    def cut(self) -> None:
        self.connection.abort()


def new_word() -> str:
    """A random word."""
    return f"{random.getrandbits(64):016x}"


class RedisHouse:
    """A real server."""

    _names = itertools.count(1)

    def __init__(self, server: RedisServer) -> None:
        self.server = server
        self._processes: list[RedisProcess] = []

    def process(self) -> RedisProcess:
        made = RedisProcess(self.server, f"process{next(self._names)}")
        self._processes.append(made)
        return made

    async def bury(self, process: Process, spent: Mapping[str, int]) -> None:
        clock = LoopClock(asyncio.get_running_loop())
        connection = RedisConnection(RedisAddress.parse(self.server.url), clock, random.random)
        connection.start()
        await until(lambda: connection.is_up)
        await bury(connection, process.name, lambda counter: spent.get(counter, 0))
        await connection.close()

    async def restart(self) -> None:
        self.server.stop()
        await asyncio.sleep(0)
        self.server.start()

    async def end(self) -> None:
        for process in self._processes:
            process.die()


@asynccontextmanager
async def redis_house(program: Path) -> AsyncGenerator[RedisHouse]:
    """A server of its own."""
    with tempfile.TemporaryDirectory() as folder, RedisServer(program, Path(folder)) as server:
        house = RedisHouse(server)
        try:
            yield house
        finally:
            await house.end()
