"""Training a router or a scorer: one kernel, a penalty chosen by rows left out, a test for a signal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from penstock.core.answer_features import SIGNALS
from penstock.core.text_features import DENSE
from penstock.inference.curves import pgr_at, recovered
from penstock.inference.ridge import Spectrum, least_error, least_errors_shuffled
from penstock.inference.router_model import (
    FARTHEST,
    NEIGHBOURS,
    About,
    Item,
    RouterModel,
    gaussian_of,
    need_of,
    raw_dense,
    terms_in,
)
from penstock.inference.rows import Rows, RowsError
from penstock.inference.terms import Terms, terms_from

Floats = NDArray[np.float64]
Embed = Callable[[Sequence[str]], NDArray[np.float32]]
Kind = Literal["router", "scorer"]


@dataclass(frozen=True, slots=True)
class Mixture:
    """How much each part of the kernel counts; set once: each candidate more is a chance to choose noise."""

    terms: float
    dense: float
    dense_near: float
    embedding: float
    near: float
    signals: float = 0.0


MIXTURES = {
    ("router", True): Mixture(0.30, 0.15, 0.10, 0.25, 0.20),
    ("router", False): Mixture(0.60, 0.10, 0.30, 0.0, 0.0),
    # An answer's own signals lead, wherever it has any; the rest corrects them.
    ("scorer", True): Mixture(0.40, 0.45, 0.05, 0.05, 0.05, 8.0),
    ("scorer", False): Mixture(0.45, 0.50, 0.05, 0.0, 0.0, 8.0),
}
# Where an answer's own signals stand among its dense features.
FIRST_SIGNAL = len(DENSE) + SIGNALS
WIDTH = 0.5
DENSE_WIDTH = 1.4
SHUFFLES = 199
# The penalty that tells rows left out best is still noisy; what counts is the order of prompts, which a
# stiffer fit
# keeps better.
STIFFER = 2.5
# The first tokens tell what kind of prompt it is nearly as well as all of them, at a fraction of the time.
MOST_TOKENS = 28
# The chance that a router without any signal passes the test.
SIGNIFICANCE = 0.01
LEAST_ROWS = 60
NOT_TRUSTED = "preferences say which answer was liked, not which was right: the default is chosen always"
# A prompt less like the training's than all but this share of its own is of another kind.
STRANGERS = 0.03
LEVELS = 101


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
    dense: Floats
    vectors: Floats
    vector_mean: Floats


def items_of(rows: Rows) -> list[Item]:
    """What a model looks at, row by row."""
    if rows.answers is None:
        return [Item(prompt) for prompt in rows.prompts]
    return [Item(prompt, *answer) for prompt, answer in zip(rows.prompts, rows.answers, strict=True)]


def train(
    rows: Rows, embed: Embed | None, embedder: str = "", seed: int = 0, *, trust_preferences: bool = False
) -> Trained:
    """Learn how well each model does. `embed` gives unit vectors; without one only words are looked at.

    Rows with answers give a scorer. Rows must know all models (`Rows.of_models`), the cheaper one first.
    Preferences follow style and length as much as quality, and what they teach fails elsewhere (worse than
    chance on MT-Bench): unless they are trusted, they count as no signal. Raises RowsError for too few rows.
    """
    if len(rows) < LEAST_ROWS:
        raise RowsError(f"{len(rows)} rows are too few to learn from; at least {LEAST_ROWS}")
    kind: Kind = "router" if rows.answers is None else "scorer"
    features = _features(kind, rows, embed)
    mixture = MIXTURES[kind, embed is not None]
    spectrum = Spectrum.of(_kernel(features, mixture))
    mean = rows.quality.mean(axis=0)
    y = rows.quality - mean
    contrast = _contrast(kind, y)
    penalty, error = least_error(spectrum, contrast)
    signal, why = _signal(spectrum, contrast, error, seed)
    if rows.preferences and not trust_preferences:
        signal, why = False, NOT_TRUSTED
    penalty *= STIFFER
    left_out = mean + spectrum.left_out(y, penalty)
    about = About(
        kind=kind,
        models=rows.models,
        signal=signal,
        why=why,
        embedder=embedder if embed is not None else "",
        data_sha256=rows.digest(),
        rows=len(rows),
        levels=levels_of(kind, left_out, rows.quality),
    )
    return Trained(_primal(about, features, mixture, spectrum.dual(y, penalty), mean), left_out)


def _contrast(kind: Kind, y: Floats) -> Floats:
    """What is to be told: a scorer's need of its second model, else differences to the last model."""
    if y.shape[1] == 1:
        return y
    if kind == "scorer":
        return need_of(y)[:, None]
    return y[:, :-1] - y[:, -1:]


def levels_of(kind: Kind, predicted: Floats, quality: Floats) -> tuple[tuple[float, float], ...]:
    """For each percent of strong calls the least predicted gain, and PGR. Two models, the strong one last."""
    if predicted.shape[1] != 2:
        return ()
    gain = need_of(predicted) if kind == "scorer" else predicted[:, 1] - predicted[:, 0]
    curve = recovered(gain, quality[:, 0], quality[:, 1])
    shares = np.linspace(0.0, 1.0, LEVELS)
    bounds = np.quantile(gain, 1.0 - shares)
    return tuple((float(bound), pgr_at(curve, share)) for bound, share in zip(bounds, shares, strict=True))


def _features(kind: Kind, rows: Rows, embed: Embed | None) -> _Features:
    items = items_of(rows)
    terms, by_term = terms_from([terms_in(kind, item) for item in items])
    raw = raw_dense(kind, items)
    mean, scale = raw.mean(axis=0), np.maximum(raw.std(axis=0), 1e-3)
    vectors = np.zeros((len(rows), 0)) if embed is None else embed(rows.prompts).astype(np.float64)
    dense = np.clip((raw - mean) / scale, -FARTHEST, FARTHEST)
    return _Features(terms, by_term, mean, scale, dense, vectors, vectors.mean(axis=0))


def _kernel(features: _Features, mixture: Mixture) -> Floats:
    """The parts, each with a mean of 1 on its diagonal, by their shares."""
    made = mixture.terms * _linear(features.by_term) + mixture.dense * _linear(features.dense)
    made += mixture.signals * _signals(features.dense, mixture)
    made += mixture.dense_near * gaussian_of(features.dense, features.dense, DENSE_WIDTH)
    if features.vectors.shape[1]:
        made += mixture.embedding * _linear(features.vectors - features.vector_mean)
        made += mixture.near * np.exp((features.vectors @ features.vectors.T - 1.0) / WIDTH**2)
    return made


def _signals(dense: Floats, mixture: Mixture) -> Floats:
    """The kernel of an answer's own signals alone."""
    if not mixture.signals:
        return np.zeros((len(dense), len(dense)))
    own = dense[:, FIRST_SIGNAL:]
    return own @ own.T / max(own.shape[1], 1)


def _linear(part: Floats) -> Floats:
    return (part @ part.T) / _size(part)


def _size(part: Floats) -> float:
    """The mean squared length of the rows."""
    return max(float((part * part).sum()) / len(part), 1e-12)


def _signal(spectrum: Spectrum, contrast: Floats, error: float, seed: int) -> tuple[bool, str]:
    """Whether outcomes can be told from rows better than from shuffled ones, by the same search."""
    chance = least_errors_shuffled(spectrum, contrast, SHUFFLES, seed)
    p = float((np.sum(chance <= error) + 1) / (SHUFFLES + 1))
    told = 1.0 - error / max(float(np.mean(contrast**2)), 1e-12)
    if p <= SIGNIFICANCE and told > 0.0:
        return (
            True,
            f"{told:.1%} of the variance in which model does better can be told in advance (p = {p:.3f})",
        )
    return (
        False,
        f"which model does better cannot be told in advance (p = {p:.3f}): the default is chosen always",
    )


def _primal(about: About, features: _Features, mixture: Mixture, dual: Floats, mean: Floats) -> RouterModel:
    """From coefficients of rows to weights of features."""
    with_vectors = features.vectors.shape[1] > 0
    by_dense = mixture.dense / _size(features.dense) * (features.dense.T @ dual)
    if mixture.signals:
        own = features.dense[:, FIRST_SIGNAL:]
        by_dense[FIRST_SIGNAL:] += mixture.signals / max(own.shape[1], 1) * (own.T @ dual)
    centred = features.vectors - features.vector_mean
    count = len(about.models)
    return RouterModel(
        about=about,
        terms=features.terms,
        mean=mean,
        by_term=mixture.terms / _size(features.by_term) * (features.by_term.T @ dual),
        dense_mean=features.dense_mean,
        dense_scale=features.dense_scale,
        by_dense=by_dense,
        dense_anchors=features.dense,
        by_dense_anchor=mixture.dense_near * dual,
        embedding_mean=features.vector_mean,
        by_embedding=mixture.embedding / _size(centred) * (centred.T @ dual),
        anchors=features.vectors if with_vectors else np.zeros((0, 0)),
        by_anchor=mixture.near * dual if with_vectors else np.zeros((0, count)),
        width=WIDTH,
        dense_width=DENSE_WIDTH,
        alike=_alike(features.vectors) if with_vectors else -1.0,
    )


def _alike(vectors: Floats) -> float:
    """The likeness to its nearest neighbours that all but STRANGERS of the rows have."""
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -1.0)
    nearest = min(NEIGHBOURS, len(vectors) - 1)
    likeness = np.partition(cosines, -nearest, axis=1)[:, -nearest:].mean(axis=1)
    return float(np.quantile(likeness, STRANGERS))
