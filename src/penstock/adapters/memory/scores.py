"""Live scores in this process' memory: sums by minute, over the last hour."""

from __future__ import annotations

from collections import deque

from penstock.core.scores import Score, score_of
from penstock.ports.clock import Clock

WINDOW_S = 3600.0
SLOT_S = 60.0
MAX_SERIES = 65_536


class _Series:
    """One score: (slot, sum, count), the oldest first."""

    __slots__ = ("count", "slots", "total")

    def __init__(self) -> None:
        self.slots: deque[list[float]] = deque()
        self.total = 0.0
        self.count = 0

    def add(self, slot: float, value: float) -> None:
        """Take in one judgement."""
        if self.slots and self.slots[-1][0] >= slot:
            self.slots[-1][1] += value
            self.slots[-1][2] += 1
        else:
            self.slots.append([slot, value, 1])
        self.total += value
        self.count += 1

    def forget(self, before: float) -> None:
        """Drop what is older."""
        slots = self.slots
        while slots and slots[0][0] < before:
            _, total, count = slots.popleft()
            self.total -= total
            self.count -= int(count)
        if not slots:
            self.total, self.count = 0.0, 0


class MemoryScores:
    """Implements ports.scores.Scores."""

    def __init__(self, clock: Clock, window_s: float = WINDOW_S) -> None:
        self._clock = clock
        self._window_s = window_s
        self._series: dict[tuple[str, str, str, str], _Series] = {}

    def add(self, route: str, target: str, name: str, value: float, cohort: str = "") -> None:
        """Take in a judgement, for a cohort also for everybody. Raises ValueError where it is not in 0 to 1."""
        if not 0 <= value <= 1:
            raise ValueError(f"a score is between 0 and 1, and {name} is {value}")
        slot = self._clock.monotonic() // SLOT_S
        for each in {"", cohort}:
            at = (route, target, name, each)
            series = self._series.get(at)
            if series is None:
                if len(self._series) >= MAX_SERIES:
                    continue
                series = self._series[at] = _Series()
            series.add(slot, value)

    def of(self, route: str, target: str, name: str, cohort: str = "") -> Score | None:
        """See Scores."""
        series = self._series.get((route, target, name, cohort))
        if series is None:
            return None
        series.forget((self._clock.monotonic() - self._window_s) // SLOT_S)
        return score_of(series.total, series.count) if series.count else None
