"""One child by chance, in proportion to the weights; if it gives up, the others in falling weight."""

from __future__ import annotations

from bisect import bisect_right

from penstock.core.itinerary import AttemptOutcome, Step
from penstock.core.policy import PolicyNode, WeightedNode
from penstock.routing.policies.fallback import FallbackCursor, MakeCursor
from penstock.routing.walk import Walk


def order(node: WeightedNode, draw: float) -> list[PolicyNode]:
    """The chosen child first, then the others by falling weight (equal ones as configured)."""
    chosen = min(bisect_right(node.upto, draw * node.upto[-1]), len(node.children) - 1)
    weights = [upto - below for upto, below in zip(node.upto, (0.0, *node.upto), strict=False)]
    rest = sorted((i for i in range(len(weights)) if i != chosen), key=lambda i: -weights[i])
    return [node.children[i] for i in (chosen, *[i for i in rest if weights[i] > 0])]


class WeightedCursor:
    """Draws at the first step, then falls back through the rest."""

    __slots__ = ("_make", "_node", "_order", "_walk")

    def __init__(self, node: WeightedNode, walk: Walk, make: MakeCursor) -> None:
        self._node = node
        self._walk = walk
        self._make = make
        self._order: FallbackCursor | None = None

    def step(self, outcome: AttemptOutcome | None, now: float, draw: float) -> Step:
        """See core.itinerary."""
        if self._order is None:
            self._order = FallbackCursor(order(self._node, draw), self._walk, self._make)
        return self._order.step(outcome, now, draw)
