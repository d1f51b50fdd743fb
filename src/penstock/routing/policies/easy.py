"""By how hard the prompt looks, without a model: simple, default or hard."""

from __future__ import annotations

from penstock.core.choosing import EasyNode
from penstock.core.policy import PolicyNode
from penstock.routing.view import RequestView


def order(node: EasyNode, view: RequestView) -> list[PolicyNode]:
    """The side that fits, then those that are no weaker, then the rest."""
    side = node.scorer.side(node.scorer.score(view.prompt))
    if side == "simple":
        wanted = [node.simple, node.default, node.hard]
    elif side == "hard":
        wanted = [node.hard, node.default, node.simple]
    else:
        wanted = [node.default, node.hard, node.simple]
    found: list[PolicyNode] = []
    for each in wanted:
        if each not in found:
            found.append(each)
    return found


def told(node: EasyNode, view: RequestView) -> list[str]:
    """How hard it looks, and what says so."""
    score = node.scorer.score(view.prompt)
    side = node.scorer.side(score)
    features = ", ".join(
        [f"{name} {weight:+.2g}" for name, weight in node.scorer.features(view.prompt).items()]
    )
    why = f"difficulty {score:.2f} ({features or 'nothing telling'})"
    return [f"{name}: {why}" if name == side else name for name in ("default", "hard", "simple")]
