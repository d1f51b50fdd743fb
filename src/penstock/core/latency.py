"""Quantiles of durations over the last minutes, in bounded memory: histograms by time slot."""

from __future__ import annotations

from math import log2
from typing import Final

WINDOW_S: Final = 300.0
SLOTS: Final = 6
SLOT_S: Final = WINDOW_S / SLOTS
# Eight buckets per doubling: an estimate is within 5 % of a sample. From 0.1 ms to about two hours.
_PER_OCTAVE: Final = 8.0
_BUCKETS: Final = 26 * 8
_UNIT_S: Final = 0.0001
# A quantile is worked out anew at most so often.
_FRESH_S: Final = 0.5
FEW: Final = 5


class LatencyWindow:
    """Durations of one kind at one target, in seconds; 6 slots of 50 s with 208 counters each at most."""

    __slots__ = ("_before", "_before_stamp", "_counts", "_known", "_known_at", "_slots", "_stamps")

    def __init__(self) -> None:
        self._slots: list[list[int]] = [[] for _ in range(SLOTS)]
        self._stamps: list[int] = [-1] * SLOTS
        self._counts: list[int] = [0] * SLOTS
        self._known: dict[float, float] = {}
        self._known_at = -1.0
        # What was usual before the present slot.
        self._before: dict[float, float] = {}
        self._before_stamp = -1

    def add(self, seconds: float, now: float) -> None:
        """Take in one duration."""
        stamp = int(now / SLOT_S)
        at = stamp % SLOTS
        if self._stamps[at] != stamp:
            self._stamps[at] = stamp
            self._slots[at] = [0] * _BUCKETS
            self._counts[at] = 0
        bucket = int(log2(seconds / _UNIT_S) * _PER_OCTAVE) if seconds > _UNIT_S else 0
        self._slots[at][bucket if bucket < _BUCKETS else _BUCKETS - 1] += 1
        self._counts[at] += 1

    def count(self, now: float) -> int:
        """How many durations the window holds."""
        oldest = int(now / SLOT_S) - SLOTS
        total = 0
        for at in range(SLOTS):
            if self._stamps[at] > oldest:
                total += self._counts[at]
        return total

    def quantile(self, share: float, now: float) -> float | None:
        """The duration that `share` of the window's did not exceed; None before there are a few."""
        if now - self._known_at >= _FRESH_S or now < self._known_at:
            self._known.clear()
            self._known_at = now
        found = self._known.get(share)
        if found is None:
            found = self._known[share] = self._work_out(share, now)
        return found if found >= 0.0 else None

    def usual(self, share: float, now: float) -> float | None:
        """As `quantile`, of the time before the last minute or so: what has become slow just now is not usual.

        Of all there is where there is nothing from before.
        """
        stamp = int(now / SLOT_S)
        if stamp != self._before_stamp:
            self._before.clear()
            self._before_stamp = stamp
        found = self._before.get(share)
        if found is None:
            found = self._before[share] = self._work_out(share, now, stamp)
        return found if found >= 0.0 else self.quantile(share, now)

    def _work_out(self, share: float, now: float, without: int = -1) -> float:
        oldest = int(now / SLOT_S) - SLOTS
        live: list[list[int]] = []
        total = 0
        for at in range(SLOTS):
            if self._stamps[at] > oldest and self._stamps[at] != without:
                live.append(self._slots[at])
                total += self._counts[at]
        if total < FEW:
            return -1.0
        wanted = share * total
        seen = 0
        for bucket in range(_BUCKETS):
            here = 0
            for slot in live:
                here += slot[bucket]
            if here:
                seen += here
                if seen >= wanted:
                    return float(_UNIT_S * 2.0 ** ((bucket + 0.5) / _PER_OCTAVE))
        return -1.0
