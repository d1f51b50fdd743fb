"""What each model will probably cost on a prompt: a base and a rate per character, from rows with costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.inference.rows import Rows

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CostModel:
    """Dollars: `base` and `per_char`, (models,) each. `mean_chars`: of the prompts that they come from."""

    base: Floats
    per_char: Floats
    mean_chars: float = 0.0

    def of(self, prompt: str) -> Floats:
        """Expected dollars of each model."""
        return self.base + self.per_char * len(prompt)

    def as_json(self) -> dict[str, Any]:
        """What stands in a model's metrics."""
        return {"base": self.base.tolist(), "per_char": self.per_char.tolist(), "mean_chars": self.mean_chars}


def costs_in(metrics: dict[str, Any]) -> CostModel | None:
    """What a model's metrics say of costs; None where they say nothing."""
    told = metrics.get("costs")
    if told is None:
        return None
    return CostModel(np.array(told["base"]), np.array(told["per_char"]), float(told["mean_chars"]))


def costs_from(rows: Rows) -> CostModel | None:
    """Least squares for each model, neither part below zero; None where a model has no costs."""
    chars = np.array([len(prompt) for prompt in rows.prompts], np.float64)
    base, rate = np.zeros(len(rows.models)), np.zeros(len(rows.models))
    for column in range(len(rows.models)):
        known = ~np.isnan(rows.cost[:, column])
        if not known.any():
            return None
        cost, length = rows.cost[known, column], chars[known]
        spread = float(((length - length.mean()) ** 2).sum())
        slope = float(((length - length.mean()) * cost).sum()) / spread if spread else 0.0
        slope = min(max(slope, 0.0), float(cost.mean()) / max(float(length.mean()), 1.0))
        rate[column], base[column] = slope, max(float(cost.mean() - slope * length.mean()), 0.0)
    return CostModel(base, rate, float(chars.mean()))
