"""The child that has been fastest of late first; now and then another, so that a recovery is seen."""

from __future__ import annotations

import math

from penstock.core.choosing import FastestNode
from penstock.core.policy import PolicyNode
from penstock.routing.walk import Walk


def order(node: FastestNode, walk: Walk, now: float, draw: float) -> tuple[list[PolicyNode], float]:
    """The children by rising latency, those of which none is known last; a draw for what is below.

    A share of the requests begins with another than the fastest: with one of which nothing is known, if there
    is any, each of these equally often. Where nothing is known of any, all are equally likely to be first.
    """
    speeds = latencies(node, walk, now)
    ranked = list(range(len(speeds)))
    ranked.sort(key=speeds.__getitem__)
    children = node.children
    unknown = [index for index in ranked if speeds[index] == math.inf]
    first = -1
    if len(unknown) == len(ranked):
        first = unknown[int(draw * len(unknown))]
        draw = draw * len(unknown) % 1.0
    elif draw < node.explore:
        others = unknown or ranked[1:]
        if others:
            at = draw / node.explore * len(others)
            first = others[int(at)]
            draw = at % 1.0
    elif node.explore < 1:
        draw = (draw - node.explore) / (1 - node.explore)
    if first >= 0:
        ranked.remove(first)
        ranked.insert(0, first)
    return [children[index] for index in ranked], draw


def latencies(node: FastestNode, walk: Walk, now: float) -> list[float]:
    """The seconds that each child takes by the node's measure; infinite where none is known."""
    standings = walk.standings
    found: list[float] = []
    for target_id in node.timed:
        seconds = standings.of(target_id).latency_s(node.measure, node.quantile, now) if target_id else None
        found.append(math.inf if seconds is None else seconds)
    return found


def told(node: FastestNode, walk: Walk, now: float) -> list[str]:
    """Why each child stands where it does."""
    what = f"p{node.quantile * 100:g} of {node.measure}"
    return [
        f"{what} not known yet" if seconds == math.inf else f"{what} {seconds * 1000:.0f} ms"
        for seconds in latencies(node, walk, now)
    ]
