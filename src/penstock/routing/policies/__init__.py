"""One module per policy node; `cursor_for` starts a walk through a tree of them."""

from __future__ import annotations

from penstock.core.itinerary import Cursor
from penstock.core.plan import FallbackNode, PolicyNode, StaticNode, TargetNode, WeightedNode
from penstock.core.retry import RetryRule, RetryShare
from penstock.routing.policies.fallback import FallbackCursor
from penstock.routing.policies.static import StaticCursor
from penstock.routing.policies.target import TargetCursor
from penstock.routing.policies.weighted import WeightedCursor


def cursor_for(node: PolicyNode, rule: RetryRule, share: RetryShare) -> Cursor:
    """A new walk through `node`; children get their cursors when they are reached."""
    match node:
        case TargetNode():
            return TargetCursor(node.target, rule, share)
        case FallbackNode():
            return FallbackCursor(node.children, lambda child: cursor_for(child, rule, share))
        case WeightedNode():
            return WeightedCursor(node, lambda child: cursor_for(child, rule, share))
        case StaticNode():
            return StaticCursor(node.text)
