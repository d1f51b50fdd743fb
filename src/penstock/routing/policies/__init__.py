"""One module per policy node; `cursor_for` starts a walk through a tree of them."""

from __future__ import annotations

from penstock.core.asking import LearnedNode
from penstock.core.cascade import CascadeNode
from penstock.core.choosing import DeniedNode
from penstock.core.hook import WebhookNode
from penstock.core.itinerary import Cursor
from penstock.core.policy import CachedNode, FallbackNode, HedgeNode, PolicyNode, StaticNode, TargetNode
from penstock.routing.policies.cached import CachedCursor
from penstock.routing.policies.cascade import CascadeCursor
from penstock.routing.policies.choosing import CHOOSING, ChoosingCursor
from penstock.routing.policies.denied import DeniedCursor
from penstock.routing.policies.fallback import FallbackCursor
from penstock.routing.policies.hedge import HedgeCursor
from penstock.routing.policies.learned import LearnedCursor
from penstock.routing.policies.static import StaticCursor
from penstock.routing.policies.target import TargetCursor
from penstock.routing.policies.webhook import WebhookCursor
from penstock.routing.walk import Walk


def cursor_for(node: PolicyNode, walk: Walk) -> Cursor:
    """A new walk through `node`; children get their cursors when they are reached."""
    if isinstance(node, TargetNode):
        return TargetCursor(node, walk)
    if isinstance(node, FallbackNode):
        return FallbackCursor(node.children, walk, cursor_for)
    if isinstance(node, HedgeNode):
        return HedgeCursor(node, walk, cursor_for)
    if isinstance(node, StaticNode):
        return StaticCursor(node.text)
    if isinstance(node, CHOOSING):
        return ChoosingCursor(node, walk, cursor_for)
    return _asking(node, walk)


def _asking(node: PolicyNode, walk: Walk) -> Cursor:
    """Nodes that ask somebody else, and what leads nowhere."""
    if isinstance(node, WebhookNode):
        return WebhookCursor(node.hook)
    if isinstance(node, CachedNode):
        return CachedCursor(node.max_age_s)
    if isinstance(node, CascadeNode):
        return CascadeCursor(node, walk, cursor_for)
    if isinstance(node, LearnedNode):
        return LearnedCursor(node, walk, cursor_for)
    if isinstance(node, DeniedNode):
        return DeniedCursor()
    raise TypeError(type(node).__name__)
