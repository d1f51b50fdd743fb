"""Shares as they are drawn: exact binomial bounds at fixed seeds, so that nothing here can flake."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest

from penstock.adapters.memory.scores import MemoryScores
from penstock.core.choosing import AbNode, CanaryNode, CheapestNode, FastestNode, Floor, StickyNode
from penstock.core.exchange import Subject
from penstock.core.policy import PolicyNode, WeightedNode
from penstock.routing.floors import Floors
from penstock.routing.standings import Standings
from penstock.testing.clock import VirtualClock
from tests.routing.walking import NOW, first, node, view

DRAWS = 4_000
# A correct share falls outside these bounds once in a million seeds; the seed is fixed.
TAIL = 5e-7


def bounds(share: float, n: int = DRAWS) -> tuple[int, int]:
    """Counts between which a binomial variable stays, but for a probability of `TAIL` on either side."""
    low, high = 0, n
    total = 0.0
    for count in range(n + 1):
        total += math.exp(
            math.lgamma(n + 1)
            - math.lgamma(count + 1)
            - math.lgamma(n - count + 1)
            + count * math.log(share)
            + (n - count) * math.log1p(-share)
        )
        if total <= TAIL:
            low = count
        if total >= 1 - TAIL:
            high = count
            break
    return low, high


def within(count: int, share: float, n: int = DRAWS) -> bool:
    """Whether a count is what that share gives."""
    low, high = bounds(share, n)
    return low <= count <= high


def draws(policy: PolicyNode, seed: int, standings: Standings | None = None, **request: object) -> Counter[str]:
    """How often each target is first."""
    source = random.Random(seed)
    seen = view(**request)  # type: ignore[arg-type]
    return Counter(first(policy, seen, source.random(), standings) for _ in range(DRAWS))


def by_user(policy: PolicyNode) -> Counter[str]:
    """How often each target is first, over as many users."""
    return Counter(first(policy, view(subject=Subject("o", "", f"user-{at}", "k"))) for at in range(DRAWS))


def test_weights_are_shares() -> None:
    """Nine to one is nine to one."""
    found = draws(WeightedNode((node("a"), node("b"), node("c")), (9.0, 10.0, 10.5)), 1)
    for name, weight in (("a", 9), ("b", 1), ("c", 0.5)):
        assert within(found[name], weight / 10.5), (name, found)


def test_a_weighted_node_within_another_draws_for_itself() -> None:
    """The draw that led to a child does not decide what is below it."""
    inner = WeightedNode((node("b1"), node("b2")), (1.0, 2.0))
    found = draws(WeightedNode((node("a"), inner), (3.0, 4.0)), 2)
    for name, share in (("a", 0.75), ("b1", 0.125), ("b2", 0.125)):
        assert within(found[name], share), (name, found)


@pytest.mark.parametrize("percent", [1, 5, 50])
def test_a_canary_has_its_share_of_users(percent: int) -> None:
    """The hash of users is even enough for small shares."""
    found = by_user(CanaryNode(node("new"), node("old"), percent / 100, "user", "canary"))
    assert within(found["new"], percent / 100), found


def test_arms_have_their_shares_of_users_and_do_not_hang_together() -> None:
    """Two comparisons with other salts split users independently of each other."""
    found = by_user(AbNode((node("a"), node("b"), node("c")), ("a", "b", "c"), (2.0, 3.0, 4.0), "user", "one"))
    for name, share in (("a", 0.5), ("b", 0.25), ("c", 0.25)):
        assert within(found[name], share), (name, found)
    outer = CanaryNode(CanaryNode(node("both"), node("one"), 0.5, "user", "y"), node("none"), 0.5, "user", "x")
    assert within(by_user(outer)["both"], 0.25)


@pytest.mark.parametrize("weights", [(1.0, 1.0, 1.0, 1.0), (4.0, 2.0, 1.0, 1.0)])
def test_sticky_spreads_in_proportion_to_the_weights(weights: tuple[float, ...]) -> None:
    """Each child has its share of the users, first places and second places alike."""
    names = [f"t{index}" for index in range(len(weights))]
    policy = StickyNode(tuple(node(name) for name in names), weights, "user")
    found = by_user(policy)
    for name, weight in zip(names, weights, strict=True):
        assert within(found[name], weight / sum(weights)), (name, found)


def test_fastest_explores_its_share_and_evenly() -> None:
    """Five per cent of the requests begin elsewhere, with each of the others as often."""
    known = Standings()
    for name, seconds in (("a", 0.1), ("b", 0.5), ("c", 0.9)):
        for _ in range(30):
            known.of(name).began(NOW - 1)
            known.of(name).ended(NOW - 1, "ok", seconds, seconds)
    policy = FastestNode((node("b"), node("a"), node("c")), "ttft", 0.95, 0.05)
    found = draws(policy, 3, known)
    for name, share in (("a", 0.95), ("b", 0.025), ("c", 0.025)):
        assert within(found[name], share), (name, found)


def test_where_nothing_is_known_all_are_explored() -> None:
    """A gateway that has just started learns of each target."""
    found = draws(FastestNode((node("a"), node("b"), node("c"), node("d")), "ttft", 0.95, 0.05), 4)
    for name in "abcd":
        assert within(found[name], 0.25), (name, found)


def test_a_target_below_its_floor_is_tried_now_and_then() -> None:
    """Two per cent of the requests give it the chance to recover."""
    scores = MemoryScores(VirtualClock())
    for _ in range(200):
        scores.add("r", "a", "good", 0.2)
    policy = CheapestNode((node("a", 1), node("b", 2)), Floor("good", 0.8, 0.02), "r")
    found = draws(policy, 5, floors=Floors(scores))
    assert within(found["a"], 0.02), found
