"""Why a request is led where it is: the tree as it is walked, and what speaks for or against each target.

Nothing is sent, and nothing that other requests see is changed.
"""

from __future__ import annotations

from typing import Any

from penstock.core.choosing import (
    AbNode,
    CanaryNode,
    CheapestNode,
    EasyNode,
    FastestNode,
    StickyNode,
    WhenNode,
)
from penstock.core.itinerary import Ask, AttemptOutcome, GiveUp, Repeat, Start, Static, Step
from penstock.core.plan import Route, Scope
from penstock.core.policy import HedgeNode, PolicyNode, StaticNode, TargetNode, WeightedNode
from penstock.core.requirements import Unmet
from penstock.routing.held import held_target, needs_of
from penstock.routing.policies import cheapest, cursor_for, easy, fastest, sharing, weighted, when
from penstock.routing.policies.choosing import CHOOSING, order_of
from penstock.routing.trees import map_targets, name_of, targets_of
from penstock.routing.view import RequestView
from penstock.routing.walk import Walk
from penstock.shapes.openai_request import Endpoint

Told = dict[str, Any]
MAX_STEPS = 1_000
_FAILED = "tried_here_only"


def explain(route: Route, scope: Scope | None, endpoint: Endpoint, walk: Walk, now: float, draw: float) -> Told:
    """The explanation as JSON values.

    `plan`: the targets in the order in which they would be tried, were each of them to fail. `targets`: all of
    the route, kept or not, and why. `tree`: every node with its children, their places and the reasons.
    """
    needs = needs_of(route, scope)
    denied: dict[str, str] = {}
    for target in targets_of(route.policy):
        found = held_target(target, needs, scope, endpoint)
        if isinstance(found, Unmet):
            denied[target.place] = str(found)

    def held(target: Any) -> Any:
        found = held_target(target, needs, scope, endpoint)
        return None if isinstance(found, Unmet) else found

    policy = map_targets(route.policy, held) if needs or scope is not None else route.policy
    plan, end = _plan(policy, walk, now, draw) if policy is not None else ([], "nothing may be used")
    return {
        "route": route.name,
        "plan": plan,
        "ends_with": end,
        "draw": draw,
        "targets": [
            _target(each, denied.get(each.place, ""), plan, walk, now) for each in _distinct(route.policy)
        ],
        "tree": _node(policy, walk, now, draw) if policy is not None else None,
    }


def _distinct(policy: PolicyNode) -> list[Any]:
    return list({target.place: target for target in targets_of(policy)}.values())


def _plan(policy: PolicyNode, walk: Walk, now: float, draw: float) -> tuple[list[str], str]:
    """The targets in the order in which they would be tried, were each to fail; and what comes then."""
    cursor = cursor_for(policy, walk)
    outcome: AttemptOutcome | None = None
    found: list[str] = []
    for _ in range(MAX_STEPS):
        step: Step = cursor.step(outcome, now, draw)
        outcome = None
        if isinstance(step, Start):
            walk.started += 1
            found.append(step.target.id)
            outcome = AttemptOutcome("fallback", _FAILED, None, walk.started)
        elif isinstance(step, Static):
            return found, f"the fixed answer {step.text!r}"
        elif isinstance(step, Ask):
            return found, "the answer of a webhook"
        elif isinstance(step, Repeat):
            found.append("the cache")
            outcome = AttemptOutcome("fallback", _FAILED, None, 0)
        elif isinstance(step, Repeat):
            return found, "an earlier answer to the same, if one is kept"
        elif isinstance(step, GiveUp):
            return found, "an error" if found else (step.cause or "nothing to try")
    return found, "…"


def _target(target: Any, denied: str, plan: list[str], walk: Walk, now: float) -> Told:
    closed = walk.standings.of(target.id).closed_to(now)
    learnt = walk.request.learnt(target.id)
    why: list[str] = []
    if denied:
        why.append(f"required and not met: {denied}")
    if closed:
        why.append(f"left out for now: {closed}")
    if not why and target.id not in plan:
        why.append("the policy leads this request elsewhere")
    return {
        "target": target.id,
        "kept": not denied and not closed,
        "place": plan.index(target.id) + 1 if target.id in plan else None,
        "why": why,
        "state": closed or "open",
        "price_card": target.card.version if target.card is not None else None,
        "expected_output_tokens": round(learnt.mean_output_tokens()),
        "cached_share": round(learnt.cached_share(), 3),
        "set": {name: text.decode() for name, text in target.set_fields.items()},
    }


def _node(node: PolicyNode, walk: Walk, now: float, draw: float) -> Told:
    if isinstance(node, TargetNode):
        return {"node": "target", "target": node.target.id}
    if isinstance(node, StaticNode):
        return {"node": "static", "text": node.text}
    order: list[PolicyNode] = list(node.below())
    below = draw
    if isinstance(node, CHOOSING):
        order, below = order_of(node, walk, now, draw)
    why = _why(node, walk, now)
    children: list[Told] = []
    for index, child in enumerate(node.below()):
        place = next((at for at, each in enumerate(order, 1) if each is child), None)
        told = _node(child, walk, now, below)
        told["place"] = place
        told["why"] = why[index] if index < len(why) else ""
        children.append(told)
    return {"node": name_of(node), "children": children}


def _why(node: PolicyNode, walk: Walk, now: float) -> list[str]:
    """Why each child stands where it does; nothing for nodes whose order is that of the document."""
    if isinstance(node, CheapestNode):
        return cheapest.told(node, walk, now)
    if isinstance(node, FastestNode):
        return fastest.told(node, walk, now)
    if isinstance(node, WeightedNode):
        return weighted.told(node)
    if isinstance(node, HedgeNode):
        return ["first", *["where the one before is late"] * (len(node.below()) - 1)]
    return _why_by_view(node, walk.request)


def _why_by_view(node: PolicyNode, view: RequestView) -> list[str]:
    """The same for nodes that only look at the request."""
    if isinstance(node, WhenNode):
        return when.told(node, view)
    if isinstance(node, StickyNode):
        return sharing.sticky_told(node, view)
    if isinstance(node, CanaryNode):
        return sharing.canary_told(node, view)
    if isinstance(node, AbNode):
        return sharing.ab_told(node, view)
    if isinstance(node, EasyNode):
        return easy.told(node, view)
    return []


def explained_text(told: Told) -> str:
    """The explanation for people, one line for each node."""
    plan = " → ".join(told["plan"]) or "nothing is tried"
    lines = [f"route {told['route']}: {plan}; then {told['ends_with']}", ""]
    if told["tree"] is not None:
        lines += _lines(told["tree"], "", "")
    lines.append("")
    width = max((len(each["target"]) for each in told["targets"]), default=0)
    for each in told["targets"]:
        place = f"tried as no. {each['place']}" if each["place"] else "not tried"
        why = "; ".join(each["why"])
        lines.append(f"{each['target']:<{width}}  {place}" + (f": {why}" if why else ""))
    return "\n".join(lines)


def _lines(node: Told, indent: str, head: str) -> list[str]:
    name = node["target"] if node["node"] == "target" else node["node"]
    if node["node"] == "static":
        name = f"static {node['text']!r}"
    why = node.get("why", "")
    lines = [f"{indent}{head}{name}" + (f"  ({why})" if why else "")]
    for child in node.get("children", []):
        place = f"{child['place']}. " if child["place"] else "-  "
        lines += _lines(child, f"{indent}{'   ' if head else ''}", place)
    return lines
