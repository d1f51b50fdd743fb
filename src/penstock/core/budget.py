"""A hard budget: money is reserved before it can be spent, and settled when it was.

Windows are calendar windows in UTC. What is spent belongs to the window in which the attempt was *opened*.
"""

from __future__ import annotations

import calendar
from datetime import UTC, datetime
from typing import Literal

Window = Literal["hour", "day", "week", "month", "total"]
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
WEEK_MS = 7 * DAY_MS
_MONDAY_OFFSET_MS = 4 * DAY_MS  # the epoch was a Thursday


def window_bounds(window: Window, at_ms: int) -> tuple[int, int]:
    """Start and end (exclusive) of the window that holds `at_ms`, in epoch milliseconds."""
    if window == "hour":
        start = at_ms - at_ms % HOUR_MS
        return start, start + HOUR_MS
    if window == "day":
        start = at_ms - at_ms % DAY_MS
        return start, start + DAY_MS
    if window == "week":
        start = at_ms - (at_ms - _MONDAY_OFFSET_MS) % WEEK_MS
        return start, start + WEEK_MS
    if window == "month":
        moment = datetime.fromtimestamp(at_ms / 1000, UTC)
        days = calendar.monthrange(moment.year, moment.month)[1]
        first = datetime(moment.year, moment.month, 1, tzinfo=UTC)
        start = int(first.timestamp()) * 1000
        return start, start + days * DAY_MS
    return 0, 2**62


class Budget:
    """Spent and reserved nano-dollars of one account in the current window."""

    __slots__ = ("end_ms", "limit_nanousd", "reserved_nanousd", "spent_nanousd", "start_ms", "window")

    def __init__(self, limit_nanousd: int, window: Window) -> None:
        self.limit_nanousd = limit_nanousd
        self.window: Window = window
        self.spent_nanousd = 0
        self.reserved_nanousd = 0
        self.start_ms = 0
        self.end_ms = 0

    def roll(self, now_ms: int) -> None:
        """Enter the window of `now_ms`; reservations under way stay, for they may yet be spent."""
        if not self.start_ms <= now_ms < self.end_ms:
            self.start_ms, self.end_ms = window_bounds(self.window, now_ms)
            self.spent_nanousd = 0

    def reserve(self, amount_nanousd: int, now_ms: int) -> bool:
        """Hold `amount_nanousd` if it fits beside everything spent and held."""
        if now_ms >= self.end_ms:
            self.roll(now_ms)
        if self.spent_nanousd + self.reserved_nanousd + amount_nanousd > self.limit_nanousd:
            return False
        self.reserved_nanousd += amount_nanousd
        return True

    def settle(self, reserved_nanousd: int, spent_nanousd: int, opened_ms: int) -> None:
        """End a reservation with what was really spent (0 releases it)."""
        self.reserved_nanousd -= reserved_nanousd
        if opened_ms >= self.start_ms:
            self.spent_nanousd += spent_nanousd

    def left_nanousd(self) -> int:
        """What can still be reserved; never negative."""
        return max(0, self.limit_nanousd - self.spent_nanousd - self.reserved_nanousd)
