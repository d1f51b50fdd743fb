"""A budget: money is reserved before it can be spent, and settled when it was.

Windows are calendar windows in the budget's time zone. What is spent belongs to the window in which the attempt
was *opened*. Every window begins at a full quarter of an hour, which is how finely sums of spending are kept.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from penstock.core.allowance import Window

FOREVER_MS: Final = 2**62
_DAY: Final = timedelta(days=1)


class UnknownZoneError(ValueError):
    """There is no time zone of this name."""


@lru_cache(maxsize=256)
def zone(name: str) -> tzinfo:
    """A time zone by its IANA name. Raises UnknownZoneError."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownZoneError(name) from None


def window_bounds(window: Window, at_ms: int, timezone: str = "UTC") -> tuple[int, int]:
    """Start and end (exclusive) of the window that holds `at_ms`, in epoch milliseconds.

    Days, weeks (from Monday) and months begin at local midnight, or at the first instant after it where a day
    has none; so a day may have 23 or 25 hours.
    """
    if window == "total":
        return 0, FOREVER_MS
    where = zone(timezone)
    moment = datetime.fromtimestamp(at_ms / 1000, where)
    if window == "hour":
        # Counted from the instant itself: an hour that is repeated when clocks go back is two windows.
        past = timedelta(minutes=moment.minute, seconds=moment.second, microseconds=moment.microsecond)
        start_ms = _ms(moment.astimezone(UTC) - past)
        return start_ms, start_ms + 3_600_000
    midnight = datetime(moment.year, moment.month, moment.day, tzinfo=where)
    if window == "week":
        midnight -= _DAY * midnight.weekday()
        return _ms(midnight), _ms(midnight + _DAY * 7)
    if window == "month":
        midnight = midnight.replace(day=1)
        following = (midnight + _DAY * 32).replace(day=1)
        return _ms(midnight), _ms(following)
    return _ms(midnight), _ms(midnight + _DAY)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp()) * 1000


class Budget:
    """Spent and reserved nano-dollars of one account in the current window."""

    __slots__ = (
        "end_ms",
        "limit_nanousd",
        "reserved_nanousd",
        "spent_nanousd",
        "start_ms",
        "timezone",
        "window",
    )

    def __init__(self, limit_nanousd: int, window: Window, timezone: str = "UTC") -> None:
        self.limit_nanousd = limit_nanousd
        self.window: Window = window
        self.timezone = timezone
        self.spent_nanousd = 0
        self.reserved_nanousd = 0
        self.start_ms = 0
        self.end_ms = 0

    def roll(self, now_ms: int) -> None:
        """Enter the window of `now_ms`; reservations under way stay, for they may yet be spent."""
        if not self.start_ms <= now_ms < self.end_ms:
            self.start_ms, self.end_ms = window_bounds(self.window, now_ms, self.timezone)
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

    def may_fit(self, amount_nanousd: int) -> bool:
        """Whether `amount_nanousd` would fit if everything that is held were released."""
        return self.spent_nanousd + amount_nanousd <= self.limit_nanousd

    def left_nanousd(self) -> int:
        """What can still be reserved; never negative."""
        return max(0, self.limit_nanousd - self.spent_nanousd - self.reserved_nanousd)
