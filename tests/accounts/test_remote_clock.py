"""Instants translated into another machine's time are never too early, and stay what they were."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from penstock.adapters.redis.remote_clock import MARGIN_US, RemoteClock

STEPS = st.lists(
    st.tuples(st.integers(1, 900_000), st.integers(0, 20_000), st.integers(0, 20_000)), min_size=1, max_size=200
)


@given(STEPS, st.integers(-(10**15), 10**15), st.integers(-200, 200))
def test_never_early_and_hardly_late(steps: list[tuple[int, int, int]], ahead_us: int, drift_ppm: int) -> None:
    """With drifting clocks and any delays a use is never early and hardly late."""
    clock = RemoteClock()
    now_us = 1_000_000
    truth = 0
    for pause_us, there_us, back_us in steps:
        now_us += pause_us
        sent_us = now_us
        told = now_us + there_us + ahead_us + (now_us + there_us) * drift_ppm // 1_000_000
        now_us += there_us + back_us
        clock.sample(sent_us / 1_000_000, told, now_us / 1_000_000)
        truth = now_us + ahead_us + now_us * drift_ppm // 1_000_000
        assert truth - 10 <= clock.us(now_us / 1_000_000)
    assert clock.us(now_us / 1_000_000) - truth <= 20_000 + 11 * MARGIN_US


@given(STEPS)
def test_an_instant_keeps_its_place(steps: list[tuple[int, int, int]]) -> None:
    """What an instant maps to now it maps to later, so that a correction finds what it corrects."""
    clock = RemoteClock()
    clock.sample(0.0, 500, 0.001)
    now_us = 1000
    said: list[tuple[float, int]] = []
    for pause_us, there_us, back_us in steps[:60]:
        now_us += pause_us
        at = now_us / 1_000_000
        said.append((at, clock.us(at)))
        clock.sample(at, now_us + there_us, (now_us + there_us + back_us) / 1_000_000)
        now_us += there_us + back_us + 1
    assert all(clock.us(at) == us for at, us in said)
