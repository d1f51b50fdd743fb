"""A rate that several processes want more of than there is: never above it, and nearly all of it is used.

Time is real here, and every instant at which something was let through is on record. Pressure means that every
process asks all the time. On a machine that is busy with something else nobody can ask for a while; so long a
time cannot have used anything, and is taken off.
"""

from __future__ import annotations

import asyncio
import bisect
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import pytest

from penstock.adapters.clock import LoopClock
from penstock.admission.counters import Counter
from penstock.admission.leased import leased_counters
from penstock.admission.tending import Away
from penstock.admission.waiting import OK, WAIT, Waiter, Wakings
from penstock.core.allowance import RateRule
from tests.accounts.houses import House, Process, redis_house
from tests.accounts.near_houses import memory_house, socket_house
from tests.clients.needed import needed

WINDOW_S = 1.0
SECONDS = 3.5
# A process that did not ask for longer than this was kept from it by the machine.
STALL_S = 0.004
FULL = 0.99


@dataclass
class Record:
    """When something was let through, how much, and when nobody could ask, by its beginning and length."""

    taken: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])
    stalls: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])

    def most(self) -> int:
        """The most that any window has."""
        first, used, most = 0, 0, 0
        for at, amount in self.taken:
            used += amount
            while self.taken[first][0] <= at - WINDOW_S:
                used -= self.taken[first][1]
                first += 1
            most = max(most, used)
        return most

    def windows(self, begin: float, end: float) -> list[int]:
        """What each window has, of many that begin within [begin, end - 1 s]."""
        instants = [at for at, _ in self.taken]
        sums = [0]
        for _, amount in self.taken:
            sums.append(sums[-1] + amount)
        found: list[int] = []
        at = begin
        while at + WINDOW_S <= end:
            upper = sums[bisect.bisect_left(instants, at + WINDOW_S)]
            found.append(upper - sums[bisect.bisect_left(instants, at)])
            at += 0.003
        return found

    def pressure(self) -> float:
        """The share of the time in which everybody asked."""
        return 1.0 - sum(length for _, length in self.stalls) / SECONDS


class Asker(Waiter):
    """Somebody who waits for the owner's answer, and takes what it then can."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__()
        self.gateway = gateway

    def again(self) -> bool:
        """See Waiter."""
        return self.gateway.take() != WAIT


class Gateway:
    """One process's counter, and somebody who asks all the time."""

    def __init__(self, process: Process, limit: int, amount: int, record: Record) -> None:
        clock = LoopClock(asyncio.get_running_loop())
        make = leased_counters(process.shares, clock, Away(fail_open=False, share=0.0))(
            Wakings(clock.call_soon)
        )
        self.clock = clock
        self.counter: Counter = make.rate("key:k|r", "key:k", RateRule("requests", WINDOW_S, limit), None)
        self.amount = amount
        self.record = record
        self.waiting = 0

    def take(self) -> int:
        """Take, and note when."""
        now = self.clock.monotonic()
        code = self.counter.take(self.amount, now, 0)
        if code == OK:
            self.record.taken.append((now, self.amount))
        return code

    def ask(self) -> None:
        """One request."""
        if self.take() == WAIT and len(self.counter.waitlist) < 3:
            self.counter.waitlist.add(Asker(self))


async def press(house: House, count: int, limit: int, amount: int) -> Record:
    """So many processes ask for `amount` a thousand times a second each, or as often as they can."""
    record = Record()
    processes = [house.process() for _ in range(count)]
    for process in processes:
        await process.ready()
    gateways = [Gateway(process, limit, amount, record) for process in processes]
    begin = last = time.monotonic()
    while last < begin + SECONDS:
        await asyncio.sleep(0.001)
        now = time.monotonic()
        if now - last > STALL_S:
            record.stalls.append((last, now - last))
        last = now
        for gateway in gateways:
            gateway.ask()
    record.taken.sort()
    for process in processes:
        await process.leave()
    return record


def redis() -> AbstractAsyncContextManager[House]:
    """Redis, a real one."""
    return redis_house(needed("redis") / "redis-server")


@pytest.mark.parametrize("house", [memory_house, socket_house, redis], ids=["memory", "socket", "redis"])
@pytest.mark.parametrize(
    ("limit", "amount"),
    [
        pytest.param(300, 1, id="requests"),
        pytest.param(50, 1, id="few"),
        pytest.param(50_000, 120, id="tokens"),
    ],
)
@pytest.mark.long
def test_a_rate_is_used_to_the_full_and_never_more(
    house: Callable[[], AbstractAsyncContextManager[House]], limit: int, amount: int
) -> None:
    """No window has more than the limit at any instant, and under pressure windows have 99 % of it."""

    async def whole() -> Record:
        async with house() as owner:
            return await press(owner, 3, limit, amount)

    record = asyncio.run(whole())
    assert record.most() <= limit
    first = record.taken[0][0]
    windows = record.windows(first + WINDOW_S, first + SECONDS - 0.01)
    most = len(windows) * (limit - limit % amount)
    assert sum(windows) >= FULL * most * record.pressure(), (sum(windows) / most, record.pressure())


@pytest.mark.parametrize("house", [memory_house, socket_house, redis], ids=["memory", "socket", "redis"])
def test_a_rate_is_never_exceeded(house: Callable[[], AbstractAsyncContextManager[House]]) -> None:
    """However slow the machine is; how full windows get, in real time, is for a machine that has time."""

    async def whole() -> Record:
        async with house() as owner:
            return await press(owner, 3, 300, 1)

    record = asyncio.run(whole())
    assert record.most() <= 300
    assert len(record.taken) > 300, "and more than one window was used"
