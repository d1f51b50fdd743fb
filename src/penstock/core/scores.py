"""How good a target's answers are of late, as judges, success gates and users say."""

from __future__ import annotations

import math

import msgspec

Z_95 = 1.959963984540054


class Score(msgspec.Struct, frozen=True):
    """The mean of `n` judgements between 0 and 1, with the bounds of its 95 % interval."""

    mean: float
    lower: float
    upper: float
    n: int


def score_of(total: float, n: int) -> Score:
    """The score of `n` judgements that sum up to `total`, each between 0 and 1; n is above 0.

    The interval is Wilson's (1927). For judgements between 0 and 1 it is at least as wide as it needs to be,
    since their variance is at most that of yes and no with the same mean.
    """
    mean = min(1.0, max(0.0, total / n))
    lower, upper = wilson(mean, n)
    return Score(mean, lower, upper, n)


def wilson(share: float, n: int, z: float = Z_95) -> tuple[float, float]:
    """Wilson's score interval of a share that was seen in `n` trials; 0 to 1 without any."""
    if n <= 0:
        return 0.0, 1.0
    square = z * z
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = z / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)
