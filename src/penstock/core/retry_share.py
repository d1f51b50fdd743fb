"""How many retries and hedges a route may make, as a share of its requests."""

from __future__ import annotations

from collections import deque
from typing import Final

RETRY_WINDOW_S: Final = 10.0
RETRIES_ALWAYS_ALLOWED: Final = 3
# What an idle route may have saved up, and spend in one go.
HEDGES_AT_ONCE: Final = 10.0


class HedgeShare:
    """Keeps a route's hedges to a share of its requests, over any length of time, and a handful at once."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = 1.0

    def first(self, max_percent: float) -> None:
        """Count a request that may be hedged."""
        self._left = min(HEDGES_AT_ONCE, self._left + max_percent / 100.0)

    def allow(self) -> bool:
        """Count a hedge, if the share has room."""
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


class RetryShare:
    """Keeps a route's retries to a share of its first attempts, so that an outage is not multiplied."""

    __slots__ = ("_bucket", "_buckets", "_firsts", "_retries", "hedges")

    def __init__(self) -> None:
        self.hedges = HedgeShare()
        self._buckets: deque[tuple[int, int, int]] = deque()
        self._bucket = -1
        self._firsts = 0
        self._retries = 0

    def _roll(self, now: float) -> None:
        second = int(now)
        if second != self._bucket:
            self._buckets.append((self._bucket, self._firsts, self._retries))
            self._bucket, self._firsts, self._retries = second, 0, 0
            while self._buckets and self._buckets[0][0] <= second - RETRY_WINDOW_S:
                self._buckets.popleft()

    def first(self, now: float) -> None:
        """Count a first attempt."""
        if int(now) != self._bucket:
            self._roll(now)
        self._firsts += 1

    def allow(self, now: float, max_share: float) -> bool:
        """Count a retry, if the share has room; a few are always allowed, or quiet routes had none."""
        self._roll(now)
        firsts = self._firsts + sum(b[1] for b in self._buckets)
        retries = self._retries + sum(b[2] for b in self._buckets)
        if retries + 1 > max(RETRIES_ALWAYS_ALLOWED, max_share * firsts):
            return False
        self._retries += 1
        return True
