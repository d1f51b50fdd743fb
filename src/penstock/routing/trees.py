"""Walks over a policy tree that do not care for the kinds of its nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from penstock.core.choosing import AbNode, CanaryNode, EasyNode, WhenNode
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
        return node if target is node.target else TargetNode(target, node.stage)
    before = node.below()
    if not before:
        return node
    below = [map_targets(child, change) for child in before]
    if all(new is old for new, old in zip(below, before, strict=True)):
        return node
    return node.with_below(below)


def name_stages(node: PolicyNode, at: str = "") -> None:
    """Tell each target where it stands: the nodes above it from the outermost, as in `when.else.fallback[1]`.

    For trees that nobody uses yet. Children go by the names that they have in the document, or count from 0; a
    target alone has no stage.
    """
    if isinstance(node, TargetNode):
        node.stage = node.stage or at  # one that stands in two places goes by the first
        return
    kind = name_of(node)
    for name, child in zip(_names(node), node.below(), strict=True):
        here = f"{kind}{name}"
        name_stages(child, f"{at}.{here}" if at else here)


def _names(node: PolicyNode) -> list[str]:
    """What the children of a node are called."""
    if isinstance(node, EasyNode):
        return [".default", ".hard", ".simple"]
    if isinstance(node, CanaryNode):
        return [".to", ".from"]
    if isinstance(node, AbNode):
        return [f".{arm}" for arm in node.arms]
    names = [f"[{index}]" for index in range(len(node.below()))]
    if isinstance(node, WhenNode):
        names[-1] = ".else"
    return names


def name_of(node: PolicyNode) -> str:
    """What the document calls a node of this kind."""
    return type(node).__name__.removesuffix("Node").lower()
