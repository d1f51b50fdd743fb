"""The first case whose condition holds."""

from __future__ import annotations

from penstock.core.choosing import WhenNode
from penstock.core.policy import PolicyNode
from penstock.routing.view import RequestView


def chosen(node: WhenNode, view: RequestView) -> PolicyNode:
    """What the request is led to."""
    for index, condition in enumerate(node.conditions):
        if condition.holds(view):
            return node.cases[index]
    return node.otherwise


def told(node: WhenNode, view: RequestView) -> list[str]:
    """Which case holds, and what the request has of what the others ask."""
    lines: list[str] = []
    done = False
    for condition, text in zip(node.conditions, node.told, strict=True):
        has = ", ".join([f"{name} is {view.value(name)!r}" for name in dict.fromkeys(condition.names())])
        holds = condition.holds(view)
        verdict = "an earlier case holds" if done else "holds" if holds else "does not hold"
        lines.append(f"if {text}: {verdict} ({has})")
        done = done or holds
    lines.append("an earlier case holds" if done else "no case holds")
    return lines
