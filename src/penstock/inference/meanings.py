"""Texts as what can be compared: a vector of the whole, its words, and a vector of each in its context."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penstock.cache.verifier import MOST_CHARACTERS, Strictness, Verified, Verifier, verifier
from penstock.cache.words import Word, words_of
from penstock.ports.embedder import WordEmbedder

Floats32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Meaning:
    """One text: `vector` has length 1, `contexts` one row of length 1 for each of `words`."""

    text: str
    vector: Floats32
    words: tuple[Word, ...]
    contexts: Floats32


class Meanings:
    """Reads texts and compares pairs."""

    def __init__(self, embedder: WordEmbedder, verify: Verifier | None = None) -> None:
        self._embedder = embedder
        self._verifier = verify or verifier()

    def of(self, text: str) -> Meaning:
        """Read one text; what is beyond MOST_CHARACTERS is left out."""
        text = text[:MOST_CHARACTERS]
        words = words_of(text)
        vector, contexts = self._embedder.embed_words(text, [(word.begin, word.end) for word in words])
        return Meaning(text, vector, words, contexts)

    def verify(self, a: Meaning, b: Meaning, how: Strictness = "normal") -> Verified:
        """Whether the two may share an answer."""
        return self._verifier.verify_words(a.words, b.words, float(a.vector @ b.vector), likeness(a, b), how)


def likeness(a: Meaning, b: Meaning) -> list[list[float]]:
    """Of each word of `a` to each of `b`."""
    return (a.contexts @ b.contexts.T).tolist()


def mean_likeness(a: Meaning, b: Meaning) -> float:
    """How well each word finds its like on the other side, on average; it tells near texts apart."""
    if not len(a.words) or not len(b.words):
        return 0.0
    both = a.contexts @ b.contexts.T
    return float((both.max(axis=1).mean() + both.max(axis=0).mean()) / 2)
