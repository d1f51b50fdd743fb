"""Choices that stay with whoever asks: `sticky`, `canary` and `ab`."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise

from penstock.core.buckets import uniform
from penstock.core.choosing import AbNode, CanaryNode, StickyNode
from penstock.core.policy import PolicyNode
from penstock.routing.view import RequestView
from penstock.routing.walk import Walk

# The note that names the arm in the ledger.
ARM = "arm"


def sticky_order(node: StickyNode, view: RequestView) -> list[PolicyNode]:
    """The children in the order of whoever asks."""
    children = node.children
    return [children[index] for index in node.places.order(view.who(node.by))]


def is_candidate(node: CanaryNode, view: RequestView) -> bool:
    """Whether whoever asks is on the candidate's side; a larger share only adds to those who are."""
    return uniform(node.salt, view.who(node.by)) < node.share


def canary_order(node: CanaryNode, view: RequestView) -> list[PolicyNode]:
    """The candidate and then what is proven; or what is proven alone, for a candidate is nobody's fallback."""
    return [node.candidate, node.proven] if is_candidate(node, view) else [node.proven]


def arm_of(node: AbNode, view: RequestView) -> int:
    """The index of the arm of whoever asks."""
    at = uniform(node.salt, view.who(node.by)) * node.upto[-1]
    return min(bisect_right(node.upto, at), len(node.children) - 1)


def ab_choice(node: AbNode, walk: Walk) -> PolicyNode:
    """The node of the arm, which is noted for the ledger; an arm within an arm is noted behind it."""
    index = arm_of(node, walk.request)
    outer = walk.notes.get(ARM)
    walk.note(ARM, f"{outer}/{node.arms[index]}" if outer else node.arms[index])
    return node.children[index]


def sticky_told(node: StickyNode, view: RequestView) -> list[str]:
    """At which place each child stands."""
    places = {index: place for place, index in enumerate(node.places.order(view.who(node.by)), 1)}
    kind = view.who(node.by).partition(":")[0]
    return [f"place {places[index]} for this {kind}" for index in range(len(node.children))]


def canary_told(node: CanaryNode, view: RequestView) -> list[str]:
    """Which side it is."""
    candidate = is_candidate(node, view)
    kind = view.who(node.by).partition(":")[0]
    share = f"{node.share * 100:g} %"
    return [
        f"this {kind} {'belongs' if candidate else 'does not belong'} to the {share} that are led here",
        "if the candidate fails" if candidate else f"this {kind} stays here",
    ]


def ab_told(node: AbNode, view: RequestView) -> list[str]:
    """Which arm it is."""
    chosen = arm_of(node, view)
    kind = view.who(node.by).partition(":")[0]
    weights = [upto - before for before, upto in pairwise((0.0, *node.upto))]
    return [
        f"arm {arm!r} ({weight / node.upto[-1] * 100:.3g} %)"
        + (f", drawn for this {kind}" if index == chosen else "")
        for index, (arm, weight) in enumerate(zip(node.arms, weights, strict=True))
    ]
