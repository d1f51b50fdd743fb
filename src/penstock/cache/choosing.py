"""Which of a few near questions is the one: the nearest, unless another is as near and shares more words."""

from __future__ import annotations

from collections.abc import Sequence

# How many near ones are looked at, and how much farther than the nearest one may be.
NEAR = 3
MARGIN = 0.04
# What a point of likeness, word by word, counts against a point of similarity.
BY_WORDS = 0.25


def within_reach(similarities: Sequence[float], threshold: float) -> list[int]:
    """Places of the candidates (nearest first) that are worth a comparison word by word."""
    if not similarities:
        return []
    floor = max(threshold, similarities[0] - MARGIN)
    return [place for place, each in enumerate(similarities[:NEAR]) if each >= floor]


def in_order(similarities: Sequence[float], likenesses: Sequence[float]) -> list[int]:
    """Places of candidates, the best first; `likenesses` are means over words (inference.meanings)."""
    total = [s + BY_WORDS * w for s, w in zip(similarities, likenesses, strict=True)]
    return sorted(range(len(total)), key=lambda place: -total[place])
