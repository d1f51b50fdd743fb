"""Precision and recall of the semantic cache over thresholds, on pairs that somebody has labelled."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from penstock.inference.chart import Line, chart
from penstock.inference.meanings import Meanings
from penstock.ports.embedder import WordEmbedder

THRESHOLDS = tuple(round(0.5 + 0.025 * step, 3) for step in range(20))


class PairError(ValueError):
    """The file has no pairs that can be read; the sentence says where."""


class LabelledPair(NamedTuple):
    """Two questions, and whether one answer answers both."""

    a: str
    b: str
    same: bool


@dataclass(frozen=True, slots=True)
class Point:
    """At a threshold: shares, None where nothing is served."""

    threshold: float
    precision: float | None
    recall: float
    served: int

    @property
    def shown(self) -> str:
        """Two columns of a table."""
        precision = f"{self.precision:.3f}" if self.precision is not None else "-"
        return f"{precision:>10}  {self.recall:>10.3f}"


@dataclass(frozen=True, slots=True)
class Tuned:
    """What was measured: `alone` by similarity, `words` with the verifier besides."""

    pairs: int
    same: int
    precision: float
    alone: tuple[Point, ...]
    words: tuple[Point, ...]
    refused: dict[str, int]

    @property
    def advice(self) -> str:
        """What to write into the configuration."""
        best = [
            (best_of(points, self.precision), how)
            for points, how in ((self.words, "words"), (self.alone, "off"))
        ]
        given = [(point, how) for point, how in best if point is not None]
        if not given:
            return (
                f"no threshold has a precision of {self.precision:g} on these pairs; "
                "try threshold: auto, in shadow first"
            )
        point, how = max(given, key=lambda each: each[0].recall)
        right = f"{point.precision or 0:.1%} of hits right ({point.served} of these pairs)"
        return (
            f"threshold: {point.threshold:g} with verify: {how} serves {point.recall:.1%} of what may be, "
            f"{right}; the fewer pairs, the less that says"
        )

    def as_json(self) -> dict[str, Any]:
        """Everything, for programs."""
        return {**asdict(self), "advice": self.advice}


def read_pairs(text: str) -> list[LabelledPair]:
    """From JSON lines with `a`, `b` and `same`. Raises PairError."""
    found: list[LabelledPair] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            told = json.loads(line)
            one, other, same = told["a"], told["b"], bool(told["same"])
        except (ValueError, KeyError, TypeError):
            raise PairError(f'line {number} is not like {{"a": "…", "b": "…", "same": true}}') from None
        if not isinstance(one, str) or not isinstance(other, str):
            raise PairError(f"line {number}: a and b must be texts")
        found.append(LabelledPair(one, other, same))
    if not any(pair.same for pair in found):
        raise PairError("no pair has same: true; without such there is nothing to find")
    return found


def tuned(embedder: WordEmbedder, pairs: Sequence[LabelledPair], precision: float) -> Tuned:
    """Compare every pair both ways."""
    meanings = Meanings(embedder)
    similar: list[float] = []
    verified: list[bool] = []
    refused: dict[str, int] = {}
    for pair in pairs:
        a, b = meanings.of(pair.a), meanings.of(pair.b)
        told = meanings.verify(a, b)
        similar.append(float(a.vector @ b.vector))
        verified.append(told.same)
        if not told.same:
            refused[told.reason] = refused.get(told.reason, 0) + 1
    labels = [pair.same for pair in pairs]
    every = [True] * len(pairs)
    return Tuned(
        len(pairs), sum(labels), precision,
        tuple(_point(t, similar, every, labels) for t in THRESHOLDS),
        tuple(_point(t, similar, verified, labels) for t in THRESHOLDS),
        refused,
    )  # fmt: skip


def best_of(points: Sequence[Point], precision: float) -> Point | None:
    """The most recall at this precision."""
    good = [point for point in points if point.precision is not None and point.precision >= precision]
    return max(good, key=lambda point: (point.recall, point.threshold), default=None)


def drawn(found: Tuned) -> str:
    """Precision over recall, one curve for each way."""
    lines = [
        Line(name, [(each.recall, each.precision) for each in points if each.precision is not None], dashed)
        for name, points, dashed in (
            ("with verify: words", found.words, False),
            ("similarity alone", found.alone, True),
        )
    ]
    return chart(
        "Semantic cache: hits that are right", "recall", "precision", [line for line in lines if line.points]
    )


def _point(threshold: float, similar: Sequence[float], good: Sequence[bool], labels: Sequence[bool]) -> Point:
    served = [label for s, g, label in zip(similar, good, labels, strict=True) if g and s >= threshold]
    right = sum(served)
    return Point(threshold, right / len(served) if served else None, right / sum(labels), len(served))
