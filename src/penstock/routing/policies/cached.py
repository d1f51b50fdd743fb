"""An earlier answer to the same request; where none is kept, the policy goes on."""

from __future__ import annotations

from penstock.core.itinerary import AttemptOutcome, GiveUp, Repeat, Step


class CachedCursor:
    """Asks for it once."""

    __slots__ = ("_asked", "_max_age_s")

    def __init__(self, max_age_s: float) -> None:
        self._max_age_s = max_age_s
        self._asked = False

    def step(self, outcome: AttemptOutcome | None, now: float, draw: float) -> Step:
        """See core.itinerary."""
        del now, draw
        if not self._asked:
            self._asked = True
            return Repeat(self._max_age_s)
        return GiveUp(outcome.cause if outcome is not None else "")
