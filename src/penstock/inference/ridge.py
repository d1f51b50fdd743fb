"""Ridge regression with a kernel, and its errors on rows left out, in closed form.

With K = V diag(s) Vᵀ, the fit for a penalty p is K(K + pI)⁻¹y, and what a fit without row i would say of row i
follows from the same matrices (Hastie, Tibshirani, Friedman: The Elements of Statistical Learning, 7.10.1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
PENALTIES = tuple(float(each) for each in np.geomspace(0.3, 100.0, 8))


@dataclass(frozen=True, slots=True)
class Spectrum:
    """A symmetric positive matrix by its eigenvectors (rows, rows) and eigenvalues (rows,)."""

    vectors: Floats
    values: Floats

    @classmethod
    def of(cls, kernel: Floats) -> Spectrum:
        """Decompose; tiny negative eigenvalues are rounding."""
        values, vectors = np.linalg.eigh(kernel)
        return cls(vectors, np.maximum(values, 0.0))

    def dual(self, y: Floats, penalty: float) -> Floats:
        """Coefficients (rows, outputs) for targets of the same shape."""
        return self.vectors @ ((self.vectors.T @ y) / (self.values + penalty)[:, None])

    def left_out(self, y: Floats, penalty: float) -> Floats:
        """What each row would be told by a fit without it, (rows, outputs); `y` has no mean."""
        return self.left_out_rotated(self.vectors.T @ y, y, penalty)

    def left_out_rotated(self, rotated: Floats, y: Floats, penalty: float) -> Floats:
        """The same where `vectors.T @ y` is known already."""
        inverse = 1.0 / (self.values + penalty)
        dual = self.vectors @ (rotated * inverse[:, None])
        diagonal = (self.vectors * self.vectors) @ inverse
        return y - dual / diagonal[:, None]


def least_error(spectrum: Spectrum, y: Floats) -> tuple[float, float]:
    """Which penalty tells rows left out best: (penalty, mean squared error).

    `y` is (rows, outputs) without mean; the error is over all of it.
    """
    rotated = spectrum.vectors.T @ y
    errors = [
        float(np.mean((y - spectrum.left_out_rotated(rotated, y, penalty)) ** 2)) for penalty in PENALTIES
    ]
    best = int(np.argmin(errors))
    return PENALTIES[best], errors[best]


def least_errors_shuffled(spectrum: Spectrum, y: Floats, rounds: int, seed: int) -> Floats:
    """The least error for each of `rounds` shuffles of `y`'s rows: what chance alone reaches, (rounds,)."""
    rng = np.random.default_rng(seed)
    rows, outputs = y.shape
    shuffled = np.concatenate([y[rng.permutation(rows)] for _ in range(rounds)], axis=1)
    rotated = spectrum.vectors.T @ shuffled
    best = np.full(rounds, np.inf)
    for penalty in PENALTIES:
        errors = (shuffled - spectrum.left_out_rotated(rotated, shuffled, penalty)) ** 2
        best = np.minimum(best, errors.mean(axis=0).reshape(rounds, outputs).mean(axis=1))
    return best
