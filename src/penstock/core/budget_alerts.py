"""What there is to say about a budget: how much of it is spent, and whether it will last.

Pure: the account, its window and what was spent when come in, readings come out. Time is counted in quarters of
an hour since the Unix epoch; who knows only hours puts each hour's sum into its first quarter.

The forecast is *seasonal* where at least two weeks of spending are known before now: the hours that are left
cost what the same hours of the week have cost on average in up to four weeks (a seasonal naive forecast).
Otherwise it is *linear*: what was spent so far, stretched over the window, once a tenth of it is over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from penstock.core.alerts import Reading, Rule, Severity

QUARTER_MS = 900_000
HOUR_MS = 4 * QUARTER_MS
WEEK_MS = 168 * HOUR_MS
THRESHOLDS = (0.5, 0.8, 1.0)
# A share must fall this far below its threshold, by a raised limit, before the threshold can be news again.
_SHARE_CLEARS = 0.95
_FORECAST_CLEARS = 0.9
_LEAST_WEEKS, _MOST_WEEKS = 2, 4
_LEAST_ELAPSED = 0.1
# A window that ends later than this never ends: there is nothing to forecast.
_FOREVER_MS = 2**60
NANO = 1_000_000_000

Method = Literal["seasonal", "linear"]


class BudgetState(msgspec.Struct, frozen=True):
    """One account in its window. `spent` holds nano-dollars by quarter, from before the window as well.

    `earlier_nanousd` is what was spent in the window before the oldest quarter in `spent`.
    """

    account: str
    org: str
    limit_nanousd: int
    start_ms: int
    end_ms: int
    spent: Mapping[int, int]
    thresholds: tuple[float, ...] = THRESHOLDS
    earlier_nanousd: int = 0
    window: str = ""

    @property
    def spent_nanousd(self) -> int:
        """What was spent in the window."""
        first = -(-self.start_ms // QUARTER_MS)
        inside = [amount for quarter, amount in self.spent.items() if quarter >= first]
        return self.earlier_nanousd + sum(inside)


class Forecast(msgspec.Struct, frozen=True):
    """What the window will have cost at its end, and how that was worked out."""

    nanousd: int
    method: Method


def readings_of(
    state: BudgetState, now_ms: int, cooldown_ms: int, *, with_forecast: bool = True
) -> list[Reading]:
    """A reading for each threshold, and one for the forecast while the budget is not yet spent."""
    if state.limit_nanousd <= 0:
        return []
    spent = state.spent_nanousd
    share = spent / state.limit_nanousd
    found = [_share(state, spent, share, threshold, cooldown_ms) for threshold in state.thresholds]
    if with_forecast and share < 1:
        expected = forecast(state, now_ms)
        if expected is not None:
            found.append(_forecast(state, expected, cooldown_ms))
    return found


def forecast(state: BudgetState, now_ms: int) -> Forecast | None:
    """What the window will cost, None where it never ends, is over, or too little is known."""
    if state.end_ms >= _FOREVER_MS or not state.start_ms <= now_ms < state.end_ms:
        return None
    weeks = _known_weeks(state.spent, now_ms)
    if weeks >= _LEAST_WEEKS:
        left = _seasonal(state.spent, min(weeks, _MOST_WEEKS), now_ms, state.end_ms)
        return Forecast(state.spent_nanousd + left, "seasonal")
    elapsed, whole = now_ms - state.start_ms, state.end_ms - state.start_ms
    if elapsed < _LEAST_ELAPSED * whole:
        return None
    return Forecast(state.spent_nanousd * whole // elapsed, "linear")


def _known_weeks(spent: Mapping[int, int], now_ms: int) -> int:
    quarters = [quarter for quarter, amount in spent.items() if amount > 0]
    return (now_ms - min(quarters) * QUARTER_MS) // WEEK_MS if quarters else 0


def _seasonal(spent: Mapping[int, int], weeks: int, now_ms: int, end_ms: int) -> int:
    """What the time from now to the end will cost, by what each hour of the week cost on average."""
    hours = [0] * 168
    this_hour = now_ms // HOUR_MS
    for quarter, amount in spent.items():
        if this_hour - weeks * 168 <= quarter // 4 < this_hour:
            hours[(quarter // 4) % 168] += amount
    left = 0
    for hour in range(this_hour, -(-end_ms // HOUR_MS)):
        begin, end = max(now_ms, hour * HOUR_MS), min(end_ms, (hour + 1) * HOUR_MS)
        left += hours[hour % 168] * (end - begin)
    return left // (HOUR_MS * weeks)


def _share(state: BudgetState, spent: int, share: float, threshold: float, cooldown_ms: int) -> Reading:
    severity: Severity = "critical" if threshold >= 1 else "warning" if threshold >= 0.8 else "info"
    return Reading(
        rule=Rule("budget.share", severity, threshold, threshold * _SHARE_CLEARS, cooldown_ms),
        group=f"budget.share {state.account} {state.window} {state.start_ms}",
        subject=_words(state),
        value=share,
        message=f"{_words(state)} has spent {share:.0%} of its {_usd(state.limit_nanousd)}{_per(state)}",
        org=state.org,
        labels=_labels(state, spent),
    )


def _forecast(state: BudgetState, expected: Forecast, cooldown_ms: int) -> Reading:
    return Reading(
        rule=Rule("budget.forecast", "warning", 1.0, _FORECAST_CLEARS, cooldown_ms),
        group=f"budget.forecast {state.account} {state.window} {state.start_ms}",
        subject=_words(state),
        value=expected.nanousd / state.limit_nanousd,
        message=f"{_words(state)} will have spent {_usd(expected.nanousd)} of its {_usd(state.limit_nanousd)}"
        f"{_per(state)} at the window's end ({expected.method} forecast)",
        org=state.org,
        labels={
            **_labels(state, state.spent_nanousd),
            "forecast_nanousd": str(expected.nanousd),
            "method": expected.method,
        },
    )


def _words(state: BudgetState) -> str:
    """The account as people say it: `key dev`."""
    return state.account.replace(":", " ", 1)


def _labels(state: BudgetState, spent: int) -> dict[str, str]:
    return {
        "account": state.account,
        "window": state.window,
        "window_start_ms": str(state.start_ms),
        "window_end_ms": str(state.end_ms) if state.end_ms < _FOREVER_MS else "",
        "limit_nanousd": str(state.limit_nanousd),
        "spent_nanousd": str(spent),
    }


def _per(state: BudgetState) -> str:
    return f" ({state.window})" if state.window else ""


def _usd(nanousd: int) -> str:
    return f"${nanousd / NANO:,.2f}"


def hourly(rows: Sequence[tuple[int, int]]) -> dict[int, int]:
    """Sums by hour since the epoch, as `BudgetState.spent` wants them."""
    return {4 * hour: amount for hour, amount in rows}
