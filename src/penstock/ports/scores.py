"""Where routing learns how good answers are. Judges, success gates and feedback write, `cheapest` reads."""

from __future__ import annotations

from typing import Protocol

from penstock.core.scores import Score


class Scores(Protocol):
    """Live scores by route, target, name of the score (`groundedness`) and cohort (empty: everybody)."""

    def add(self, route: str, target: str, name: str, value: float, cohort: str = "") -> None:
        """Take in one judgement between 0 and 1; for a cohort it also counts for everybody."""
        ...

    def of(self, route: str, target: str, name: str, cohort: str = "") -> Score | None:
        """The score over the time that scores are kept; None where there is no judgement."""
        ...
