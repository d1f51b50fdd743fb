"""The upstream client below the pipeline: pool, connection, tunnel and TLS, struck at the n-th operation."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fault.faults import Faults, until_clean, yes
from tests.fault.line import ORIGINS, Line
from tests.fault.network import KINDS, Kind

MOST = 1_000


def leap(line: Line) -> bool:
    """So much time passes that every timer is due."""
    line.loop.leap(3_600)
    return False


def cancel_first(line: Line) -> bool:
    """Whoever waits for the first answer gives up."""
    line.cancel(0)
    return False


def cancel_second(line: Line) -> bool:
    """The call that waits for the first one's connection is given up."""
    line.cancel(1)
    return False


def cancel_both(line: Line) -> bool:
    """Nobody wants an answer any more."""
    line.cancel(0)
    line.cancel(1)
    return False


def close(line: Line) -> bool:
    """The process ends."""
    line.close()
    return False


@pytest.mark.parametrize("scheme", ORIGINS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_operation_on_a_socket_may_fail(kind: Kind, scheme: str) -> None:
    """One end for each call, no connection, waiter or place leaked, and only a call that was hit may fail."""

    def run(number: int) -> Faults:
        line = Line(scheme)
        line.loop.kind = kind
        line.loop.operations.at, line.loop.operations.strike = number, yes
        line.run()
        ends = [*line.first.ends, *line.second.ends]
        if kind != "stall":  # whoever waits behind a silent peer may run out of time itself
            assert ends.count("end") >= 1, (number, ends)
            assert "connect_timeout" not in ends, (number, ends)
        assert not line.loop.errors, number
        return line.loop.operations

    assert until_clean(run, MOST) >= 10


@pytest.mark.parametrize("scheme", ORIGINS)
@pytest.mark.parametrize("strike", [leap, cancel_first, cancel_second, cancel_both, close])
def test_anything_may_happen_before_any_callback(strike: Callable[[Line], bool], scheme: str) -> None:
    """Cancelled, late or closed before the n-th callback or timer, the handshake's included: nothing leaks."""

    def run(number: int) -> Faults:
        line = Line(scheme)
        line.loop.turns.at, line.loop.turns.strike = number, lambda: strike(line)
        line.run()
        if strike is cancel_first:
            assert line.second.ends == ["end"], number
        if strike is cancel_second:
            assert line.first.ends == ["end"], number
        assert not line.loop.errors, number
        return line.loop.turns

    assert until_clean(run, MOST) >= 30


@pytest.mark.parametrize("scheme", ORIGINS)
@pytest.mark.parametrize("kind", [None, *KINDS])
def test_a_handler_that_raises_harms_nobody_else(kind: Kind | None, scheme: str) -> None:
    """Whichever callback raises, also of a call that fails: the error is reported, the other call goes on."""

    def run(number: int) -> Faults:
        line = Line(scheme)
        line.handlers.at, line.handlers.strike = number, yes
        if kind is not None:
            line.loop.kind = kind
            line.loop.operations.at, line.loop.operations.strike = 1, yes
        line.run()
        if kind is None:
            ends = [*line.first.ends, *line.second.ends]
            assert ends.count("end") >= 1, (number, ends)
        if line.handlers.count >= number:
            assert [str(error) for error in line.loop.errors] == ["injected"], number
        return line.handlers

    assert until_clean(run, MOST) >= 2
