"""The look-up by meaning: embed, find what is near, verify, and learn what may be served."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from penstock.cache.verifier import Strictness
from penstock.inference.meanings import Meaning, Meanings
from penstock.inference.nearest import LEAST_SIMILARITY, choose
from penstock.inference.questions import Floats32, Found, Questions
from penstock.inference.thresholds import NEAREST, Gate, neighbourhood
from penstock.ports.embedder import WordEmbedder

# Answers whose vectors are this similar say the same.
SAME_ANSWER = 0.9
MOST_ANSWER = 2_000
# Comparisons that wait for an answer, and meanings that were read lately.
MOST_WAITING, MOST_READ = 4_096, 2_048


@dataclass(frozen=True, slots=True)
class Wish:
    """How to look. `bound`: the share of wrong hits for a learnt threshold, 0 for a fixed one.

    `verify` None: similarity alone. `shadow`: look and learn, and never serve.
    """

    threshold: float = LEAST_SIMILARITY
    bound: float = 0.0
    verify: Strictness | None = "normal"
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class Looked:
    """`entry` is where the answer lies, empty for a miss; `reason` why not, or "same".

    `near` is the entry that came nearest, served or not: with `compare` its answer is to be compared with the
    one that the route gives. `would` says that it would have been served but for `shadow`.
    """

    entry: bytes = b""
    similarity: float = 0.0
    reason: str = "none"
    near: bytes = b""
    compare: bool = False
    would: bool = False


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A comparison that waits for the route's answer."""

    gate: Gate
    row: tuple[float, ...]
    question: int
    answer: Floats32 | None
    served: bool


class SemanticService:
    """One process's. Called from one thread."""

    def __init__(self, embedder: WordEmbedder, questions: Questions, rng: np.random.Generator) -> None:
        self.meanings = Meanings(embedder)
        self._embedder = embedder
        self.questions = questions
        self._rng = rng
        self._gates: dict[tuple[bytes, float], Gate] = {}
        self._waiting: OrderedDict[bytes, _Waiting] = OrderedDict()
        self._read: OrderedDict[str, Meaning] = OrderedDict()

    def look(self, space: bytes, context: bytes, text: str, wish: Wish, now_ms: int) -> Looked:
        """The kept answer for this question, or none."""
        asked = self._meaning(text)
        count = NEAREST if wish.bound else 5
        near = self.questions.nearest(space + context, asked.vector, count, now_ms)
        if not near:
            return Looked()
        similar = [found.similarity for found in near]
        least = LEAST_SIMILARITY if wish.bound else wish.threshold
        choice = choose(
            self.meanings,
            asked,
            similar,
            lambda place: self._meaning(near[place].question.text),
            least,
            wish.verify,
        )
        if choice is None:
            return Looked(b"", similar[0], "far", near[0].question.entry)
        found = near[choice.place]
        reason = choice.verified.reason if choice.verified is not None else "same"
        if not choice.same:
            return Looked(b"", found.similarity, reason, found.question.entry)
        if wish.bound:
            return self._gated(space, _name(space, context, text), near, found, wish)
        return self._served(found, wish, compare=False)

    def keep(
        self, space: bytes, context: bytes, text: str, entry: bytes, ends_ms: int, answer: str = ""
    ) -> None:
        """The route has answered this question: remember it, and settle a comparison that waited for that."""
        asked = self._meaning(text)
        told = self._embedder.embed([answer[:MOST_ANSWER]])[0] if answer else None
        waiting = self._waiting.pop(_name(space, context, text), None)
        if waiting is not None and told is not None and waiting.answer is not None:
            right = float(told @ waiting.answer) >= SAME_ANSWER
            waiting.gate.told(waiting.row, right=right, served=waiting.served)
        self.questions.add(space + context, text, asked.vector, entry, ends_ms, told)

    def gate(self, space: bytes, bound: float) -> Gate:
        """What was learnt of a namespace."""
        found = self._gates.get((space, bound))
        if found is None:
            found = self._gates[(space, bound)] = Gate(bound, self._rng)
        return found

    def _gated(self, space: bytes, name: bytes, near: list[Found], found: Found, wish: Wish) -> Looked:
        gate = self.gate(space, wish.bound)
        alike = [_same_answer(found, other) for other in near]
        row = neighbourhood([each.similarity for each in near], alike)
        decided = gate.decide(row)
        compare = decided.verify and found.question.answer is not None
        if compare:
            self._waiting[name] = _Waiting(gate, row, found.question.id, found.question.answer, decided.serve)
            while len(self._waiting) > MOST_WAITING:
                self._waiting.popitem(last=False)
        if not decided.serve:
            return Looked(b"", found.similarity, "threshold", found.question.entry, compare)
        return self._served(found, wish, compare=compare)

    def _served(self, found: Found, wish: Wish, *, compare: bool) -> Looked:
        """A hit; in the shadow, or to be compared, the route answers all the same."""
        entry = found.question.entry
        if wish.shadow or compare:
            return Looked(
                b"", found.similarity, "shadow" if wish.shadow else "sample", entry, compare, would=True
            )
        self.questions.used(found.question)
        return Looked(entry, found.similarity, "same", entry)

    def _meaning(self, text: str) -> Meaning:
        found = self._read.get(text)
        if found is None:
            found = self._read[text] = self.meanings.of(text)
            if len(self._read) > MOST_READ:
                self._read.popitem(last=False)
        else:
            self._read.move_to_end(text)
        return found


def _same_answer(one: Found, other: Found) -> bool:
    if one.question.id == other.question.id:
        return True
    a, b = one.question.answer, other.question.answer
    return a is not None and b is not None and float(a @ b) >= SAME_ANSWER


def _name(space: bytes, context: bytes, text: str) -> bytes:
    return space + context + text.encode()
