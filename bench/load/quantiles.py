"""Quantiles of what was seen, nearest rank, no interpolation."""

from __future__ import annotations

import math
from collections.abc import Sequence


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed; NaN without values."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def quantile_ms(seconds: Sequence[float], share: float) -> float:
    """The same, from seconds to milliseconds."""
    return round(quantile(seconds, share) * 1000, 4)
