"""Walks over a policy tree that do not care for the kinds of its nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from penstock.core.policy import PolicyNode, TargetNode
from penstock.core.target import Target


def targets_of(node: PolicyNode) -> Iterator[Target]:
    """Every target of a policy, in the document's order; one that stands twice comes twice."""
    if isinstance(node, TargetNode):
        yield node.target
    for child in node.below():
        yield from targets_of(child)


def map_targets(node: PolicyNode, change: Callable[[Target], Target | None]) -> PolicyNode | None:
    """The tree with each target changed, or left out for None; None where nothing is left."""
    if isinstance(node, TargetNode):
        target = change(node.target)
        if target is None:
            return None
        return node if target is node.target else TargetNode(target)
    before = node.below()
    if not before:
        return node
    below = [map_targets(child, change) for child in before]
    if all(new is old for new, old in zip(below, before, strict=True)):
        return node
    return node.with_below(below)
