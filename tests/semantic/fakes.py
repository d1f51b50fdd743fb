"""An embedder that needs no model: a text is the sum of directions that its words have."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from penstock.cache.words import words_of

DIMENSIONS = 64


class WordsEmbedder:
    """Implements ports.embedder.WordEmbedder."""

    name = "words"
    dimensions = DIMENSIONS

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See ports.embedder."""
        return np.stack(
            [_unit(sum((_direction(w.plain) for w in words_of(text)), np.zeros(DIMENSIONS))) for text in texts]
        )

    def embed_words(
        self, text: str, spans: Sequence[tuple[int, int]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """See ports.embedder."""
        rows = [_direction(text[begin:end].lower()) for begin, end in spans]
        return self.embed([text])[0], np.array(rows, np.float32).reshape(len(spans), DIMENSIONS)


def _direction(word: str) -> NDArray[np.float64]:
    made = np.random.default_rng(zlib.crc32(word.encode())).standard_normal(DIMENSIONS)
    return np.asarray(made / np.linalg.norm(made), np.float64)


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)
