"""How many steps of TLS handshakes run in one turn of the event loop."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from penstock.adapters.http.tls import HANDSHAKES_PER_TURN, HandshakeTurns
from tests.ledger.doubles import FakeClock


def counted(turns: HandshakeTurns, number: int) -> list[int]:
    """Ask for so many steps; the list fills as they run."""
    ran: list[int] = []
    for each in range(number):
        turns.run(lambda each=each: ran.append(each))
    return ran


def test_a_burst_of_handshakes_is_spread_over_turns_in_order() -> None:
    """So many at once run now, the others so many a turn, none is lost and none overtakes."""
    clock = FakeClock()
    ran = counted(HandshakeTurns(clock.call_soon), 3 * HANDSHAKES_PER_TURN + 1)
    seen: list[int] = []
    while clock.soon:
        seen.append(len(ran))
        clock.turn()
    assert seen[:4] == [HANDSHAKES_PER_TURN * times for times in (1, 2, 3)] + [3 * HANDSHAKES_PER_TURN + 1]
    assert ran == list(range(3 * HANDSHAKES_PER_TURN + 1))


def test_a_later_turn_has_its_full_number_again() -> None:
    """What one turn used is not missing in the next, and what waits comes before what is new."""
    clock = FakeClock()
    turns = HandshakeTurns(clock.call_soon)
    for _ in range(3):
        assert len(counted(turns, HANDSHAKES_PER_TURN - 1)) == HANDSHAKES_PER_TURN - 1
        clock.turn()
    first = counted(turns, HANDSHAKES_PER_TURN + 1)
    clock.turn()
    second = counted(turns, HANDSHAKES_PER_TURN)
    assert len(first) == HANDSHAKES_PER_TURN + 1
    assert len(second) == HANDSHAKES_PER_TURN - 1
    clock.turn()
    assert len(second) == HANDSHAKES_PER_TURN


def test_steps_that_steps_ask_for_count_too() -> None:
    """A step that goes on with itself cannot keep the loop in one turn."""
    clock = FakeClock()
    turns = HandshakeTurns(clock.call_soon)
    ran: list[int] = []

    def step(left: int) -> Callable[[], None]:
        def run() -> None:
            ran.append(left)
            if left:
                turns.run(step(left - 1))

        return run

    turns.run(step(2 * HANDSHAKES_PER_TURN))
    assert len(ran) == HANDSHAKES_PER_TURN
    clock.turn()
    assert len(ran) == 2 * HANDSHAKES_PER_TURN


def test_a_step_that_raises_holds_up_no_other() -> None:
    """The error goes to the loop; what waits behind it runs a turn later."""
    clock = FakeClock()
    turns = HandshakeTurns(clock.call_soon)
    counted(turns, HANDSHAKES_PER_TURN)

    def broken() -> None:
        raise RuntimeError("injected")

    turns.run(broken)
    ran = counted(turns, 2)
    with pytest.raises(RuntimeError, match="injected"):
        clock.turn()
    clock.turn()
    assert ran == [0, 1]
