"""Sliding windows and calendar windows, against oracles."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.core.budget import Budget, window_bounds
from penstock.core.limits import PARTS, SlidingWindow

GAPS = st.floats(0, 0.4, allow_nan=False)


@given(st.integers(1, 12), st.lists(st.tuples(GAPS, st.integers(1, 5)), max_size=120))
def test_no_span_ever_holds_more_than_its_limit(limit: int, wanted: list[tuple[float, int]]) -> None:
    """Whatever comes when, the takes in any window sum up to the limit at most; a take that fits is let in."""
    window = SlidingWindow(limit, 1.0)
    now, taken = 100.0, list[tuple[float, int]]()
    for gap, amount in wanted:
        now += gap
        inside = sum(each for at, each in taken if at > now - 1.0)
        fits = inside + amount <= limit
        assert window.take(amount, now) == fits
        if fits:
            taken.append((now, amount))


def test_under_pressure_a_window_is_full() -> None:
    """A limit far above the number of remembered instants is used to 99.9 % and never exceeded."""
    limit, window = 50_000, SlidingWindow(50_000, 1.0)
    now, taken = 0.0, list[float]()
    while now < 4.0:
        if window.take(1, now):
            taken.append(now)
        now += 1 / 120_000
    assert len(taken) >= 4 * limit * 0.999
    for begin in range(0, len(taken) - limit, 97):
        assert taken[begin + limit] - taken[begin] >= 1.0 - 1e-9
    assert len(window._instants) <= 2 * PARTS + 2  # pyright: ignore[reportPrivateUsage]


@given(st.lists(st.tuples(GAPS, st.integers(1, 9), st.integers(0, 9)), max_size=80))
def test_a_correction_changes_what_was_counted_where_it_was(takes: list[tuple[float, int, int]]) -> None:
    """Settling at another amount leaves what the window holds equal to the sum of the settled amounts."""
    window = SlidingWindow(1_000_000, 1.0)
    now, settled = 50.0, list[tuple[float, int]]()
    for gap, held, used in takes:
        now += gap
        window.pass_to(now)
        window.count(held, now)
        window.correct(used - held, now)
        settled.append((now, used))
        assert window.used == sum(each for at, each in settled if at > now - 1.0)


def test_a_correction_after_the_window_changes_nothing() -> None:
    """What has left the window cannot come back."""
    window = SlidingWindow(10, 1.0)
    window.count(5, 1.0)
    window.count(3, 2.5)
    window.pass_to(2.6)
    window.correct(-5, 1.0)
    assert window.used == 3


@given(st.integers(1, 6), st.lists(GAPS, min_size=1, max_size=40), st.integers(1, 6))
def test_the_wait_that_is_told_is_enough_and_not_more(limit: int, gaps: list[float], amount: int) -> None:
    """After the wait the amount fits; a little earlier it did not. What never fits waits for ever."""
    window = SlidingWindow(limit, 1.0)
    now = 10.0
    for gap in gaps:
        now += gap
        window.take(1, now)
    wait = window.wait_s(amount, now)
    if amount > limit:
        assert wait == float("inf")
        return
    if wait > 1e-3:
        early = now + wait - 1e-3
        window.pass_to(early)
        assert window.used + amount > limit
    assert window.take(amount, now + wait + 1e-9)


ZONES = ["UTC", "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia"]


@given(st.integers(1_300_000_000_000, 2_000_000_000_000), st.sampled_from(ZONES))
@settings(max_examples=300)
def test_calendar_windows_tile_time(at_ms: int, zone: str) -> None:
    """Each instant is in one window, whose neighbours begin where it ends, at full quarters of an hour."""
    for window in ("hour", "day", "week", "month"):
        start, end = window_bounds(window, at_ms, zone)
        assert start <= at_ms < end
        assert window_bounds(window, start, zone) == (start, end) == window_bounds(window, end - 1, zone)
        assert window_bounds(window, end, zone)[0] == end
        assert start % 900_000 == 0


def test_a_month_begins_at_local_midnight() -> None:
    """An instant that is in another month in UTC belongs to the month of the time zone."""
    at = datetime(2026, 10, 31, 20, tzinfo=UTC)
    start, end = window_bounds("month", int(at.timestamp() * 1000), "Asia/Kolkata")
    kolkata = ZoneInfo("Asia/Kolkata")
    assert datetime.fromtimestamp(start / 1000, kolkata) == datetime(2026, 11, 1, tzinfo=kolkata)
    assert datetime.fromtimestamp(end / 1000, kolkata) == datetime(2026, 12, 1, tzinfo=kolkata)


def test_a_day_that_loses_an_hour_is_shorter() -> None:
    """In New York the day on which clocks go forward has 23 hours, the one on which they go back 25."""
    zone = ZoneInfo("America/New_York")
    for noon, hours in (
        (datetime(2026, 3, 8, 12, tzinfo=zone), 23),
        (datetime(2026, 11, 1, 12, tzinfo=zone), 25),
    ):
        start, end = window_bounds("day", int(noon.timestamp() * 1000), "America/New_York")
        assert timedelta(milliseconds=end - start) == timedelta(hours=hours)


@pytest.mark.parametrize("window", ["hour", "day", "total"])
def test_what_was_opened_before_a_window_is_not_spent_in_it(window: str) -> None:
    """A settlement counts where its attempt was opened; its reservation stays held until then."""
    budget = Budget(100, "hour") if window == "hour" else Budget(100, "day" if window == "day" else "total")
    assert budget.reserve(80, 1_000)
    assert not budget.reserve(30, 1_000)
    later = 2 * 86_400_000
    fits = budget.reserve(30, later)
    assert not fits  # what is under way may yet be charged where nobody can tell
    budget.settle(80, 50, 1_000)
    assert budget.spent_nanousd == (50 if window == "total" else 0)
