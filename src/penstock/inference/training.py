"""Training a router from rows: few candidates, chosen by rows left out, and a test of whether there is a signal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penstock.core.text_features import DENSE, dense_of
from penstock.inference.ridge import Spectrum, least_error, least_errors_shuffled
from penstock.inference.router_model import NEIGHBOURS, About, RouterModel
from penstock.inference.rows import Rows, RowsError
from penstock.inference.terms import Terms, terms_from

Floats = NDArray[np.float64]
Embed = Callable[[tuple[str, ...]], NDArray[np.float32]]
# Shares of (terms, dense features, embedding, neighbours) in the kernel. Few of them: each more is a chance to
# choose noise.
MIXTURES = (
    (0.4, 0.1, 0.2, 0.3),
    (0.2, 0.1, 0.0, 0.7),
    (0.7, 0.1, 0.2, 0.0),
    (0.2, 0.6, 0.1, 0.1),
)
MIXTURES_WITHOUT_EMBEDDING = ((0.9, 0.1, 0.0, 0.0), (0.4, 0.6, 0.0, 0.0))
WIDTH = 0.6
SHUFFLES = 100
# The chance that a router without any signal passes the test.
SIGNIFICANCE = 0.01
LEAST_ROWS = 60
# A prompt less like the training's than all but this share of its own is of another kind.
STRANGERS = 0.03


@dataclass(frozen=True, slots=True)
class Trained:
    """The model, and what fits without each row say of it: `left_out` (rows, models), for thresholds."""

    model: RouterModel
    left_out: Floats


@dataclass(frozen=True, slots=True)
class _Features:
    """Features of the rows, each (rows, …), and how they were made."""

    terms: Terms
    by_term: Floats
    dense_mean: Floats
    dense_scale: Floats
    by_dense: Floats
    vectors: Floats
    vector_mean: Floats


def train(rows: Rows, embed: Embed | None, embedder: str = "", seed: int = 0) -> Trained:
    """Learn how well each model does. `embed` gives unit vectors; without one only words are looked at.

    Rows must know all models (`Rows.of_models`). Raises RowsError where there are too few.
    """
    if len(rows) < LEAST_ROWS:
        raise RowsError(f"{len(rows)} rows are too few to learn from; at least {LEAST_ROWS}")
    features = _features(rows, embed)
    gaussian = np.exp((features.vectors @ features.vectors.T - 1.0) / WIDTH**2)
    mixtures = MIXTURES if embed is not None else MIXTURES_WITHOUT_EMBEDDING
    parts = _kernels(features, gaussian)
    spectra = [
        Spectrum.of(sum((share * part for share, part in zip(m, parts, strict=True)), np.zeros_like(gaussian)))
        for m in mixtures
    ]
    mean = rows.quality.mean(axis=0)
    y = rows.quality - mean
    contrast = y - y.mean(axis=1, keepdims=True)
    chosen, penalty, error = least_error(spectra, contrast)
    left_out = mean + spectra[chosen].left_out(y, penalty)
    signal, why = _signal(spectra, contrast, error, seed)
    dual = spectra[chosen].dual(y, penalty)
    about = About(rows.models, signal, why, embedder if embed is not None else "", rows.digest(), len(rows))
    return Trained(_primal(about, features, parts, gaussian, mixtures[chosen], dual, mean), left_out)


def _features(rows: Rows, embed: Embed | None) -> _Features:
    terms, by_term = terms_from(rows.prompts)
    raw = np.array([dense_of(prompt) for prompt in rows.prompts]).reshape(len(rows), len(DENSE))
    mean, scale = raw.mean(axis=0), np.maximum(raw.std(axis=0), 1e-3)
    vectors = np.zeros((len(rows), 0)) if embed is None else embed(rows.prompts).astype(np.float64)
    return _Features(
        terms, by_term, mean, scale, np.clip((raw - mean) / scale, -5.0, 5.0), vectors, vectors.mean(axis=0)
    )


def _kernels(features: _Features, gaussian: Floats) -> list[Floats]:
    """The four kernels, each with a mean of 1 on its diagonal where it has any."""
    centred = features.vectors - features.vector_mean
    made = [part @ part.T for part in (features.by_term, features.by_dense, centred)]
    return [kernel / max(float(np.trace(kernel)) / len(kernel), 1e-12) for kernel in (*made, gaussian)]


def _signal(spectra: list[Spectrum], contrast: Floats, error: float, seed: int) -> tuple[bool, str]:
    """Whether outcomes can be told from prompts better than from shuffled ones, by the same search."""
    chance = least_errors_shuffled(spectra, contrast, SHUFFLES, seed)
    better = float((np.sum(chance <= error) + 1) / (SHUFFLES + 1))
    told = 1.0 - error / max(float(np.mean(contrast**2)), 1e-12)
    if better <= SIGNIFICANCE and told > 0.0:
        return True, f"prompts tell {told:.1%} of the variance in which model does better; chance p = {better:.3f}"
    return False, f"prompts do not tell which model does better (p = {better:.3f}): the default is chosen always"


def _primal(
    about: About,
    features: _Features,
    parts: list[Floats],
    gaussian: Floats,
    mixture: tuple[float, ...],
    dual: Floats,
    mean: Floats,
) -> RouterModel:
    """From coefficients of rows to weights of features."""
    count = len(about.models)
    raw = (features.by_term, features.by_dense, features.vectors - features.vector_mean)
    weights: list[Floats] = []
    for share, part in zip(mixture, raw, strict=False):
        scale = max(float((part * part).sum()) / len(part), 1e-12)
        weights.append((share / scale) * (part.T @ dual))
    own = max(float(np.trace(gaussian)) / len(gaussian), 1e-12)
    with_vectors = features.vectors.shape[1] > 0
    return RouterModel(
        about=about,
        terms=features.terms,
        mean=mean,
        by_term=weights[0],
        dense_mean=features.dense_mean,
        dense_scale=features.dense_scale,
        by_dense=weights[1],
        embedding_mean=features.vector_mean,
        by_embedding=weights[2],
        anchors=features.vectors if with_vectors else np.zeros((0, 0)),
        by_anchor=(mixture[3] / own) * dual if with_vectors else np.zeros((0, count)),
        width=WIDTH,
        alike=_alike(features.vectors) if with_vectors else -1.0,
    )


def _alike(vectors: Floats) -> float:
    """The likeness to its nearest neighbours that all but STRANGERS of the rows have."""
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -1.0)
    nearest = min(NEIGHBOURS, len(vectors) - 1)
    likeness = np.partition(cosines, -nearest, axis=1)[:, -nearest:].mean(axis=1)
    return float(np.quantile(likeness, STRANGERS))
