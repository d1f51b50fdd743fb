"""Limits that hold at every instant."""

from __future__ import annotations

from array import array


class RateWindow:
    """At most `limit` events in any half-open span of `window_s` seconds.

    A ring of the last `limit` instants: an event may happen when the one `limit` places back has left the
    window. Exact, where sub-windows would let a few per cent through or hold them back; eight bytes an event.
    """

    __slots__ = ("_at", "_instants", "limit", "window_s")

    def __init__(self, limit: int, window_s: float) -> None:
        self.limit = limit
        self.window_s = window_s
        self._instants = array("d", [float("-inf")]) * limit
        self._at = 0

    def take(self, now: float) -> bool:
        """Count one event at `now` (monotonic seconds, never going back), if it fits."""
        if not self.limit or now - self._instants[self._at] < self.window_s:
            return False
        self._instants[self._at] = now
        self._at = (self._at + 1) % self.limit
        return True

    def wait_s(self, now: float) -> float:
        """Seconds until the next event would fit; 0 when it fits now, a whole window where none ever does."""
        if not self.limit:
            return self.window_s
        return max(0.0, self._instants[self._at] + self.window_s - now)

    def resized(self, limit: int, window_s: float) -> RateWindow:
        """A window with another limit that remembers as many of the last events as it can hold."""
        window = RateWindow(limit, window_s)
        recent = sorted(t for t in self._instants if t != float("-inf"))[-limit:] if limit else []
        for instant in recent:
            window._instants[window._at] = instant
            window._at = (window._at + 1) % limit
        return window


class Slots:
    """A count of things under way with an upper bound; None means unbounded."""

    __slots__ = ("limit", "used")

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.used = 0

    def take(self) -> bool:
        """Occupy one, if there is one."""
        if self.limit is not None and self.used >= self.limit:
            return False
        self.used += 1
        return True

    def give_back(self) -> None:
        """Free one that was taken."""
        self.used -= 1
