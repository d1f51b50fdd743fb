"""A route narrowed to the deployment that issued an id: nobody else knows it."""

from __future__ import annotations

from dataclasses import replace

from penstock.core.plan import Route
from penstock.core.policy import TargetNode
from penstock.core.target import Target
from penstock.routing.trees import targets_of


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
