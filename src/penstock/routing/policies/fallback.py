"""Children in order: the next one when one gives up, unless the request itself is at fault."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from penstock.core.itinerary import AttemptOutcome, Cursor, GiveUp, Step
from penstock.core.policy import PolicyNode
from penstock.routing.walk import Walk

MakeCursor = Callable[[PolicyNode, Walk], Cursor]


class FallbackCursor:
    """Walks the children from first to last."""

    __slots__ = ("_children", "_current", "_make", "_next", "_walk")

    def __init__(self, children: Sequence[PolicyNode], walk: Walk, make: MakeCursor) -> None:
        self._children = children
        self._walk = walk
        self._make = make
        self._next = 1
        self._current = make(children[0], walk)

    def step(self, outcome: AttemptOutcome | None, now: float, draw: float) -> Step:
        """See core.itinerary."""
        step = self._current.step(outcome, now, draw)
        while isinstance(step, GiveUp):
            if (outcome is not None and outcome.verdict == "final") or self._next >= len(self._children):
                return step
            self._current = self._make(self._children[self._next], self._walk)
            self._next += 1
            outcome = None
            step = self._current.step(None, now, draw)
        return step
