"""A route narrowed to the deployment that issued an id: nobody else knows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from penstock.core.plan import FallbackNode, PolicyNode, Route, Target, TargetNode, WeightedNode


def targets_of(node: PolicyNode) -> Iterator[Target]:
    """Every target in a policy, in order."""
    if isinstance(node, TargetNode):
        yield node.target
    elif isinstance(node, FallbackNode | WeightedNode):
        for child in node.children:
            yield from targets_of(child)


def pinned(route: Route, target: str, provider: str) -> Route | None:
    """The route with one target: the very one, else the first of its provider, whose ids are the same.

    None where the route leads to neither.
    """
    found: Target | None = None
    for each in targets_of(route.policy):
        if each.id == target:
            found = each
            break
        if found is None and each.provider == provider:
            found = each
    return replace(route, policy=TargetNode(found)) if found is not None else None
