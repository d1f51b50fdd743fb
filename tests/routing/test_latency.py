"""Quantiles over the last five minutes."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.latency import WINDOW_S, LatencyWindow


@given(st.lists(st.floats(0.001, 500.0), min_size=5, max_size=200), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_a_quantile_is_near_the_sample(durations: list[float], share: float) -> None:
    """Within a bucket of the order statistic that it stands for."""
    window = LatencyWindow()
    for each in durations:
        window.add(each, 1000.0)
    ordered = sorted(durations)
    rank = max(0, -(-int(share * len(ordered) * 1000) // 1000) - 1)
    found = window.quantile(share, 1000.0)
    assert found is not None
    assert ordered[max(0, rank - 1)] * 0.9 <= found <= ordered[min(len(ordered) - 1, rank + 1)] * 1.1


def test_a_few_are_needed() -> None:
    """Four durations say nothing yet."""
    window = LatencyWindow()
    for _ in range(4):
        window.add(1.0, 1000.0)
    assert window.quantile(0.5, 1000.0) is None


def test_what_is_slow_now_is_not_usual() -> None:
    """A minute of slow answers does not make them usual at once."""
    window = LatencyWindow()
    for second in range(100):
        window.add(0.2 if second < 60 else 5.0, 1000.0 + second)
    assert window.usual(0.95, 1090.0) == pytest.approx(0.2, rel=0.1)
    assert window.quantile(0.95, 1099.0) == pytest.approx(5.0, rel=0.1)


def test_what_is_old_is_gone() -> None:
    """After the window nothing is left of it, and memory has not grown."""
    window = LatencyWindow()
    draw = random.Random(1)
    for second in range(2000):
        window.add(draw.uniform(0.9, 1.1) if second < 1000 else draw.uniform(9.0, 11.0), 1000.0 + second)
    assert window.quantile(0.05, 3000.0) == pytest.approx(9.5, rel=0.1)
    assert window.count(3000.0) <= WINDOW_S + 50
    assert window.quantile(0.5, 9000.0) is None
