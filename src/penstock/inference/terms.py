"""Words and pairs of words as weighted features: which count, and how much (TF-IDF with one count per text)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# Rarer terms teach nothing, more of them only cost memory.
LEAST_TEXTS = 3
MOST_TERMS = 8_192


@dataclass(frozen=True, slots=True)
class Terms:
    """The vocabulary: a term's column, and what it weighs."""

    column: dict[str, int]
    weight: Floats

    def rows(self, found: Sequence[set[str]]) -> Floats:
        """One row of length 1 for each text, (texts, terms); all zero where no term is known."""
        out = np.zeros((len(found), len(self.weight)), np.float64)
        for row, terms in enumerate(found):
            columns = [self.column[term] for term in terms if term in self.column]
            out[row, columns] = self.weight[columns]
        return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)


def terms_from(found: Sequence[set[str]]) -> tuple[Terms, Floats]:
    """The vocabulary of some texts, given as the sets of their terms, and their rows."""
    counted = Counter(term for terms in found for term in terms)
    # Ties are broken by the term itself: the same texts give the same vocabulary in any process.
    ranked = sorted(((-n, term) for term, n in counted.items() if n >= LEAST_TEXTS))[:MOST_TERMS]
    column = {term: at for at, (_, term) in enumerate(ranked)}
    often = np.array([-n for n, _ in ranked], np.float64)
    weight = np.log((1.0 + len(found)) / (1.0 + often)) + 1e-6
    terms = Terms(column, weight)
    return terms, terms.rows(found)
