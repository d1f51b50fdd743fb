"""A service that is asked for an answer; where it has none, the policy goes on."""

from __future__ import annotations

from penstock.core.hook import Hook
from penstock.core.itinerary import Ask, AttemptOutcome, GiveUp, Step


class WebhookCursor:
    """Asks once."""

    __slots__ = ("_asked", "_hook")

    def __init__(self, hook: Hook) -> None:
        self._hook = hook
        self._asked = False

    def step(self, outcome: AttemptOutcome | None, now: float, draw: float) -> Step:
        """See core.itinerary."""
        del now, draw
        if not self._asked:
            self._asked = True
            return Ask(self._hook)
        return GiveUp(outcome.cause if outcome is not None else "")
