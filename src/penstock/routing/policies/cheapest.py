"""The cheapest child for this request first: what it will cost is estimated for each."""

from __future__ import annotations

import math

from penstock.core.choosing import CheapestNode, Priced
from penstock.core.policy import PolicyNode
from penstock.routing.view import RequestView
from penstock.routing.walk import Walk

# For so long an estimate stands on what a target had taught when it was made, in seconds.
REMEMBERED_S = 1.0
MAX_COHORTS = 10_000


def order(node: CheapestNode, walk: Walk, now: float, draw: float) -> tuple[list[PolicyNode], float]:
    """The children by rising cost (equal ones as configured), and a draw for what is below them.

    Those without a price come last. With a floor, children whose live score is below it are left out, as long
    as another is above. A share of the requests begins with one that is below, so that its score can rise.
    """
    found = costs(node, walk.request, now)
    ranked = list(range(len(found)))
    ranked.sort(key=found.__getitem__)
    floor = node.floor
    if floor is not None:
        low = below_floor(node, walk.request, now)
        above = [index for index in ranked if not low[index]]
        if above and len(above) < len(ranked):
            below = [index for index in ranked if low[index]]
            if draw < floor.explore:
                chosen = below[int(draw / floor.explore * len(below))]
                above.insert(0, chosen)
            ranked = above
            draw = (
                draw / floor.explore if draw < floor.explore else (draw - floor.explore) / (1 - floor.explore)
            )
    children = node.children
    return [children[index] for index in ranked], draw


def costs(node: CheapestNode, view: RequestView, now: float) -> list[float]:
    """What each child is expected to cost, in nano-dollars; infinite where there is no price."""
    request = view.request
    chars, cap, choices, tier = request.prompt_chars, request.cap, request.choices, request.service_tier
    bounded = bool(request.endpoint.cap_fields)
    most = math.inf if cap is None else float(cap)
    found: list[float] = []
    for targets in node.priced:
        best = math.inf
        for target in targets:
            if target.cost is None:
                continue
            if target.until < now:
                _remember(target, view, now)
            if tier or target.tier or chars > target.most_chars:
                cost = _exact(target, view, most)
            else:
                out = 0.0
                if bounded:
                    out = min(most, target.output)
                    if target.set_cap is not None and target.set_cap < out:
                        out = float(target.set_cap)
                cost = chars * target.per_char + out * choices * target.per_output + target.per_call
            best = min(best, cost)
        found.append(best)
    return found


def below_floor(node: CheapestNode, view: RequestView, now: float) -> list[bool]:
    """Whether each child's targets are all below the floor."""
    floor, floors = node.floor, view.floors
    if floor is None or floors is None:
        return [False] * len(node.children)
    if node.low_until < now:
        node.low.clear()
        node.low_until = now + REMEMBERED_S
    cohort = view.facts.tags.get(node.cohort, "") if node.cohort else ""
    low = node.low.get(cohort)
    if low is None:
        if len(node.low) >= MAX_COHORTS:
            node.low.clear()
        route, name, minimum = node.route, floor.score, floor.minimum
        low = node.low[cohort] = [
            bool(targets) and all(floors.below(route, each.id, name, minimum, cohort) for each in targets)
            for targets in node.priced
        ]
    return low


def told(node: CheapestNode, walk: Walk, now: float) -> list[str]:
    """Why each child stands where it does."""
    found = costs(node, walk.request, now)
    low = below_floor(node, walk.request, now)
    lines: list[str] = []
    for cost, under in zip(found, low, strict=True):
        what = "no price for tokens" if cost == math.inf else f"expected cost ${cost / 1e9:.6f}"
        floor = node.floor
        lines.append(
            f"{what}; its {floor.score} is below {floor.minimum:g}" if under and floor is not None else what
        )
    return lines


def _remember(target: Priced, view: RequestView, now: float) -> None:
    if target.cost is None:
        return
    learnt = view.learnt(target.id)
    per_input, per_output, per_call, most_tokens = target.cost.lowest(learnt.cached_share())
    # One thousand characters, so that rounding up to whole tokens does not count.
    tokens_per_char = learnt.input_tokens(1000) / 1000
    target.per_char = per_input * tokens_per_char
    target.per_output = per_output
    target.per_call = per_call
    target.most_chars = most_tokens / tokens_per_char if tokens_per_char else math.inf
    target.output = learnt.mean_output_tokens()
    target.until = now + REMEMBERED_S


def _exact(target: Priced, view: RequestView, most: float) -> float:
    if target.cost is None:
        return math.inf
    request = view.request
    learnt = view.learnt(target.id)
    out = min(target.output, most, math.inf if target.set_cap is None else target.set_cap)
    tokens_out = out * request.choices if request.endpoint.cap_fields else 0.0
    tier = request.service_tier if target.tier is None else target.tier
    return target.cost.nanousd(
        learnt.input_tokens(request.prompt_chars), tokens_out, learnt.cached_share(), tier
    )
