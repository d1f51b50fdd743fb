"""Children in order: the next one when one gives up, unless the request itself is at fault."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from penstock.core.itinerary import AttemptOutcome, Cursor, GiveUp, Step
from penstock.core.plan import PolicyNode
from penstock.core.retry import RetryRule, RetryShare

MakeCursor = Callable[[PolicyNode, RetryRule, RetryShare], Cursor]


class FallbackCursor:
    """Walks the children from first to last."""

    __slots__ = ("_children", "_current", "_make", "_next", "_rule", "_share")

    def __init__(
        self, children: Sequence[PolicyNode], rule: RetryRule, share: RetryShare, make: MakeCursor
    ) -> None:
        self._children = children
        self._rule = rule
        self._share = share
        self._make = make
        self._next = 1
        self._current = make(children[0], rule, share)

    def step(self, outcome: AttemptOutcome | None, now: float, draw: float) -> Step:
        """See core.itinerary."""
        step = self._current.step(outcome, now, draw)
        while isinstance(step, GiveUp):
            if (outcome is not None and outcome.verdict == "final") or self._next >= len(self._children):
                return step
            self._current = self._make(self._children[self._next], self._rule, self._share)
            self._next += 1
            outcome = None
            step = self._current.step(None, now, draw)
        return step
