"""The verifier on pairs of our own: fitted with whole groups left out, and asked about those."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.semantic_cache.pairs import Pair, groups, pairs
from penstock.cache.differences import differences
from penstock.cache.verifier import NAMES, Verified, Verifier, Weights, features
from penstock.inference.logistic import fit
from penstock.inference.meanings import Meaning, Meanings, likeness
from penstock.ports.embedder import WordEmbedder

Floats = NDArray[np.float64]
FOLDS = 6
PENALTY = 3.0
DIGITS = 5


@dataclass(frozen=True, slots=True)
class OwnPairs:
    """Each pair with its row of features (pairs, NAMES) and what may be said of it."""

    pairs: tuple[Pair, ...]
    read: dict[str, Meaning]
    rows: Floats
    same: Floats

    @classmethod
    def of(cls, embedder: WordEmbedder, files: Sequence[str] = ()) -> OwnPairs:
        """Read the files, or all."""
        found = tuple(pairs(groups(*files)))
        reader = Meanings(embedder, Verifier(nothing()))
        read = {text: reader.of(text) for text in {t for pair in found for t in (pair.a, pair.b)}}
        rows = np.array([row_of(read[pair.a], read[pair.b]) for pair in found])
        return cls(found, read, rows, np.array([float(pair.same) for pair in found]))

    def verified(self, seed: int = 0) -> list[Verified]:
        """What a verifier says of each pair that was fitted without the pair's group."""
        number = np.array([pair.group for pair in self.pairs])
        fold = np.random.default_rng(seed).permutation(int(number.max()) + 1)[number] % FOLDS
        out: list[Verified | None] = [None] * len(self.pairs)
        for each in range(FOLDS):
            made = Verifier(weights_of(self.rows[fold != each], self.same[fold != each]))
            for i in np.flatnonzero(fold == each):
                a, b = self.read[self.pairs[i].a], self.read[self.pairs[i].b]
                out[i] = made.verify_words(a.words, b.words, float(a.vector @ b.vector), likeness(a, b))
        return [each for each in out if each is not None]


def row_of(a: Meaning, b: Meaning) -> tuple[float, ...]:
    """The features of a pair."""
    return features(float(a.vector @ b.vector), differences(a.words, b.words, likeness(a, b)))


def weights_of(rows: Floats, same: Floats) -> Weights:
    """Fitted so that both kinds of pairs count the same, however many there are."""
    # A fit has no weights of rows: the rarer kind is repeated.
    times = max(1, round(float((same == 0).sum() / max(same.sum(), 1.0))))
    every = np.concatenate([rows, *[rows[same == 1]] * (times - 1)])
    made = fit(every, np.concatenate([same, *[same[same == 1]] * (times - 1)]), penalty=PENALTY * times)

    def short(values: Floats) -> tuple[float, ...]:
        return tuple(round(float(value), DIGITS) for value in values)

    return Weights(
        NAMES,
        short(made.mean),
        short(np.maximum(made.scale, 1e-3)),
        short(made.weights[:-1]),
        short(made.weights[-1:])[0],
    )


def nothing() -> Weights:
    """Weights that say nothing, to read texts with before any are fitted."""
    some = (0.0,) * len(NAMES)
    return Weights(NAMES, some, (1.0,) * len(NAMES), some, 0.0)
