"""How often an upstream is asked, in which order, and what its own wish to wait changes."""

from __future__ import annotations

import pytest

from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread
from tests.upstream.asking import FIRST, SECOND, ask, code_of


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", ["error-500", "refuse", "garbage", "error-first", "error-408", "error-409"])
def test_a_passing_fault_is_tried_again(
    gateway: GatewayThread, simulator: SimulatorThread, fault: str, *, stream: bool
) -> None:
    """Two failures and an answer are three calls, all written down, and one charge for the answer."""
    simulator.play(fault, count=2)
    answer = ask(gateway, "again", stream=stream)
    assert answer.status == 200
    assert answer.headers["x-penstock-attempts"] == "3"
    assert len(simulator.requests()) == 3
    exchange = gateway.exchanges()[0]
    assert [attempt.outcome for attempt in exchange.attempts] == ["error", "error", "ok"]


def test_attempts_are_counted_with_the_first(gateway: GatewayThread, simulator: SimulatorThread) -> None:
    """`attempts: 3` is three calls, no more."""
    simulator.play("error-500", count=None)
    assert ask(gateway, "again").status == 502
    assert len(simulator.requests()) == 3


@pytest.mark.parametrize("fault", ["error-400", "error-404", "error-422", "error-401", "error-403"])
def test_what_waiting_does_not_mend_is_not_tried_again(
    gateway: GatewayThread, simulator: SimulatorThread, fault: str
) -> None:
    """The request's own fault, or a refused credential: one call."""
    simulator.play(fault, count=None)
    ask(gateway, "again")
    assert len(simulator.requests()) == 1


@pytest.mark.parametrize("fault", ["error-400", "error-422"])
def test_the_requests_own_fault_has_no_fallback(
    gateway: GatewayThread, simulator: SimulatorThread, fault: str
) -> None:
    """A bad request is as bad at the next target: the first one's words pass, unchanged."""
    simulator.play(fault, count=None)
    answer = ask(gateway, "two")
    assert answer.status == int(fault.removeprefix("error-"))
    assert [each.model for each in simulator.requests()] == [FIRST]


def test_a_short_wish_to_wait_is_granted(gateway: GatewayThread, simulator: SimulatorThread) -> None:
    """A target that asks for a second is tried again (how long that takes: tests/core/test_retry.py)."""
    simulator.play("error-429+retry-after-1s")
    assert ask(gateway, "patient").status == 200
    attempts = gateway.exchanges()[0].attempts
    assert [attempt.cause for attempt in attempts] == ["status_429", ""]


def test_a_long_wish_to_wait_is_passed_on(gateway: GatewayThread, simulator: SimulatorThread) -> None:
    """More than `max_backoff_s` is not waited for; the client learns the seconds."""
    simulator.play("error-429+retry-after-7s", count=None)
    answer = ask(gateway, "patient")
    assert (answer.status, code_of(answer)) == (429, "upstream_rate_limited")
    assert answer.headers["retry-after"] == "7"
    assert len(simulator.requests()) == 1


def test_an_outage_is_not_multiplied(gateway: GatewayThread, simulator: SimulatorThread) -> None:
    """Of fifty failing requests at most a fifth, and at least three, are tried again."""
    simulator.play("error-500", count=None)
    for _ in range(50):
        ask(gateway, "again")
    assert 53 <= len(simulator.requests()) <= 60


def test_weights_choose_and_the_others_stand_by(gateway: GatewayThread, simulator: SimulatorThread) -> None:
    """Nine parts to one; whoever fails is replaced by the other."""
    for _ in range(60):
        assert ask(gateway, "mostly", max_tokens=1).status == 200
    counts = simulator.counts.by_model
    assert counts[FIRST] > 40
    assert counts[SECOND] >= 1
    simulator.clear()
    simulator.play("error-500", model=FIRST, count=None)
    assert {ask(gateway, "mostly").headers["x-penstock-target"] for _ in range(10)} == {"b"}
