"""Whether two questions that lie close together may share an answer, and if not, why.

Two things are asked. First the classic false hits, each by itself a reason to refuse: another number, another
name, an opposite, a denial, a changed direction, another kind of question. Then how much of the content the two
share, weighed by a logistic regression that was fitted to questions written for this project
(`scripts/train_verifier.py`); no user's data and no data set of others is in it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources
from typing import Literal

import msgspec

from penstock.cache.comparison import Likeness
from penstock.cache.differences import SHORT, Differences, differences
from penstock.cache.words import Word, words_of

# Texts longer than this are of the index's model only what it read: their ends would not be compared.
MOST_CHARACTERS = 4_000
Strictness = Literal["normal", "strict"]
# Chance that two questions share an answer, as the regression sees it, from where on one is served.
_LEAST = {"normal": (0.45, 0.1), "strict": (0.65, 0.5)}
_LONG = 12
_SINGLE = 0.4
_NARROWED = {"normal": 0.6, "strict": 0.4}
NAMES = ("cosine", *(each.name for each in fields(Differences) if each.name != "seen"))


class Weights(msgspec.Struct, frozen=True):
    """A fitted logistic regression over NAMES; `constant` goes with standardised features."""

    names: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    constant: float

    def chance(self, row: tuple[float, ...]) -> float:
        """0 to 1."""
        total = self.constant
        for value, mean, scale, weight in zip(row, self.mean, self.scale, self.weights, strict=True):
            total += (value - mean) / scale * weight
        return 1.0 / (1.0 + math.exp(-max(min(total, 40.0), -40.0)))


@dataclass(frozen=True, slots=True)
class Verified:
    """`reason` is "same", or the code of what speaks against it, and `detail` the words that do."""

    same: bool
    reason: str
    detail: str
    chance: float


class Verifier:
    """Compares pairs. It keeps nothing between calls."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights

    def verify(
        self, a: str, b: str, cosine: float, likeness: Likeness | None = None, how: Strictness = "normal"
    ) -> Verified:
        """Compare two texts; `likeness` is that of `words_of(a)` to `words_of(b)` in their contexts."""
        return self.verify_words(words_of(a), words_of(b), cosine, likeness, how)

    def verify_words(
        self,
        a: tuple[Word, ...],
        b: tuple[Word, ...],
        cosine: float,
        likeness: Likeness | None = None,
        how: Strictness = "normal",
    ) -> Verified:
        """The same, of words."""
        found = differences(a, b, likeness)
        chance = self._weights.chance(features(cosine, found))
        longer = max(len(a), len(b)) > _LONG
        why = objection(found, how, longer=longer)
        if not why and chance < _LEAST[how][longer]:
            why = "content"
        return Verified(not why, why or "same", found.seen.get(why, ""), chance)


def features(cosine: float, found: Differences) -> tuple[float, ...]:
    """A row of NAMES."""
    return (cosine, *(float(getattr(found, name)) for name in NAMES[1:]))


def objection(found: Differences, how: Strictness, *, longer: bool) -> str:
    """The first reason that is enough by itself, or nothing."""
    for name in ("script", "numbers", "opposite", "negated", "direction", "names", "code", "asked"):
        if getattr(found, name) >= 1:
            return name
    if found.single >= _SINGLE:
        return "single"
    if not longer and found.narrowed >= _NARROWED[how]:
        return "narrowed"
    if how == "strict" and (found.number or found.name or found.siblings):
        return "number" if found.number else "name" if found.name else "siblings"
    return ""


@cache
def verifier() -> Verifier:
    """The one that is shipped."""
    data = resources.files("penstock.cache").joinpath("verifier.json").read_bytes()
    weights = msgspec.json.decode(data, type=Weights)
    if weights.names != NAMES:
        raise ValueError("verifier.json is of another version; run scripts/train_verifier.py")
    return Verifier(weights)


__all__ = [
    "MOST_CHARACTERS",
    "NAMES",
    "SHORT",
    "Verified",
    "Verifier",
    "Weights",
    "features",
    "objection",
    "verifier",
]
