"""Limits that hold at every instant."""

from __future__ import annotations

from collections import deque
from typing import Final

# So many instants are remembered one by one. Beyond them, those within a thousandth of the window become one,
# the latest: a window then holds at least 99.9 % of its limit under pressure, and never more than it.
PARTS: Final = 1000


class SlidingWindow:
    """At most `limit` in any half-open span of `window_s` seconds."""

    __slots__ = (
        *("_amounts", "_began", "_gone", "_instants", "_taken_to", "_width"),
        *("limit", "used", "window_s"),
    )

    def __init__(self, limit: int, window_s: float) -> None:
        self.limit = limit
        self.window_s = window_s
        self.used = 0
        self._width = window_s / PARTS
        self._began = 0.0
        self._gone = float("-inf")
        self._taken_to = float("-inf")
        self._instants: deque[float] = deque()
        self._amounts: deque[int] = deque()

    def pass_to(self, now: float) -> None:
        """Let go of what has left the window at `now` (monotonic seconds)."""
        instants = self._instants
        gone = self._gone = now - self.window_s
        while instants and instants[0] <= gone:
            instants.popleft()
            self.used -= self._amounts.popleft()

    def take(self, amount: int, now: float) -> bool:
        """Count `amount` at `now`, if it fits."""
        self.pass_to(now)
        if self.used + amount > self.limit:
            return False
        self.count(amount, now)
        return True

    def count(self, amount: int, now: float) -> None:
        """Count `amount` at `now` whether it fits or not: it happened, maybe before what was counted last."""
        instants = self._instants
        if instants and instants[-1] > now and len(instants) < 2 * PARTS:
            place = len(instants) - 1
            while place and instants[place - 1] > now:
                place -= 1
            instants.insert(place, now)
            self._amounts.insert(place, amount)
        elif instants and (instants[-1] >= now or (len(instants) >= PARTS and now - self._began < self._width)):
            instants[-1] = max(now, instants[-1])
            self._amounts[-1] += amount
        else:
            self._began = now
            instants.append(now)
            self._amounts.append(amount)
        self.used += amount

    def entries(self) -> list[tuple[float, int]]:
        """What was counted, and when."""
        return list(zip(self._instants, self._amounts, strict=True))

    def correct(self, change: int, at: float) -> None:
        """Change what was counted at `at`; nothing where that has left the window already."""
        instants = self._instants
        found = len(instants)
        while found and instants[found - 1] >= at:
            found -= 1
        if found < len(instants) and at > self._gone and (change > 0 or at > self._taken_to):
            change = max(change, -self._amounts[found])
            self._amounts[found] += change
            self.used += change

    def ripening(self, until: float) -> int:
        """How much of what is counted leaves the window up to the instant `until`."""
        amount = 0
        for instant, held in zip(self._instants, self._amounts, strict=True):
            if instant + self.window_s > until:
                break
            amount += held
        return amount

    def take_ripening(self, amount: int, until: float) -> list[tuple[float, int]]:
        """Count so much of that no more; when each part of it would have left the window, and how much it is.

        Whoever gets it must not use it earlier. What was counted there cannot be corrected any more.
        """
        instants, taken = self._instants, list[tuple[float, int]]()
        left = amount
        while left > 0 and instants and instants[0] + self.window_s <= until:
            part = min(left, self._amounts[0])
            if part > 0:
                taken.append((instants[0] + self.window_s, part))
            left -= part
            self.used -= part
            if part == self._amounts[0]:
                self._taken_to = instants.popleft()
                self._amounts.popleft()
            else:
                self._amounts[0] -= part
        return taken

    def wait_s(self, amount: int, now: float) -> float:
        """Seconds until `amount` would fit; 0 when it fits now, infinite where it never does."""
        if amount > self.limit:
            return float("inf")
        self.pass_to(now)
        excess = self.used + amount - self.limit
        if excess <= 0:
            return 0.0
        for instant, held in zip(self._instants, self._amounts, strict=True):
            excess -= held
            if excess <= 0:
                return max(0.0, instant + self.window_s - now)
        return self.window_s


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
