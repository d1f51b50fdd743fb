"""What is said of budgets: shares, and forecasts from history."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from penstock.core.alerts import Memory, judge_all
from penstock.core.budget import window_bounds
from penstock.core.budget_alerts import (
    HOUR_MS,
    QUARTER_MS,
    WEEK_MS,
    BudgetState,
    forecast,
    hourly,
    readings_of,
)

START = window_bounds("week", 1_790_000_000_000)[0]
NANO = 1_000_000_000
amounts = st.integers(0, 10**12)


def state(
    spent: Mapping[int, int], *, limit: int = NANO, start: int = START, end: int = START + WEEK_MS
) -> BudgetState:
    """A budget for a week."""
    return BudgetState("key:dev", "acme", limit, start, end, spent, window="week")


def quarters(start_ms: int, end_ms: int) -> range:
    """The quarters of an hour between two instants."""
    return range(start_ms // QUARTER_MS, end_ms // QUARTER_MS)


@given(
    spends=st.lists(st.tuples(st.integers(0, WEEK_MS - 1), st.integers(0, NANO)), max_size=60),
    limit=st.integers(1, 3 * NANO),
)
def test_each_threshold_is_told_once_and_none_is_left_out(spends: list[tuple[int, int]], limit: int) -> None:
    """Spending only grows within a window: what is crossed is told once at most, and the highest always."""
    spent: dict[int, int] = {}
    memories: dict[str, Memory] = {}
    told: list[float] = []
    for offset, amount in sorted(spends):
        now_ms = START + offset
        spent[now_ms // QUARTER_MS] = spent.get(now_ms // QUARTER_MS, 0) + amount
        before = len(told)
        readings = readings_of(state(spent, limit=limit), now_ms, 0, with_forecast=False)
        changed, alerts = judge_all(readings, memories, now_ms)
        memories |= changed
        told += [each.threshold for each in alerts]
        share = sum(spent.values()) / limit
        crossed = [each for each in (0.5, 0.8, 1.0) if share >= each]
        assert not crossed or max(told) == max(crossed)
        assert len(told) - before <= 1
    assert told == sorted(set(told))


def test_the_sentence_and_the_facts_of_a_share() -> None:
    """A person reads what happened, a machine gets exact numbers; the more is spent, the worse."""
    now_ms = START + WEEK_MS // 2
    readings = readings_of(state({START // QUARTER_MS: NANO * 4 // 5}), now_ms, 0)
    shares = [each for each in readings if each.rule.kind == "budget.share"]
    assert [each.rule.severity for each in shares] == ["info", "warning", "critical"]
    assert shares[0].message == "key dev has spent 80% of its $1.00 (week)"
    assert (shares[0].labels["spent_nanousd"], shares[0].org) == (str(NANO * 4 // 5), "acme")
    (told,) = [each for each in readings if each.rule.kind == "budget.forecast"]
    assert told.message == (
        "key dev will have spent $1.60 of its $1.00 (week) at the window's end (linear forecast)"
    )
    assert told.labels["method"] == "linear"


def test_a_new_window_begins_anew() -> None:
    """What was told of the last window does not silence this one, and its spending does not count."""
    first = readings_of(state({START // QUARTER_MS: NANO}), START + HOUR_MS, 0)
    memories, told = judge_all(first, {}, START + HOUR_MS)
    assert [each.threshold for each in told] == [1.0]
    later = START + WEEK_MS
    spent = {START // QUARTER_MS: NANO, later // QUARTER_MS: NANO // 2}
    again = readings_of(state(spent, start=later, end=later + WEEK_MS), later, 0)
    assert [each.threshold for each in judge_all(again, memories, later)[1]] == [0.5]


@given(rate=st.integers(0, NANO), part=st.integers(10, 99))
def test_a_steady_rate_is_forecast_exactly(rate: int, part: int) -> None:
    """Without history the forecast is linear, and right where spending is steady."""
    now_ms = START + WEEK_MS * part // 100 // QUARTER_MS * QUARTER_MS
    found = forecast(state(dict.fromkeys(quarters(START, now_ms), rate)), now_ms)
    early = now_ms - START < WEEK_MS // 10
    assert found is None if early else found is not None
    if found is not None:
        assert (found.nanousd, found.method) == (rate * 672, "linear")


@given(
    pattern=st.lists(st.integers(0, NANO), min_size=168, max_size=168), at=st.integers(0, 167), data=st.data()
)
def test_a_weekly_pattern_is_forecast_exactly(pattern: list[int], at: int, data: st.DataObject) -> None:
    """With weeks of history the forecast is seasonal, and right where each week is like the last one."""
    pattern[0] = pattern[0] or 1
    weeks = data.draw(st.integers(2, 6))
    now_ms = START + at * HOUR_MS
    first = (START - weeks * WEEK_MS) // HOUR_MS
    spent = hourly([(hour, pattern[hour % 168]) for hour in range(first, now_ms // HOUR_MS)])
    known = min(each for each, amount in spent.items() if amount)
    found = forecast(state(spent), now_ms)
    if now_ms - known * QUARTER_MS >= 2 * WEEK_MS:
        assert found is not None
        assert (found.nanousd, found.method) == (sum(pattern), "seasonal")


@given(spent=st.dictionaries(st.integers(-3_000, 671), amounts, max_size=30), at=st.integers(0, WEEK_MS - 1))
def test_a_forecast_never_falls_below_what_is_spent(spent: dict[int, int], at: int) -> None:
    """Money does not come back."""
    now_ms = START + at
    past = {START // QUARTER_MS + each: amount for each, amount in spent.items()}
    past = {each: amount for each, amount in past.items() if each * QUARTER_MS <= now_ms}
    found = forecast(state(past), now_ms)
    assert found is None or found.nanousd >= state(past).spent_nanousd


def test_what_never_ends_is_not_forecast() -> None:
    """A budget in total has shares; before its kept hours it counts what the total says."""
    start, end = window_bounds("total", START)
    whole = BudgetState("key:a", "", NANO, start, end, {START // QUARTER_MS: 1}, earlier_nanousd=NANO // 2)
    readings = readings_of(whole, START + HOUR_MS, 0)
    assert {each.rule.kind for each in readings} == {"budget.share"}
    assert readings[0].value >= 0.5
    assert readings_of(state({}, limit=0), START, 0) == []
    assert forecast(state({}), START - 1) is forecast(state({}), START + WEEK_MS) is None
