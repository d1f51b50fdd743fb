"""One module per policy node; `cursor_for` starts a walk through a tree of them."""

from __future__ import annotations

from penstock.core.itinerary import Cursor
from penstock.core.plan import FallbackNode, PolicyNode, TargetNode, WeightedNode
from penstock.core.retry import RetryRule, RetryShare
from penstock.routing.policies.fallback import FallbackCursor
from penstock.routing.policies.static import StaticCursor
from penstock.routing.policies.target import TargetCursor
from penstock.routing.policies.weighted import WeightedCursor


def cursor_for(node: PolicyNode, rule: RetryRule, share: RetryShare) -> Cursor:
    """A new walk through `node`; children get their cursors when they are reached."""
    if isinstance(node, TargetNode):
        return TargetCursor(node.target, rule, share)
    if isinstance(node, FallbackNode):
        return FallbackCursor(node.children, rule, share, cursor_for)
    if isinstance(node, WeightedNode):
        return WeightedCursor(node, rule, share, cursor_for)
    return StaticCursor(node.text)
