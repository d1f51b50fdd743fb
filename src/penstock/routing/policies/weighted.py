"""One child by chance, in proportion to the weights; if it gives up, the others in falling weight."""

from __future__ import annotations

from bisect import bisect_right

from penstock.core.itinerary import AttemptOutcome, Step
from penstock.core.plan import PolicyNode, WeightedNode
from penstock.core.retry import RetryRule, RetryShare
from penstock.routing.policies.fallback import FallbackCursor, MakeCursor


def order(node: WeightedNode, draw: float) -> list[PolicyNode]:
    """The chosen child first, then the others by falling weight (equal ones as configured)."""
    chosen = min(bisect_right(node.upto, draw * node.upto[-1]), len(node.children) - 1)
    weights = [upto - below for upto, below in zip(node.upto, (0.0, *node.upto), strict=False)]
    rest = sorted((i for i in range(len(weights)) if i != chosen), key=lambda i: -weights[i])
    return [node.children[i] for i in (chosen, *[i for i in rest if weights[i] > 0])]


class WeightedCursor:
    """Draws at the first step, then falls back through the rest."""

    __slots__ = ("_make", "_node", "_rule", "_share", "_walk")

    def __init__(self, node: WeightedNode, rule: RetryRule, share: RetryShare, make: MakeCursor) -> None:
        self._node = node
        self._rule = rule
        self._share = share
        self._make = make
        self._walk: FallbackCursor | None = None

    def step(self, outcome: AttemptOutcome | None, now: float, draw: float) -> Step:
        """See core.itinerary."""
        if self._walk is None:
            self._walk = FallbackCursor(order(self._node, draw), self._rule, self._share, self._make)
        return self._walk.step(outcome, now, draw)
