"""A target's measurement: a share with Wilson's interval."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt
from typing import Any


def wilson(hits: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share (E. B. Wilson, 1927)."""
    if count == 0:
        return 0.0, 1.0
    z, share = 1.959964, hits / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many; `least` and `most` bound what the target allows."""

    id: str
    what: str
    hits: int
    count: int
    least: float = 0.0
    most: float = 1.0
    detail: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def value(self) -> float:
        """The share."""
        return self.hits / self.count if self.count else 0.0

    @property
    def met(self) -> bool:
        """Whether it is within its bounds; nothing is met where nothing was measured."""
        return self.count > 0 and self.least <= self.value <= self.most

    def as_json(self, seed: int) -> dict[str, Any]:
        """The object that `--json` writes."""
        low, high = wilson(self.hits, self.count)
        bound = f">= {self.least:g}" if self.least > 0 else f"<= {self.most:g}"
        return {
            "id": self.id,
            "what": self.what,
            "value": round(self.value, 4),
            "ci95": [round(low, 4), round(high, 4)],
            "n": self.count,
            "seed": seed,
            "target": "none" if self.least == 0.0 and self.most == 1.0 else bound,
            "met": self.met,
            **({"detail": self.detail} if self.detail else {}),
        }


@dataclass(frozen=True, slots=True)
class Value:
    """A number that is no share, such as a time."""

    id: str
    what: str
    value: float
    most: float
    count: int
    spread: tuple[float, float]

    @property
    def met(self) -> bool:
        """Whether it is at most its bound."""
        return self.value <= self.most

    def as_json(self, seed: int) -> dict[str, Any]:
        """The object that `--json` writes."""
        return {
            "id": self.id,
            "what": self.what,
            "value": round(self.value, 4),
            "ci95": [round(self.spread[0], 4), round(self.spread[1], 4)],
            "n": self.count,
            "seed": seed,
            "target": f"<= {self.most:g}",
            "met": self.met,
        }


Measured = Share | Value
