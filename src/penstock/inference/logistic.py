"""Logistic regression by Newton's method, with how sure its weights are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ROUNDS = 50
CLOSE = 1e-8


@dataclass(frozen=True, slots=True)
class Logistic:
    """`weights` (features + 1,), the last for the constant; `covariance` of them (Laplace's approximation)."""

    weights: Floats
    covariance: Floats
    mean: Floats
    scale: Floats

    def design(self, features: Floats) -> Floats:
        """Standardised features with a column of ones, (rows, features + 1)."""
        return np.hstack([(features - self.mean) / self.scale, np.ones((len(features), 1))])

    def __call__(self, features: Floats) -> Floats:
        """Probabilities, (rows,)."""
        return sigmoid(self.design(features) @ self.weights)

    def draws(self, features: Floats, count: int, rng: np.random.Generator) -> Floats:
        """Probabilities under `count` weights that the data allow, (count, rows)."""
        root = np.linalg.cholesky(self.covariance + 1e-12 * np.eye(len(self.weights)))
        weights = self.weights + rng.standard_normal((count, len(self.weights))) @ root.T
        return sigmoid(weights @ self.design(features).T)


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + e**-x)."""
    return 1.0 / (1.0 + np.exp(-np.clip(x, -40.0, 40.0)))


def fit(features: Floats, y: Floats, penalty: float = 1.0, weights: Floats | None = None) -> Logistic:
    """Fit (rows, features) to `y` in 0..1. `penalty` on standardised weights, not on the constant.

    `weights` (rows,) says how many rows each stands for.
    """
    counts = np.ones(len(y)) if weights is None else weights
    mean, scale = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-9)
    design = np.hstack([(features - mean) / scale, np.ones((len(features), 1))])
    ridge = np.diag(np.append(np.full(features.shape[1], penalty), 1e-3))
    found = np.zeros(design.shape[1])
    hessian = ridge
    for _ in range(ROUNDS):
        p = sigmoid(design @ found)
        hessian = (design * (counts * p * (1.0 - p))[:, None]).T @ design + ridge
        step = np.asarray(np.linalg.solve(hessian, design.T @ (counts * (y - p)) - ridge @ found), np.float64)
        found = found + np.clip(step, -4.0, 4.0)
        if float(np.abs(step).max()) < CLOSE:
            break
    return Logistic(found, np.asarray(np.linalg.inv(hessian), np.float64), mean, scale)
