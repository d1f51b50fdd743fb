"""What a run has seen: raw values of each round, notes, and medians over them."""

from __future__ import annotations

import math
import statistics
import sys
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Record:
    """One round of one measure for one contender."""

    measure: str
    contender: str
    values: dict[str, float]


@dataclass
class Records:
    """Everything, in the order in which it was seen."""

    rounds: list[Record] = field(default_factory=list[Record])
    notes: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])

    def add(self, measure: str, contender: str, **values: float) -> None:
        """Keep one round and show it."""
        self.rounds.append(Record(measure, contender, values))
        shown = "  ".join(f"{key} {value:.4g}" for key, value in values.items())
        print(f"  {measure:<16} {contender:<10} {shown}", file=sys.stderr, flush=True)

    def note(self, measure: str, contender: str, sentence: str) -> None:
        """Say why a number is missing or has to be read with care. Only its first line is kept."""
        line = sentence.strip().partition("\n")[0]
        self.notes.setdefault(measure, {})[contender] = line
        print(f"  {measure:<16} {contender:<10} {sentence.strip()}", file=sys.stderr, flush=True)

    def values(self, measure: str, contender: str, key: str) -> list[float]:
        """The values of all rounds that have one."""
        found = (
            record.values[key]
            for record in self.rounds
            if record.measure == measure and record.contender == contender and key in record.values
        )
        return [value for value in found if math.isfinite(value)]

    def median(self, measure: str, contender: str, key: str) -> float | None:
        """The median over the rounds; None where there is none."""
        values = self.values(measure, contender, key)
        return statistics.median(values) if values else None

    def ratios(self, measure: str, key: str, above: str, below: str) -> list[float]:
        """One contender's value over another's, round by round, so that slow spells of the machine cancel."""
        pairs = zip(self.values(measure, above, key), self.values(measure, below, key), strict=False)
        return [one / other for one, other in pairs if other]
