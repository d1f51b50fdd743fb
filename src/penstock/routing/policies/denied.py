"""What the request would get may not be used."""

from __future__ import annotations

from penstock.core.itinerary import AttemptOutcome, GiveUp, Step

DENIED = "policy_denied"


class DeniedCursor:
    """Gives up at once."""

    __slots__ = ()

    def step(self, outcome: AttemptOutcome | None, now: float, draw: float) -> Step:
        """See core.itinerary."""
        del outcome, now, draw
        return GiveUp(DENIED)
