"""What a policy will ask of the inference process, so that it can be made ready."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.core.asking import LearnedNode
from penstock.core.cascade import CascadeNode
from penstock.core.policy import PolicyNode
from penstock.ports.oracle import Question


def questions_of(node: PolicyNode) -> Iterator[Question]:
    """One empty question for each model below a node; functions are not called without need."""
    if isinstance(node, LearnedNode):
        yield Question("router", node.about, "")
    if isinstance(node, CascadeNode):
        for step in node.steps:
            if step.acceptance is not None and step.acceptance.scorer:
                yield Question("scorer", step.acceptance.scorer, "")
    for child in node.below():
        yield from questions_of(child)
