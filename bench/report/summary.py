"""Medians, ratios and verdicts: one list that the table and the JSON document both show."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from bench.records import Records
from bench.report.goals import RATIOS, ROWS, Goal, Ratio, Row

OURS = "penstock"
RELAY = "relay"


@dataclass(frozen=True)
class Line:
    """One row with its numbers."""

    row: Row
    values: dict[str, float]
    spread: tuple[float, float] | None

    @property
    def met(self) -> bool | None:
        """Whether Penstock keeps the goal; None where there is no goal or no number."""
        return verdict(self.row.goal, self.values.get(OURS))

    @property
    def over_relay(self) -> float | None:
        """Penstock's number over the bare relay's."""
        ours, bare = self.values.get(OURS), self.values.get(RELAY)
        return ours / bare if ours and bare and bare > 0 else None


@dataclass(frozen=True)
class Compared:
    """One ratio with its number."""

    ratio: Ratio
    value: float | None
    rounds: list[float]

    @property
    def met(self) -> bool | None:
        """Whether the goal is kept."""
        return verdict(self.ratio.goal, self.value)


def verdict(goal: Goal | None, value: float | None) -> bool | None:
    """A goal without a number is neither met nor missed."""
    return None if goal is None or value is None else goal.met(value)


def lines(records: Records, contenders: list[str]) -> list[Line]:
    """All rows that have a number."""
    found: list[Line] = []
    for row in ROWS:
        medians = {name: records.median(row.measure, name, row.key) for name in contenders}
        values = {name: value for name, value in medians.items() if value is not None}
        ours = records.values(row.measure, OURS, row.key)
        if values:
            found.append(Line(row, values, (min(ours), max(ours)) if ours else None))
    return found


def compared(records: Records) -> list[Compared]:
    """All ratios, those without a number included."""
    return [_compare(records, ratio) for ratio in RATIOS]


def _compare(records: Records, ratio: Ratio) -> Compared:
    if ratio.other_measure is None:
        above, below = (ratio.other, OURS) if ratio.inverse else (OURS, ratio.other)
        rounds = records.ratios(ratio.measure, ratio.key, above, below)
        return Compared(ratio, statistics.median(rounds) if rounds else None, rounds)
    one = records.median(ratio.measure, OURS, ratio.key)
    other = records.median(ratio.other_measure, ratio.other, ratio.key)
    return Compared(ratio, one / other if one and other else None, [])
