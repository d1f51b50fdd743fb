"""What every owner of counters keeps to (ports.accounts), whoever it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import pytest

from penstock.core.allowance import CounterRule
from penstock.core.budget import FOREVER_MS
from tests.accounts.houses import House, Part, Process, redis_house, until
from tests.accounts.near_houses import memory_house, socket_house
from tests.clients.needed import needed

BUDGET = CounterRule("budget", 100, 0.0, FOREVER_MS)
SLOTS = CounterRule("slots", 10)
PATIENT = CounterRule("slots", 10, patient=True)
RATE = CounterRule("rate", 100, 0.4)
Test = Callable[[House], Awaitable[None]]


def redis() -> AbstractAsyncContextManager[House]:
    """Redis, a real one."""
    return redis_house(needed("redis") / "redis-server")


def valkey() -> AbstractAsyncContextManager[House]:
    """Valkey, a real one."""
    return redis_house(needed("valkey") / "redis-server")


@pytest.fixture(params=[memory_house, socket_house, redis, valkey], ids=["memory", "socket", "redis", "valkey"])
def run(request: pytest.FixtureRequest) -> Callable[[Test], None]:
    """Runs a test in a house of each kind."""

    def in_house(test: Test) -> None:
        async def whole() -> None:
            async with request.param() as house:
                await test(house)

        asyncio.run(whole())

    return in_house


async def two(house: House) -> tuple[Process, Process]:
    """Two processes that can ask."""
    one, other = house.process(), house.process()
    await one.ready()
    await other.ready()
    return one, other


def test_what_is_plenty_is_shared(run: Callable[[Test], None]) -> None:
    """A want gets up to its most, as far as as much is left for the other holder."""

    async def test(house: House) -> None:
        one, other = await two(house)
        first, second = Part(one.shares, "b", BUDGET), Part(other.shares, "b", BUDGET)
        assert await second.get(0, 1) in {("granted", 0), ("granted", 1)}
        second.give_back(second.free)
        assert await first.get(10, 20) == ("granted", 20)
        word, amount = await second.get(10, 100)
        assert word == "granted"
        assert 10 <= amount <= 40

    run(test)


def test_what_can_never_fit_is_denied_at_once(run: Callable[[Test], None]) -> None:
    """More than the limit, or more than a budget has left for good, is denied for ever, of whatever kind."""

    async def test(house: House) -> None:
        one, other = await two(house)
        for rule in (BUDGET, SLOTS, PATIENT, RATE):
            part = Part(one.shares, f"{rule}", rule)
            assert await part.get(rule.limit + 1) == ("denied", float("inf"))
            assert (await part.get(rule.limit))[0] == "granted"
        spender, late = Part(one.shares, "spent", BUDGET), Part(other.shares, "spent", BUDGET)
        await spender.get(60)
        spender.use(60)
        await until(lambda: spender.last_known[0] == 60)
        assert await late.get(41) == ("denied", float("inf"))
        assert await late.get(40) == ("granted", 40)

    run(test)


@pytest.mark.parametrize("rule", [BUDGET, SLOTS, PATIENT, RATE], ids=["budget", "slots", "patient", "rate"])
def test_idle_leases_are_recalled(run: Callable[[Test], None], rule: CounterRule) -> None:
    """What one process has and does not use goes to another that wants it."""

    async def test(house: House) -> None:
        one, other = await two(house)
        rich, poor = Part(one.shares, "c", rule), Part(other.shares, "c", rule)
        assert (await rich.get(rule.limit))[0] == "granted"
        assert await poor.get(rule.limit) == ("granted", rule.limit)
        assert rich.recalls == 1
        assert rich.held() == 0

    run(test)


def test_asking_ahead_recalls_nobody(run: Callable[[Test], None]) -> None:
    """A want of nothing at least gets what is there, and where nothing is, nothing."""

    async def test(house: House) -> None:
        one, other = await two(house)
        rich, poor = Part(one.shares, "c", BUDGET), Part(other.shares, "c", BUDGET)
        await rich.get(95)
        word, amount = await poor.get(0, 50)
        assert word == "granted"
        assert amount <= 5
        poor.give_back(poor.free)
        await rich.get(5)
        assert await poor.get(0, 50) == ("granted", 0)
        assert rich.recalls == 0

    run(test)


def test_a_budget_waits_for_what_is_under_way(run: Callable[[Test], None]) -> None:
    """A want that fits once reservations settle cheaper waits for them, and is denied where they do not."""

    async def test(house: House) -> None:
        one, other = await two(house)
        busy, waiting = Part(one.shares, "c", BUDGET), Part(other.shares, "c", BUDGET)
        await busy.get(90)
        busy.hold(90)
        waiting.want(50)
        await until(lambda: busy.recalls == 1)
        assert waiting.asking
        busy.settle(45, 20)
        await until(lambda: busy.held() == 45)
        assert waiting.asking
        busy.settle(45, 20)
        await until(lambda: not waiting.asking)
        assert waiting.answers == [("granted", 50)]
        busy.want(30)
        await until(lambda: waiting.recalls == 1 and not busy.asking)
        assert busy.answers[-1] == ("granted", 30)

    run(test)


def test_slots_in_use_are_denied_or_waited_for(run: Callable[[Test], None]) -> None:
    """Slots in use are denied with a guess; patient ones are waited for, in the order of asking."""

    async def test(house: House) -> None:
        one, other = await two(house)
        third = house.process()
        await third.ready()
        busy, late = Part(one.shares, "s", SLOTS), Part(other.shares, "s", SLOTS)
        await busy.get(10)
        busy.hold(10)
        word, wait_s = await late.get(1)
        assert word == "denied"
        assert 0 < wait_s <= 5
        holder, first, second = (Part(each.shares, "p", PATIENT) for each in (one, other, third))
        first.grabs = True
        await holder.get(10)
        holder.hold(10)
        first.want(3)
        await until(lambda: holder.recalls == 1)
        second.want(1)
        holder.settle(1, 0)
        holder.settle(1, 0)
        holder.settle(1, 0)
        await until(lambda: not first.asking)
        assert second.asking
        holder.settle(1, 0)
        await until(lambda: not second.asking)
        assert (first.answers, second.answers) == ([("granted", 3)], [("granted", 1)])

    run(test)


def test_a_window_slides(run: Callable[[Test], None]) -> None:
    """What was used comes free a window later, neither earlier nor much later, and is denied with that wait."""

    async def test(house: House) -> None:
        one, other = await two(house)
        first, second = Part(one.shares, "r", RATE), Part(other.shares, "r", RATE)
        await first.get(100)
        at = first.use(100)
        word, wait_s = await second.get(100)
        while word == "denied":
            assert 0 <= wait_s <= RATE.window_s * 1.05
            await asyncio.sleep(wait_s)
            word, wait_s = await second.get(100)
        assert time.monotonic() - at >= RATE.window_s

    run(test)


def test_a_correction_gives_room(run: Callable[[Test], None]) -> None:
    """A use that is taken back leaves the window at once, for all, and does not return to the lease."""

    async def test(house: House) -> None:
        rule = CounterRule("rate", 100, 60.0)
        one, other = await two(house)
        first, second = Part(one.shares, "r", rule), Part(other.shares, "r", rule)
        await first.get(100)
        at = first.use(60)
        later = first.use(40)
        first.shares.used("r", -50, at)
        first.shares.used("r", -30, later)
        word, _ = await second.get(80)
        while word == "denied":
            word, _ = await second.get(80)
        assert (await second.get(1))[0] == "denied"
        assert first.held() == 0

    run(test)


def test_debts_are_covered_by_grants(run: Callable[[Test], None]) -> None:
    """Who used more than it had gets no more than what is left, and takes nothing from the others' leases."""

    async def test(house: House) -> None:
        one, other = await two(house)
        first, second = Part(one.shares, "b", BUDGET), Part(other.shares, "b", BUDGET)
        await second.get(50)
        second.hold(50)
        await first.get(10)
        first.use(30)
        assert first.held() == -20
        await until(lambda: first.last_known[0] == 30)
        assert await first.get(40) == ("granted", 40)
        assert first.held() == 20
        first.use(20)
        first.want(1)
        await until(lambda: second.recalls == 1)
        assert first.asking

    run(test)


def test_closing_gives_back(run: Callable[[Test], None]) -> None:
    """A counter that is closed holds nothing, what was spent stays, and it may be opened again at once."""

    async def test(house: House) -> None:
        one, other = await two(house)
        first, second = Part(one.shares, "b", BUDGET), Part(other.shares, "b", BUDGET)
        await first.get(100)
        first.use(30)
        first.shares.close("b")
        again = Part(one.shares, "b", BUDGET)
        assert await second.get(70) == ("granted", 70)
        assert again.held() == 0
        assert (await again.get(71)) == ("denied", float("inf"))
        again.shares.close("b")
        second.use(70)
        third = Part(one.shares, "b", BUDGET)
        await until(lambda: not third.is_away)
        assert (await third.get(1)) == ("denied", float("inf"))

    run(test)


def test_limits_change(run: Callable[[Test], None]) -> None:
    """Another limit holds for the next want, upwards and downwards."""

    async def test(house: House) -> None:
        one, _ = await two(house)
        part = Part(one.shares, "b", BUDGET)
        await part.get(100)
        one.shares.open("b", CounterRule("budget", 150, 0.0, FOREVER_MS), part)
        assert await part.get(50) == ("granted", 50)
        one.shares.open("b", CounterRule("budget", 20, 0.0, FOREVER_MS), part)
        assert await part.get(21) == ("denied", float("inf"))

    run(test)


def test_all_hear_of_spending(run: Callable[[Test], None]) -> None:
    """Holders of a budget are told what all have spent and hold, when they say something."""

    async def test(house: House) -> None:
        one, other = await two(house)
        first, second = Part(one.shares, "b", BUDGET), Part(other.shares, "b", BUDGET)
        await first.get(40)
        first.use(25)
        await until(lambda: first.last_known == (25, 15))
        await second.get(5)
        await until(lambda: second.last_known[0] == 25)

    run(test)


def test_the_dead_are_resolved_by_their_journal(run: Callable[[Test], None]) -> None:
    """A dead process's budget stays held until its journal is read; then what it spent counts, and no more."""

    async def test(house: House) -> None:
        one, other = await two(house)
        dead, heir = Part(one.shares, "b", BUDGET), Part(other.shares, "b", BUDGET)
        await dead.get(80)
        dead.use(30)
        await until(lambda: dead.last_known[0] == 30)
        one.die()
        heir.want(50)
        await house.bury(one, {"b": 45})
        await until(lambda: not heir.asking)
        assert heir.answers == [("granted", 50)]
        heir.use(50)
        assert await heir.get(6) == ("denied", float("inf"))
        assert await heir.get(5) == ("granted", 5)

    run(test)


@pytest.mark.parametrize("rule", [SLOTS, PATIENT, RATE], ids=["slots", "patient", "rate"])
def test_what_the_dead_held_comes_free(run: Callable[[Test], None], rule: CounterRule) -> None:
    """A process that vanishes holds no slot, and its rates no longer than a window."""

    async def test(house: House) -> None:
        one, other = await two(house)
        dead, heir = Part(one.shares, "s", rule), Part(other.shares, "s", rule)
        await dead.get(10)
        dead.hold(10)
        one.die()
        await house.bury(one, {})
        word, wait_s = await heir.get(rule.limit)
        while word == "denied":
            await asyncio.sleep(wait_s)
            word, wait_s = await heir.get(rule.limit)
        assert heir.held() == rule.limit

    run(test)


def test_a_cut_line_loses_and_doubles_nothing(run: Callable[[Test], None]) -> None:
    """Whatever was under way when the line broke is known exactly once afterwards, time and again."""

    async def test(house: House) -> None:
        one, other = await two(house)
        part, rest = Part(one.shares, "b", BUDGET), Part(other.shares, "b", BUDGET)
        for _ in range(20):
            word, _ = await part.get(1, 5)
            assert word == "granted"
            part.use(1)
            part.give_back(part.free // 2)
            one.cut()
            await until(lambda: part.is_away)
            await until(lambda: not part.is_away)
        part.give_back(part.free)
        assert await rest.get(80) == ("granted", 80)
        rest.use(80)
        assert await rest.get(1) == ("denied", float("inf"))

    run(test)


def test_an_owner_that_forgets_is_told(run: Callable[[Test], None]) -> None:
    """After a restart the owner knows what all hold and used, and grants no more than is left."""

    async def test(house: House) -> None:
        one, other = await two(house)
        first, second = Part(one.shares, "b", BUDGET), Part(other.shares, "b", BUDGET)
        rates = CounterRule("rate", 100, 60.0)
        busy, late = Part(one.shares, "r", rates), Part(other.shares, "r", rates)
        await first.get(50)
        first.use(20)
        first.hold(30)
        await busy.get(70)
        busy.use(60)
        await second.get(30)
        second.use(10)
        await until(lambda: second.last_known[0] == 30)
        await house.restart()
        await until(lambda: all(each.is_away for each in (first, second, busy, late)))
        await until(lambda: not any(each.is_away for each in (first, second, busy, late)))
        assert (first.held(), second.held(), busy.held()) == (30, 20, 10)
        await until(lambda: first.last_known == (30, 50) or second.last_known == (30, 50))
        assert await second.get(20) == ("granted", 20)
        assert await late.get(30) == ("granted", 30)
        second.use(40)
        first.settle(30, 30)
        assert await second.get(1) == ("denied", float("inf"))
        late.use(30)
        assert await busy.get(1) == ("denied", pytest.approx(60, abs=60))

    run(test)
