"""Leases under pressure, in virtual time: a limit is used to the full, in order, and nobody is forgotten."""

from __future__ import annotations

import pytest

from penstock.core.allowance import CounterRule
from penstock.core.leases import Book
from tests.accounts.world import NO, OK, WAIT, Asker, World

STEP_S = 0.001


def run(world: World, steps: int, asks: int, kind: str = "rate") -> list[Asker]:
    """So many steps in which every process is asked so often, and each message takes a step."""
    askers: list[Asker] = []
    for _ in range(steps):
        for process in world.processes.values():
            waiting = len(process.wire.to_owner)
            answers = len(process.wire.to_holder)
            for _ in range(waiting):
                world.to_owner(process)
            for _ in range(answers):
                world.to_holder(process)
            world.clock.run_soon()
            askers += [process.ask(kind, 1) for _ in range(asks)]
            world.clock.run_soon()
        world.clock.advance(STEP_S)
        if world.book.due <= world.now:
            world.book.grant_due(world.now)
            world.answer()
    return askers


@pytest.mark.parametrize("asks", [1, 5])
@pytest.mark.parametrize("limit", [100, 1000])
def test_a_rate_is_used_to_the_full_and_not_beyond(limit: int, asks: int) -> None:
    """Though messages take a millisecond, a second has 99 % of the limit, and never more than it."""
    world = World(2, (limit, 10, 10))
    world.flow()
    run(world, 4000, asks)
    first = world.uses[0][0]
    seconds: list[int] = []
    for start in range(1000, 2500, 7):
        begin = first + start * STEP_S
        seconds.append(sum(1 for at, _ in world.uses if begin <= at < begin + 1.0))
    assert max(seconds) <= limit
    assert sum(seconds) >= 0.99 * limit * len(seconds)


def test_an_uneven_load_is_served_where_it_is() -> None:
    """A process that nobody asks gives its share to the one that is asked."""
    world = World(2, (1000, 10, 10))
    world.flow()
    quiet, busy = world.processes.values()
    assert quiet.ask("rate", 1).answer is None
    world.flow()
    for _ in range(300):
        for _ in range(4):
            busy.ask("rate", 1)
        world.flow()
        world.clock.advance(STEP_S)
    assert sum(1 for at, _ in world.uses if at > 0) == 1000


def test_a_lease_spares_asking() -> None:
    """At a steady load far below the limit nobody waits once the first grants have come."""
    world = World(2, (1_000_000, 1000, 10**9))
    for kind in ("rate", "budget"):
        run(world, 100, 2, kind)
        assert {asker.answer for asker in run(world, 400, 2, kind)} == {OK}


def test_wants_are_served_in_their_order() -> None:
    """Who asked first is granted first, also where a later want would fit."""
    book = Book()
    rule = CounterRule("budget", 100, ends_ms=2**62)
    for holder in ("a", "b", "c"):
        book.opened(holder, "x", rule, 0.0)
        book.stated(holder, "x", 0, 0, [], 0.0)
    book.wanted("a", "x", 100, 100, 0.0)
    book.answers.clear()
    book.wanted("b", "x", 60, 60, 0.0)
    book.wanted("c", "x", 10, 10, 0.0)
    assert [(each.holder, each.verb) for each in book.answers] == [("a", "recalled")]
    book.given_back("a", "x", 20, 0.0)
    book.answered("a", "x", 0.0)
    assert [each.holder for each in book.answers if each.verb == "granted"] == []
    book.given_back("a", "x", 80, 0.0)
    granted = [(each.holder, each.amount) for each in book.answers if each.verb == "granted"]
    assert granted == [("b", 60), ("c", 10)]


def test_what_can_never_fit_is_refused_at_once() -> None:
    """No want for more than the limit, or than what is left for good, waits."""
    world = World(2, (100, 4, 100))
    world.flow()
    one = next(iter(world.processes.values()))
    assert one.ask("budget", 101).answer == NO
    first = one.ask("budget", 60)
    world.flow()
    assert first.answer == OK
    one.settle(one.attempts[0], 60)
    world.settle_all(0.05)
    second = one.ask("budget", 41)
    world.flow()
    assert second.answer == NO


def test_what_may_fit_waits_for_what_is_under_way_elsewhere() -> None:
    """A reservation that only others' settlements make possible is granted when they settle."""
    world = World(2, (100, 4, 100))
    world.flow()
    one, two = world.processes.values()
    one.ask("budget", 90)
    world.flow()
    asker = two.ask("budget", 50)
    world.settle_all(1.0)
    assert asker.answer is None
    assert asker.counter.take(1, world.now, world.clock.now_ms()) == WAIT
    one.settle(one.attempts[0], 30)
    world.settle_all(0.05)
    assert asker.answer == OK


def test_an_owner_that_is_away_closes_budgets_and_leaves_rates_a_share() -> None:
    """Beyond the lease a budget is refused after a second; a rate goes on with this process's part."""
    world = World(2, (100, 4, 10_000), fail_open=True)
    run(world, 50, 1, "budget")
    for process in world.processes.values():
        process.wire.cut()
    one = next(iter(world.processes.values()))
    spent = one.in_use("budget")
    asker = one.ask("budget", 9_000)
    world.clock.advance(0.5)
    assert asker.answer is None
    world.clock.advance(0.6)
    assert asker.answer == NO
    assert one.in_use("budget") == spent
    assert [one.ask("rate", 1).answer for _ in range(60)].count(OK) == 50
    assert [one.ask("slots", 1).answer for _ in range(4)].count(OK) == 2
    # It comes back, and what was used meanwhile is known.
    world.settle_all(0.1)
    window = world.book.counters["key:k|tokens|1"]
    assert window.used(world.now) == 50


def test_a_limit_that_is_lowered_holds_as_soon_as_it_can() -> None:
    """After a reload nothing more is granted before what is out fits the new limit."""
    world = World(2, (100, 8, 100))
    world.flow()
    one, two = world.processes.values()
    taken = [one.ask("slots", 1) for _ in range(3)] + [two.ask("slots", 1) for _ in range(3)]
    world.settle_all(0.02)
    assert {asker.answer for asker in taken} == {OK}
    for process in world.processes.values():
        process.lower_slots(4)
    world.settle_all(0.2)
    refused = one.ask("slots", 1)
    world.settle_all(0.05)
    assert refused.answer == NO
    for process in (one, two):
        for attempt in list(process.attempts):
            process.settle(attempt, 0)
    world.settle_all(1.5)
    served = one.ask("slots", 1)
    world.settle_all(0.05)
    assert served.answer == OK


def test_a_shared_rate_that_queues_serves_everybody_in_time() -> None:
    """Two processes with thirty requests each at ten a second: all are served, no second has more than ten."""
    world = World(2, (10, 10, 10))
    world.flow()
    askers: list[Asker] = []
    for process in world.processes.values():
        process.counters["rate"].queues = True
        askers += [process.ask("rate", 1) for _ in range(30)]
    for _ in range(8000):
        world.flow()
        world.clock.advance(STEP_S)
    assert [asker.answer for asker in askers] == [OK] * 60
    times = [at for at, _ in world.uses]
    assert all(sum(1 for at in times if begin <= at < begin + 1.0) <= 10 for begin in times)
    assert max(times) - min(times) < 7.0


def test_a_shared_rate_that_queues_refuses_what_cannot_come_in_time() -> None:
    """Who would have to wait longer than the queue lasts is told at once, once the owner has said so."""
    world = World(1, (10, 10, 10))
    world.flow()
    (process,) = world.processes.values()
    rate = process.counters["rate"]
    rate.queues, rate.patience_s = True, 0.2
    first = [process.ask("rate", 1) for _ in range(10)]
    world.flow()
    assert [asker.answer for asker in first] == [OK] * 10
    late = process.ask("rate", 1)
    for _ in range(20):
        world.flow()
        world.clock.advance(STEP_S)
    assert late.answer == NO
