"""A node that chooses an order of its children at the first step, and then falls back through it."""

from __future__ import annotations

from penstock.core.choosing import (
    AbNode,
    CanaryNode,
    CheapestNode,
    EasyNode,
    FastestNode,
    StickyNode,
    WhenNode,
)
from penstock.core.itinerary import AttemptOutcome, Step
from penstock.core.policy import PolicyNode, WeightedNode
from penstock.routing.policies import cheapest, easy, fastest, sharing, weighted, when
from penstock.routing.policies.fallback import FallbackCursor, MakeCursor
from penstock.routing.walk import Walk

CHOOSING = (CheapestNode, FastestNode, WeightedNode, WhenNode, StickyNode, CanaryNode, AbNode, EasyNode)


def order_of(node: PolicyNode, walk: Walk, now: float, draw: float) -> tuple[list[PolicyNode], float]:
    """The children that are tried, in order, and a draw for what is below them.

    A node that used the draw gives what is left of it, stretched to [0, 1) again: a child that chooses by the
    very number that led to it would always choose the same.
    """
    if isinstance(node, WeightedNode):
        return weighted.order(node, draw)
    if isinstance(node, CheapestNode):
        return cheapest.order(node, walk, now, draw)
    if isinstance(node, FastestNode):
        return fastest.order(node, walk, now, draw)
    view = walk.request
    if isinstance(node, WhenNode):
        return [when.chosen(node, view)], draw
    if isinstance(node, StickyNode):
        return sharing.sticky_order(node, view), draw
    if isinstance(node, CanaryNode):
        return sharing.canary_order(node, view), draw
    if isinstance(node, AbNode):
        return [sharing.ab_choice(node, walk)], draw
    if isinstance(node, EasyNode):
        return easy.order(node, view), draw
    raise TypeError(type(node).__name__)


class ChoosingCursor:
    """Chooses at the first step."""

    __slots__ = ("_make", "_node", "_order", "_walk")

    def __init__(self, node: PolicyNode, walk: Walk, make: MakeCursor) -> None:
        self._node = node
        self._walk = walk
        self._make = make
        self._order: FallbackCursor | None = None

    def step(self, outcome: AttemptOutcome | None, now: float, draw: float) -> Step:
        """See core.itinerary."""
        if self._order is None:
            children, draw = order_of(self._node, self._walk, now, draw)
            self._order = FallbackCursor(children, self._walk, self._make)
        return self._order.step(outcome, now, draw)
