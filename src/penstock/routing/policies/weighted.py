"""One child by chance, in proportion to the weights; if it gives up, the others in falling weight."""

from __future__ import annotations

from bisect import bisect_right

from penstock.core.policy import PolicyNode, WeightedNode


def order(node: WeightedNode, draw: float) -> tuple[list[PolicyNode], float]:
    """The chosen child, then the others by falling weight (equal ones as configured); the rest of the draw."""
    upto, children = node.upto, node.children
    at = draw * upto[-1]
    chosen = min(bisect_right(upto, at), len(children) - 1)
    below = upto[chosen - 1] if chosen else 0.0
    left = min(max((at - below) / (upto[chosen] - below), 0.0), 1.0 - 2**-53) if upto[chosen] > below else draw
    return [children[index] for index in (chosen, *[each for each in node.falling if each != chosen])], left


def told(node: WeightedNode) -> list[str]:
    """Each child's share."""
    return [
        f"drawn for {(upto - below) / node.upto[-1] * 100:.3g} % of requests"
        for below, upto in zip((0.0, *node.upto), node.upto, strict=False)
    ]
