"""When a drill stops, by what was seen of both sides."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.drills import DrillRule, Side, quantile_of_t, ratio, trouble

RULE = DrillRule("d", "r", "spare", 0.05, 900.0)


def side(n: int, *, failed: int = 0, broken: int = 0, cost: int = 100, kind: str = "text") -> Side:
    """A side with so many requests, of which so many went wrong."""
    made = Side()
    for at in range(n):
        if at < failed:
            made.fail("status_503", 0)
            continue
        made.answered(cost + at % 7, 0.5 + at % 5 / 10)
        made.looked(kind, "it is no JSON" if at - failed < broken else "")
    return made


@pytest.mark.parametrize(
    ("drilled", "usual", "says"),
    [
        (side(20), side(100), ""),
        (side(3, failed=2), side(100), ""),
        (side(3, failed=3), side(100), "errors: 3 of 3"),
        (side(20, failed=3), side(100), "errors: 3 of 20"),
        (side(20, failed=4), side(100, failed=15), ""),
        (side(3, broken=3), side(0), "schema: 3 of 3"),
        (side(20, broken=4), side(100, broken=20), ""),
        (side(5, cost=300), side(20), "cost: 2.9 times"),
        (side(5, cost=180), side(20), ""),
        (side(4, cost=900), side(20), ""),
        (side(5, cost=900), side(4), ""),
        (side(3), side(40, kind="json object"), "structure: 3 of 3 answers are no json object"),
        (side(3, kind="json object"), side(40), ""),
    ],
)
def test_a_drill_stops_for_what_is_worse_for_sure(drilled: Side, usual: Side, says: str) -> None:
    """Bad luck is not enough, nor is what goes wrong the usual way, too."""
    found = trouble(RULE, drilled, usual)
    assert found.startswith(says)
    assert bool(found) == bool(says)


def test_equals_are_hardly_ever_taken_for_worse() -> None:
    """Of 400 drills to a twin, each asked after every one of 60 requests, hardly one stops."""
    source = random.Random(3)
    stopped = 0
    for _ in range(400):
        drilled, usual = Side(), Side()
        for at in range(360):
            one = drilled if at % 6 == 0 else usual
            if source.random() < 0.02:
                one.fail("status_503", 0)
                continue
            one.answered(int(source.lognormvariate(10, 0.8)), source.lognormvariate(0, 0.6))
            one.looked("text", "it is no JSON" if source.random() < 0.01 else "")
            if one is drilled and trouble(RULE, drilled, usual):
                stopped += 1
                break
    assert stopped <= 12


@pytest.mark.parametrize("spread", [0.2, 0.5])
def test_three_times_the_cost_is_seen_within_twenty_requests(spread: float) -> None:
    """In nearly every drill, though costs of single requests differ."""
    source = random.Random(5)
    late = 0
    for _ in range(200):
        drilled, usual = Side(), Side()
        for _ in range(100):
            usual.answered(int(source.lognormvariate(12, spread)), 1.0)
        for _ in range(20):
            drilled.answered(int(3 * source.lognormvariate(12, spread)), 1.0)
            if trouble(RULE, drilled, usual):
                break
        late += not trouble(RULE, drilled, usual)
    assert late <= 20


@pytest.mark.parametrize(("freedom", "quantile"), [(4, 2.776), (10, 2.228), (30, 2.042), (1e9, 1.960)])
def test_the_quantile_of_t_is_the_tables(freedom: float, quantile: float) -> None:
    """To a hundredth."""
    assert quantile_of_t(freedom) == pytest.approx(quantile, abs=0.01)


@given(st.lists(st.integers(1, 10**9), min_size=5, max_size=40), st.integers(2, 9))
def test_a_ratio_lies_in_its_interval_and_is_exact_for_multiples(costs: list[int], times: int) -> None:
    """The same requests at so many times the price cost so many times as much."""
    one, two = Side(), Side()
    for cost in costs:
        one.answered(cost * times, 1.0)
        two.answered(cost, 1.0)
    found = ratio(one.cost, two.cost)
    assert found is not None
    assert found[0] == pytest.approx(times, rel=1e-6)
    assert found[1] <= found[0] * 1.000001
    assert found[0] <= found[2] * 1.000001
