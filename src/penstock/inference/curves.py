"""How good a router is: curves of quality against the share of strong calls, or against cost.

PGR (performance gap recovered), APGR (its area) and CPT (call-performance threshold) as in RouteLLM, arXiv
2406.18665: PGR = (quality - weak) / (strong - weak).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
DECILES = 11


def recovered(score: Floats, weak: Floats, strong: Floats) -> Floats:
    """PGR when the k requests with the highest score go to the strong model, for k = 0 … n.

    Requests with equal scores are in no order: the curve runs through them in a straight line, as it would on
    average over all orders. All three arrays are (n,); NaN counts as one score, below all others.
    """
    gain = strong - weak
    total = float(gain.sum())
    clean = np.where(np.isnan(score), -np.inf, score)
    order = np.argsort(-clean, kind="stable")
    ranked, gains = clean[order], gain[order]
    starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
    sums = np.add.reduceat(gains, starts)
    sizes = np.diff(np.r_[starts, len(gains)])
    even = np.repeat(sums / sizes, sizes)
    return np.r_[0.0, np.cumsum(even)] / total if total else np.linspace(0.0, 1.0, len(gains) + 1)


def pgr_at(curve: Floats, share: float) -> float:
    """PGR at a share of strong calls, between the points of a curve by a straight line."""
    return float(np.interp(share * (len(curve) - 1), np.arange(len(curve)), curve))


def apgr(curve: Floats) -> float:
    """Area under PGR over the share of strong calls, by the trapezoid rule over deciles. Random: .5."""
    points = [pgr_at(curve, share) for share in np.linspace(0.0, 1.0, DECILES)]
    return float(np.trapezoid(points, dx=1.0 / (DECILES - 1)))


def cpt(curve: Floats, wanted: float) -> float:
    """Least share of strong calls (percent) that reaches this PGR. Random: 100 x wanted."""
    reached = np.flatnonzero(curve >= wanted)
    if not len(reached):
        return 100.0
    at = int(reached[0])
    if at == 0:
        return 0.0
    below, above = float(curve[at - 1]), float(curve[at])
    inside = (wanted - below) / (above - below)
    return 100.0 * (at - 1 + inside) / (len(curve) - 1)


@dataclass(frozen=True, slots=True)
class Quality:
    """One evaluation: areas and thresholds, with PGR at each decile, against random and the oracle."""

    apgr: float
    cpt50: float
    cpt80: float
    deciles: tuple[float, ...]
    oracle: tuple[float, ...]
    weak: float
    strong: float
    n: int


def quality(score: Floats, weak: Floats, strong: Floats) -> Quality:
    """Evaluate scores, (n,) each: higher means that the strong model is needed more."""
    curve, best = recovered(score, weak, strong), recovered(strong - weak, weak, strong)
    shares = np.linspace(0.0, 1.0, DECILES)
    return Quality(
        apgr=apgr(curve),
        cpt50=cpt(curve, 0.5),
        cpt80=cpt(curve, 0.8),
        deciles=tuple(pgr_at(curve, share) for share in shares),
        oracle=tuple(pgr_at(best, share) for share in shares),
        weak=float(weak.mean()),
        strong=float(strong.mean()),
        n=len(score),
    )


def upper_hull(cost: Floats, value: Floats) -> tuple[Floats, Floats]:
    """The concave hull over (cost, value) points from above, left to right."""
    hull: list[tuple[float, float]] = []
    for x, y in sorted(zip(cost.tolist(), value.tolist(), strict=True)):
        if hull and hull[-1][0] == x:
            if y <= hull[-1][1]:
                continue
            hull.pop()
        while len(hull) >= 2 and _below(hull[-2], hull[-1], (x, y)):
            hull.pop()
        hull.append((x, y))
    return np.array([x for x, _ in hull]), np.array([y for _, y in hull])


def _below(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    """Whether b lies on or under the line from a to c."""
    return (b[1] - a[1]) * (c[0] - a[0]) <= (c[1] - a[1]) * (b[0] - a[0])


def aiq(cost: Floats, value: Floats, low: float, high: float) -> float:
    """Area under the upper hull between two costs, divided by that range (RouterBench, arXiv 2403.12031).

    Left of the cheapest point the first value holds, right of the best one the best: more money buys no less.
    """
    x, y = upper_hull(cost, value)
    best = int(np.argmax(y))
    x, y = x[: best + 1], y[: best + 1]
    grid = np.unique(np.r_[low, high, x[(x > low) & (x < high)]])
    return float(np.trapezoid(np.interp(grid, x, y), grid) / (high - low))


def cost_at(cost: Floats, value: Floats, wanted: float) -> float:
    """Least cost on the hull that reaches a value; infinity where none does."""
    x, y = upper_hull(cost, value)
    best = int(np.argmax(y))
    if y[best] < wanted:
        return float("inf")
    return float(np.interp(wanted, y[: best + 1], x[: best + 1]))


def bootstrap_interval(values: Floats, seed: int = 0, rounds: int = 2_000) -> tuple[float, float]:
    """95 % bootstrap interval of the mean of a few values, such as one per seed."""
    draws = np.random.default_rng(seed).integers(0, len(values), (rounds, len(values)))
    low, high = np.quantile(values[draws].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)
