"""Logistic regression over sparse features, with numpy and L-BFGS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows of feature places and their values, one after the other, and where each begins."""

    places: npt.NDArray[np.int64]
    values: Floats
    starts: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]

    def scores(self, weights: Floats) -> Floats:
        """The product with weights, a number a row."""
        return np.add.reduceat(weights[self.places] * self.values, self.starts)

    def pulled(self, rows: Floats, width: int) -> Floats:
        """The transposed product: rows' numbers gathered at their features."""
        spread = np.repeat(rows, self.sizes) * self.values
        return np.bincount(self.places, weights=spread, minlength=width).astype(np.float64)


def matrix_of(rows: Sequence[tuple[Sequence[int], Sequence[int]]]) -> Matrix:
    """A matrix of features by position, which share a length of one, and of traits, each of which is one."""
    sizes = np.array([len(words) + len(traits) for words, traits in rows], dtype=np.int64)
    count = int(sizes.sum())
    places = np.fromiter(
        (place for pair in rows for part in pair for place in part), dtype=np.int64, count=count
    )
    shares = (
        share
        for words, traits in rows
        for share in (*repeat(len(words) ** -0.5 if words else 0.0, len(words)), *repeat(1.0, len(traits)))
    )
    values = np.fromiter(shares, dtype=np.float64, count=count)
    return Matrix(places, values, np.concatenate([[0], np.cumsum(sizes)[:-1]]), sizes)


def fit(
    matrix: Matrix, labels: Floats, importance: Floats, penalty: float, width: int, steps: int = 80
) -> Floats:
    """Weights and, last, the constant: the least weighted log loss plus `penalty` times squared weights."""
    total = importance.sum()

    def loss(at: Floats) -> tuple[float, Floats]:
        margin = matrix.scores(at[:-1]) + at[-1]
        signed: Floats = margin * np.sign(labels - 0.5)
        value = float((importance * np.logaddexp(0.0, -signed)).sum() / total + penalty * (at[:-1] @ at[:-1]))
        slope = importance * (1.0 / (1.0 + np.exp(-np.clip(margin, -40, 40))) - labels) / total
        gradient = np.append(matrix.pulled(slope, width) + 2 * penalty * at[:-1], slope.sum())
        return value, gradient

    at = np.zeros(width + 1)
    value, gradient = loss(at)
    pairs: list[tuple[Floats, Floats]] = []
    for _ in range(steps):
        direction = -_two_loops(gradient, pairs)
        reach = 1.0 if pairs else 1.0 / max(1e-12, float(np.abs(gradient).max()))
        for _ in range(25):
            moved, slope = at + reach * direction, float(gradient @ direction)
            new, after = loss(moved)
            if new <= value + 1e-4 * reach * slope:
                break
            reach /= 2
        else:
            break
        step, change = moved - at, after - gradient
        if step @ change > 1e-12:
            pairs = [*pairs[-9:], (step, change)]
        done = value - new < 1e-7 * max(1.0, abs(value))
        at, value, gradient = moved, new, after
        if done:
            break
    return at


def _two_loops(gradient: Floats, pairs: list[tuple[Floats, Floats]]) -> Floats:
    """The gradient times an estimate of the inverse Hessian (Nocedal and Wright, algorithm 7.4)."""
    out = gradient.copy()
    shares: list[float] = []
    for step, change in reversed(pairs):
        share = float(step @ out) / float(step @ change)
        shares.append(share)
        out -= share * change
    if pairs:
        step, change = pairs[-1]
        out *= float(step @ change) / float(change @ change)
    for (step, change), share in zip(pairs, reversed(shares), strict=True):
        out += (share - float(change @ out) / float(step @ change)) * step
    return out
