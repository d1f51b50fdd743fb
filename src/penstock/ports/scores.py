"""Where routing learns how good answers are: judges, success gates and feedback write, `cheapest` reads."""

from __future__ import annotations

from typing import Protocol

from penstock.core.scores import Score


class Scores(Protocol):
    """Live scores by route, target, name of the score (`groundedness`) and cohort (empty: everybody)."""

    def of(self, route: str, target: str, name: str, cohort: str = "") -> Score | None:
        """The score of late; None where there is no judgement."""
        ...
