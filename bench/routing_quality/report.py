"""One object per target, and what they add up to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from penstock.inference.curves import bootstrap_interval


@dataclass(frozen=True, slots=True)
class Measured:
    """A target's measurement: its value over seeds, the bound, and whether that was met."""

    id: str
    what: str
    values: tuple[float, ...]
    target: str
    met: bool
    n: int
    detail: dict[str, Any] = field(default_factory=dict[str, Any])

    def as_json(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        values = np.array(self.values)
        low, high = bootstrap_interval(values) if len(values) > 1 else (float(values[0]), float(values[0]))
        return {
            "id": self.id,
            "what": self.what,
            "value": round(float(values.mean()), 4),
            "sd": round(float(values.std(ddof=1)) if len(values) > 1 else 0.0, 4),
            "ci95": [round(low, 4), round(high, 4)],
            "n": self.n,
            "seed": f"0..{len(values) - 1}",
            "target": self.target,
            "met": self.met,
            **({"detail": self.detail} if self.detail else {}),
        }


def mean(values: list[float] | tuple[float, ...]) -> float:
    """The mean as a plain float."""
    return float(np.mean(values))
