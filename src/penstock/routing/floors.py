"""Which targets are below a floor of quality, with a memory, so that a score at the floor does not flap.

A target is left out once its score is below the floor for sure (the whole 95 % interval is), and comes back
when its mean is at the floor or above, or when its judgements are so old that nothing is known of it any more.
"""

from __future__ import annotations

from penstock.ports.scores import Scores

MAX_FLOORS = 65_536
# With fewer judgements of a cohort's own, what is known of everybody holds for it.
LEAST_OF_COHORT = 20


class Floors:
    """What is below; kept across reloads."""

    __slots__ = ("_below", "_scores")

    def __init__(self, scores: Scores) -> None:
        self._scores = scores
        self._below: set[tuple[str, str, str, str]] = set()

    def below(self, route: str, target: str, name: str, minimum: float, cohort: str = "") -> bool:
        """Whether the target's score is below `minimum` on this route, for a cohort if it is known for that."""
        score = self._scores.of(route, target, name, cohort) if cohort else None
        if score is None or score.n < LEAST_OF_COHORT:
            score, cohort = self._scores.of(route, target, name), ""
        at = (route, target, name, cohort)
        if score is None:
            self._below.discard(at)
            return False
        if at in self._below:
            if score.mean >= minimum:
                self._below.discard(at)
                return False
            return True
        if score.upper < minimum:
            if len(self._below) < MAX_FLOORS:
                self._below.add(at)
            return True
        return False
