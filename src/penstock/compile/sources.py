"""Where a route depends on one provider or one region, and where quality is not looked at."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.compile.review import Notice
from penstock.config.document import Document
from penstock.config.problem import child
from penstock.core.choosing import AbNode, CanaryNode, CheapestNode, EasyNode
from penstock.core.plan import Plan, Route
from penstock.core.policy import PolicyNode
from penstock.core.target import Target
from penstock.routing.trees import targets_of

# Nodes that may lead a request to a weaker model than the best one.
_TRADES = (CheapestNode, EasyNode, CanaryNode, AbNode)
_ONLY_ERRORS = frozenset({"not_error"})


def sources(document: Document, plan: Plan) -> Iterator[Notice]:
    """Each route that has one source, or that trades quality without a gate for it."""
    for name, route in plan.routes.items():
        at = child("routes", name)
        one = one_source(route)
        if one:
            yield Notice(
                at, f"this route has one source: {one}; another in a fallback would outlive its outage"
            )
        if _trades(route.policy) and route.success == _ONLY_ERRORS and document.routes[name].evals is None:
            what = (
                "its policy trades quality for cost or tries candidates, and nothing says what a good answer is"
            )
            yield Notice(at, f"{what}; add success: {{all: [not_error, finish]}}, or evals")


def one_source(route: Route) -> str:
    """What all targets of a route share: a provider, or a region; empty where there are several of both."""
    targets = list(targets_of(route.policy))
    providers = {target.provider for target in targets}
    if len(providers) == 1 and next(iter(targets)).kind != "simulator":
        return f"the provider {providers.pop()!r}"
    regions = {_region(target) for target in targets}
    if len(providers) > 1 and len(regions) == 1 and (region := regions.pop()):
        return f"the region {region!r}"
    return ""


def _region(target: Target) -> str:
    handling = target.handling
    if handling is None:
        return ""
    known = dict(handling.at("chat", (target.id, target.model)).known())
    region = known.get("region")
    return str(region) if region else ""


def _trades(node: PolicyNode) -> bool:
    return isinstance(node, _TRADES) or any(_trades(below) for below in node.below())
