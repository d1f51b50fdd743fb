"""How hard a request looks, from its text alone: no model, no training, microseconds.

It counts what training-free routing finds telling: how long the request is, whether it asks for several
steps, proofs, code or mathematics, how many constraints it states. The score is a sum of weights that stand in
one data file (`difficulty_rules.py`), so that they can be read, measured and replaced.
"""

from __future__ import annotations

import math
from functools import cache

import msgspec

from penstock.core import difficulty_rules as shipped_rules
from penstock.core.regex import Patterns

# Beyond this nothing is looked at: a long text is hard by its length.
MAX_CHARS = 16_384


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Adds `weight` where `pattern` (RE2, letters of either case) is found; below zero it makes easier."""

    name: str
    pattern: str
    weight: float


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is counted.

    `per_doubling`: added for each doubling of the text's length beyond `base_chars`, taken away for each
    halving, within `max_length_weight` either way. Scores below `simple_below` are simple, from `hard_from` on
    hard.
    """

    simple_below: float = shipped_rules.SIMPLE_BELOW
    hard_from: float = shipped_rules.HARD_FROM
    base_chars: int = shipped_rules.BASE_CHARS
    per_doubling: float = shipped_rules.PER_DOUBLING
    max_length_weight: float = shipped_rules.MAX_LENGTH_WEIGHT
    rules: tuple[Rule, ...] = tuple([Rule(*each) for each in shipped_rules.RULES])


class Scorer:
    """Rules with their patterns compiled."""

    __slots__ = ("_patterns", "rules")

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._patterns = Patterns([f"(?i){rule.pattern}" for rule in rules.rules])

    def score(self, text: str) -> float:
        """How hard a text looks; around 0 for an everyday question."""
        rules = self.rules.rules
        return self._length(text) + sum([rules[at].weight for at in self._patterns.found(text[:MAX_CHARS])])

    def features(self, text: str) -> dict[str, float]:
        """What each rule adds, by its name; those that add nothing are left out."""
        rules = self.rules.rules
        found = {"length": self._length(text)}
        found.update({rules[at].name: rules[at].weight for at in self._patterns.found(text[:MAX_CHARS])})
        return {name: weight for name, weight in found.items() if weight}

    def side(self, score: float) -> str:
        """`simple`, `default` or `hard`."""
        if score < self.rules.simple_below:
            return "simple"
        return "hard" if score >= self.rules.hard_from else "default"

    def _length(self, text: str) -> float:
        rules = self.rules
        weight = rules.per_doubling * math.log2((len(text) + 1) / rules.base_chars)
        return max(-rules.max_length_weight, min(rules.max_length_weight, weight))


@cache
def shipped() -> Scorer:
    """The rules that come with Penstock."""
    return Scorer(Rules())


def difficulty(text: str) -> float:
    """How hard a text looks by the shipped rules."""
    return shipped().score(text)
