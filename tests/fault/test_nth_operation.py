"""Fail or cancel at the n-th operation, for n = 1, 2, 3 … until a run meets no fault."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from penstock.core.exchange import AttemptOpened
from tests.fault.world import World

MOST = 200


def check(world: World, place: str) -> None:
    """What must hold however a request ended."""
    assert len(world.exchanges) == 1, place
    exchange = world.exchanges[0]
    assert world.held == (0, 0, sum(a.cost_nanousd or 0 for a in exchange.attempts)), place
    assert not world.context.attempts, place
    assert world.context.exchanges == 0, place
    assert all(not call.open for call in world.transport.calls), place
    assert world.clock.pending == 0, place
    opened = [event for event in world.journal.events if isinstance(event, AttemptOpened)]
    assert {o.index for o in opened} <= {a.index for a in exchange.attempts}, place
    assert world.reply.ended, place


def fail(world: World) -> Callable[[], bool]:
    """The operation itself fails."""
    del world
    return lambda: True


def hang_up(world: World) -> Callable[[], bool]:
    """The client hangs up just before the operation, which then goes on."""

    def strike() -> bool:
        world.reply.hang_up()
        return False

    return strike


def time_out(world: World) -> Callable[[], bool]:
    """So much time passes before the operation that every deadline is over."""

    def strike() -> bool:
        world.clock.leap(10_000)
        world.context.sweep(world.clock.monotonic())
        return False

    return strike


def reload_before(world: World) -> Callable[[], bool]:
    """A reload happens just before the operation."""

    def strike() -> bool:
        world.context.swap(world.context.plan)
        return False

    return strike


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("kind", [fail, hang_up, time_out, reload_before])
def test_every_operation_may_fail(kind: Callable[[World], Callable[[], bool]], *, stream: bool) -> None:
    """One ledger row, no leaked call, slot, reservation or timer, whichever operation is struck."""
    clean = World(stream=stream)
    clean.run()
    check(clean, "clean")
    assert clean.exchanges[0].outcome == "ok"
    struck = 0
    number = 0
    for number in range(1, MOST):
        world = World(stream=stream)
        world.faults.at = number
        world.faults.strike = kind(world)
        world.run()
        if world.faults.count < number:
            break
        struck += 1
        check(world, f"operation {number}")
    assert struck >= clean.faults.count
    assert number < MOST - 1
