"""How good a target's answers are of late, as judges, success gates and users say.

Judgements count half as much after each half-life: a target that has changed is judged by what it does now, and
one that nobody judges any more becomes unknown again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import msgspec

Z_95 = 1.959963984540054
# The score that every route has: the share of answers that pass its quality gate (`routes.*.success`).
SUCCESS = "success"
# Judgements are added up by the minute.
SLOT_MS = 60_000
HALF_LIFE_S = 6 * 3600
# After so many half-lives a judgement counts for nothing.
REMEMBERED = 6
# With fewer judgements, counted as they have aged, nothing is known.
LEAST = 1.0

# Route, target, cohort (empty: everybody), name of the score.
Series = tuple[str, str, str, str]
# Slot, route, target, cohort, name, how many judgements, their sum.
Sum = tuple[int, str, str, str, str, int, float]


class Score(msgspec.Struct, frozen=True):
    """The mean of `n` judgements between 0 and 1, with the bounds of its 95 % interval.

    Aged judgements count for less than one in `n`.
    """

    mean: float
    lower: float
    upper: float
    n: float


class Estimate(msgspec.Struct, frozen=True, array_like=True):
    """What is published of one series: sums of judgements as they have aged by then."""

    route: str
    target: str
    cohort: str
    name: str
    n: float
    total: float
    half_life_s: float

    def score(self, age_s: float) -> Score | None:
        """The score so long after it was published; None where hardly anything is known any more."""
        faded = 0.5 ** (max(0.0, age_s) / self.half_life_s)
        n = self.n * faded
        return score_of(self.total * faded, n) if n >= LEAST else None


class Published(msgspec.Struct, frozen=True):
    """What the worker tells gateways, in a file: what is known as of `at_ms`."""

    form: int
    at_ms: int
    estimates: list[Estimate]


_FORM = 1
_decode = msgspec.msgpack.Decoder(Published).decode
_encode = msgspec.msgpack.Encoder().encode


def packed(at_ms: int, found: list[Estimate]) -> bytes:
    """The file's content."""
    return _encode(Published(_FORM, at_ms, found))


def unpacked(data: bytes) -> Published | None:
    """What a file says; None where it is not one, or of another version."""
    try:
        found = _decode(data)
    except msgspec.DecodeError:
        return None
    return found if found.form == _FORM else None


def estimates(
    sums: Iterable[Sum], now_ms: int, half_life_of: Callable[[str], float], most: int
) -> list[Estimate]:
    """Every series and each route's whole (cohort empty), the `most` with the most judgements of them.

    `half_life_of` gives the seconds of a route.
    """
    found: dict[Series, list[float]] = {}
    lives: dict[str, float] = {}
    for slot, route, target, cohort, name, n, total in sums:
        life = lives.get(route)
        if life is None:
            life = lives[route] = half_life_of(route)
        # The middle of its minute, as far as that lies behind.
        age_s = max(0.0, (now_ms - slot * SLOT_MS - SLOT_MS / 2) / 1000)
        weight = 0.5 ** (age_s / life)
        for each in {"", cohort}:
            sums_of = found.setdefault((route, target, each, name), [0.0, 0.0])
            sums_of[0] += n * weight
            sums_of[1] += total * weight
    kept = [Estimate(*series, n, total, lives[series[0]]) for series, (n, total) in found.items() if n >= LEAST]
    kept.sort(key=lambda each: (each.cohort != "", -each.n, each.route, each.target, each.name))
    return kept[:most]


def score_of(total: float, n: float) -> Score:
    """The score of `n` judgements that sum up to `total`, each between 0 and 1; n is above 0.

    The interval is Wilson's (1927). For judgements between 0 and 1 it is at least as wide as it needs to be,
    since their variance is at most that of yes and no with the same mean; and so it is for aged ones, since
    their weights are at most 1.
    """
    mean = min(1.0, max(0.0, total / n))
    lower, upper = wilson(mean, n)
    return Score(mean, lower, upper, n)


def wilson(share: float, n: float, z: float = Z_95) -> tuple[float, float]:
    """Wilson's score interval of a share that was seen in `n` trials; 0 to 1 without any."""
    if n <= 0:
        return 0.0, 1.0
    square = z * z
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = z / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)
