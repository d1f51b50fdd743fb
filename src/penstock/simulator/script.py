"""Faults on demand: rules that change how the next requests, or a share of them, are answered."""

from __future__ import annotations

import random

import msgspec

from penstock.simulator.behaviour import is_known


class Rule(msgspec.Struct, forbid_unknown_fields=True):
    """Answer matching requests with `behaviour`, a name as in model names, on top of the model's own.

    `model` matches the whole model name (None: any) and `path` the end of the path. Of the matching requests
    the first `skip` pass; then `count` are answered so (None: all), or each with probability `rate`.
    `applied` counts; it is reported, not set.
    """

    behaviour: str
    model: str | None = None
    path: str | None = None
    skip: int = 0
    count: int | None = None
    rate: float = 1.0
    applied: int = 0


class Rules(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /script: rules to add at the end, after dropping the present ones if `replace`."""

    rules: list[Rule]
    seed: int | None = None
    replace: bool = False


class Script:
    """The queue of rules: the first that applies to a request wins; one whose count is used up is gone."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._draw = random.Random(seed)
        self._rules: list[Rule] = []

    @property
    def rules(self) -> list[Rule]:
        """The rules that still hold, in order, with their counts as they are now."""
        return self._rules

    def add(self, rules: Rules) -> None:
        """Add rules. Raises ValueError for a behaviour that is not in the table or a rate outside 0..1."""
        for rule in rules.rules:
            if not is_known(rule.behaviour):
                raise ValueError(
                    f"unknown behaviour {rule.behaviour!r}: `penstock simulate --list` lists the names"
                )
            if not 0 <= rule.rate <= 1:
                raise ValueError(f"rate must be between 0 and 1, not {rule.rate}")
        if rules.replace:
            self._rules.clear()
        if rules.seed is not None:
            self._draw.seed(rules.seed)
        self._rules.extend(rules.rules)

    def clear(self) -> None:
        """Drop all rules and start the draws anew."""
        self._rules.clear()
        self._draw.seed(self._seed)

    def next_for(self, model: str, path: str) -> str:
        """The name of the behaviour to add for this request, or "" for none; uses up what it takes."""
        for rule in self._rules:
            if rule.model not in {None, model} or not path.endswith(rule.path or ""):
                continue
            if rule.skip > 0:
                rule.skip -= 1
                continue
            if rule.rate < 1.0 and self._draw.random() >= rule.rate:
                continue
            rule.applied += 1
            if rule.count is not None:
                rule.count -= 1
                if rule.count <= 0:
                    self._rules.remove(rule)
            return rule.behaviour
        return ""
