"""A fixed text as the last resort."""

from __future__ import annotations

from penstock.core.itinerary import AttemptOutcome, Static, Step


class StaticCursor:
    """Says its text; it cannot fail."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def step(self, outcome: AttemptOutcome | None, now: float, draw: float) -> Step:
        """See core.itinerary."""
        del outcome, now, draw
        return Static(self._text)
