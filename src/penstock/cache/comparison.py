"""Two questions, word by word: which words are each other's like."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.cache.lexicon import Lexicon
from penstock.cache.vocabulary import FRAMING, FUNCTION, NEGATION, PREPOSITIONS, QUANTITIES
from penstock.cache.words import Word

# Likeness[i][j] of word i of one question and word j of the other, -1 to 1.
Likeness = Sequence[Sequence[float]]
FRAMING_WEIGHT = 0.25


class Comparison:
    """One pair of questions."""

    def __init__(self, a: Sequence[Word], b: Sequence[Word], likeness: Likeness | None, known: Lexicon) -> None:
        self.known = known
        self.sides = (a, b)
        self.lemmas = tuple(
            tuple(known.lemma(w.plain) if w.kind == "word" else w.plain for w in side) for side in self.sides
        )
        self.weights = tuple(
            tuple(map(self._weight, side, lemmas)) for side, lemmas in zip(self.sides, self.lemmas, strict=True)
        )
        self.likeness = likeness
        self.pair: dict[int, int] = {}
        self.back: dict[int, int] = {}
        self._match()

    @staticmethod
    def _weight(word: Word, lemma: str) -> float:
        if word.kind != "word":
            return 1.0
        if word.plain in FUNCTION or word.plain in NEGATION or word.plain in PREPOSITIONS:
            return 0.0
        if word.plain in QUANTITIES or word.plain in FRAMING or lemma in FRAMING or lemma in FUNCTION:
            return FRAMING_WEIGHT
        return 1.0

    def like(self, i: int, j: int) -> float:
        """How alike word i and word j are in their contexts."""
        return self.likeness[i][j] if self.likeness is not None else 0.0

    def _match(self) -> None:
        a, b = self.sides
        for test in (self._equal, self._same_stem, self._synonyms):
            for i in range(len(a)):
                if i in self.pair or not a[i].plain:
                    continue
                found = [j for j in range(len(b)) if j not in self.back and test(i, j)]
                if found:
                    self._join(i, self._nearest(i, found))

    def _nearest(self, i: int, found: list[int]) -> int:
        a, b = self.sides
        place = i / max(len(a) - 1, 1)
        return min(found, key=lambda j: (-round(self.like(i, j), 1), abs(place - j / max(len(b) - 1, 1))))

    def _join(self, i: int, j: int) -> None:
        self.pair[i] = j
        self.back[j] = i

    def _equal(self, i: int, j: int) -> bool:
        x, y = self.sides[0][i], self.sides[1][j]
        if x.kind in {"number", "time"} or y.kind in {"number", "time"}:
            return x.kind == y.kind and x.value == y.value
        if x.plain == y.plain or (x.kind == y.kind == "word" and self.lemmas[0][i] == self.lemmas[1][j]):
            return True
        return "code" in {x.kind, y.kind} and x.plain.lower() == y.plain.lower()

    def _same_stem(self, i: int, j: int) -> bool:
        x, y = self.sides[0][i], self.sides[1][j]
        if x.kind != "word" or y.kind != "word" or (x.name and y.name):
            return False
        p, q = self.lemmas[0][i], self.lemmas[1][j]
        return self.known.related(p, q) and not self.known.opposites(p, q)

    def _synonyms(self, i: int, j: int) -> bool:
        x, y = self.sides[0][i], self.sides[1][j]
        if x.kind != "word" or y.kind != "word" or (x.name and y.name):
            return False
        if not (self.weights[0][i] and self.weights[1][j]):
            return False
        for p in {x.plain, self.lemmas[0][i]}:
            for q in {y.plain, self.lemmas[1][j]}:
                if self.known.synonyms(p, q) and not self.known.opposites(p, q):
                    return True
        return False

    def alone(self, side: int) -> list[int]:
        """Places of content words of a side that have no like on the other one."""
        joined = self.pair if side == 0 else self.back
        return [i for i in range(len(self.sides[side])) if i not in joined and self.weights[side][i] > 0]

    def best(self, side: int, i: int) -> float:
        """The likeness of a word to the content word of the other side that is most like it."""
        joined = self.pair if side == 0 else self.back
        if self.likeness is None:
            return 1.0 if i in joined else 0.0
        other = self.weights[1 - side]
        row = [self.like(i, j) if side == 0 else self.like(j, i) for j in range(len(other)) if other[j] > 0]
        return max(row, default=0.0)
