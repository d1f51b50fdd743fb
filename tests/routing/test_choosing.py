"""What each node chooses: tables of requests and orders, without IO."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from penstock.adapters.memory.scores import MemoryScores
from penstock.compile.conditions import condition_of
from penstock.core.choosing import (
    AbNode,
    CanaryNode,
    CheapestNode,
    EasyNode,
    FastestNode,
    Floor,
    StickyNode,
    WhenNode,
)
from penstock.core.difficulty import shipped
from penstock.core.exchange import Subject
from penstock.core.itinerary import AttemptOutcome, GiveUp, Static
from penstock.core.policy import FallbackNode, PolicyNode, StaticNode, TargetNode, WeightedNode
from penstock.core.price import rate_card
from penstock.routing.floors import Floors
from penstock.routing.standings import Standings
from penstock.routing.trees import map_targets
from penstock.testing.clock import VirtualClock
from penstock.upstream.learned import Learned
from tests.routing.walking import NOW, first, node, tried, view, walk_of

MAIL = (
    "Write a friendly mail to the team about the picnic that we plan for the end of this week in the park near "
    "the office, and mention that everybody should bring something to eat."
)
# What is remembered for a moment is asked again each time.
LATER = itertools.count(NOW, 10)
HARD = "Prove by induction that the sum of the first n odd numbers is n squared. Show your work step by step."


def order_of(policy: PolicyNode, **request: object) -> list[str]:
    """The order in which targets are tried where each of them fails."""
    return tried(policy, walk_of(view(**request)), now=next(LATER))[0]  # type: ignore[arg-type]


def test_cheapest_goes_by_the_cost_of_this_request() -> None:
    """Dear input and cheap output wins for short prompts with long answers, and the other way round."""
    policy = CheapestNode((node("a/in-cheap", 1, 10), node("b/out-cheap", 4, 2)))
    assert order_of(policy, prompt="x", max_tokens=1000) == ["b/out-cheap", "a/in-cheap"]
    assert order_of(policy, prompt="x" * 8000, max_tokens=10) == ["a/in-cheap", "b/out-cheap"]


def test_cheapest_knows_what_answers_and_caches_have_taught() -> None:
    """A model that talks much, or whose cache is not hit, is dearer than its prices say."""
    known = {name: Learned() for name in ("a/talks", "b/brief", "c/cached")}
    for _ in range(20):
        known["a/talks"].learn(4000, 1000, 4000, 2000)
        known["b/brief"].learn(4000, 1000, 400, 100)
        known["c/cached"].learn(4000, 1000, 400, 100, 900)
    policy = CheapestNode((node("a/talks", 1), node("b/brief", 2), node("c/cached", 2)))
    assert order_of(policy, prompt="x" * 4000, learnt=known.__getitem__) == ["b/brief", "c/cached", "a/talks"]
    with_cache = CheapestNode((node("b/brief", 2), cached("c/cached")))
    assert order_of(with_cache, prompt="x" * 4000, learnt=known.__getitem__) == ["c/cached", "b/brief"]


def cached(name: str) -> TargetNode:
    """A target whose cached input costs a tenth."""
    return TargetNode(
        replace(node(name).target, card=rate_card(name, {"input": 2, "output": 2, "cache_read": 0.2}))
    )


def test_cheapest_knows_tiers_of_price_and_of_service() -> None:
    """Beyond a tier all tokens are dearer; a batch or a service tier has its factor."""
    tiered = rate_card("t", {"input": 1, "output": 1}, tiers=[(1000, {"input": 4, "output": 4})])
    flex = rate_card("f", {"input": 3, "output": 3}, batch="0.1", service_tiers={"flex": "0.2"})
    policy = CheapestNode(
        (
            TargetNode(replace(node("a/t").target, card=tiered)),
            TargetNode(replace(node("b/f").target, card=flex)),
        )
    )
    assert order_of(policy, prompt="x" * 400)[0] == "a/t"
    assert order_of(policy, prompt="x" * 8000)[0] == "b/f"
    assert order_of(policy, prompt="x" * 400, service_tier="flex")[0] == "b/f"
    assert order_of(policy, prompt="x" * 400, service_tier="batch")[0] == "b/f"


def test_what_has_no_price_is_never_taken_for_cheap() -> None:
    """A target without a price comes last; a nested node costs what its first target does."""
    policy = CheapestNode(
        (
            node("a/unpriced"),
            FallbackNode((node("b/dear", 9), node("c/free", 0))),
            CheapestNode((node("d/dearer", 10), node("e/cheap", 1))),
        )
    )
    assert order_of(policy) == ["e/cheap", "d/dearer", "b/dear", "c/free", "a/unpriced"]


def test_a_floor_leaves_out_what_is_surely_worse_and_takes_it_back() -> None:
    """Left out when the whole interval is below; back at the mean, or when the judgements are old."""
    clock = VirtualClock()
    scores = MemoryScores(clock)
    floors = Floors(scores)
    policy = CheapestNode((node("a/cheap", 1), node("b/dear", 5)), Floor("good", 0.8, 0.02), "r")
    assert order_of(policy, floors=floors) == ["a/cheap", "b/dear"]
    for _ in range(5):
        scores.add("r", "a/cheap", "good", 0.6)
    assert order_of(policy, floors=floors)[0] == "a/cheap", "five judgements prove nothing"
    for _ in range(95):
        scores.add("r", "a/cheap", "good", 0.6)
    assert order_of(policy, floors=floors) == ["b/dear"]
    for _ in range(80):
        scores.add("r", "a/cheap", "good", 1.0)
    assert order_of(policy, floors=floors) == ["b/dear"], (
        "0.778 is above the interval that left it out, and low"
    )
    for _ in range(30):
        scores.add("r", "a/cheap", "good", 1.0)
    assert order_of(policy, floors=floors)[0] == "a/cheap"
    for _ in range(400):
        scores.add("r", "a/cheap", "good", 0.1)
    assert order_of(policy, floors=floors) == ["b/dear"]
    clock.advance(3700)
    assert order_of(policy, floors=floors)[0] == "a/cheap"


def test_where_nothing_reaches_the_floor_all_are_tried() -> None:
    """A floor that nobody reaches does not make an outage."""
    scores = MemoryScores(VirtualClock())
    for name in ("a/cheap", "b/dear"):
        for _ in range(100):
            scores.add("r", name, "good", 0.1)
    policy = CheapestNode((node("a/cheap", 1), node("b/dear", 5)), Floor("good", 0.8, 0.02), "r")
    assert order_of(policy, floors=Floors(scores)) == ["a/cheap", "b/dear"]


def standings(**seconds: float) -> Standings:
    """Standings in which each target has taken so long of late."""
    known = Standings()
    for name, each in seconds.items():
        for _ in range(30):
            known.of(name).began(NOW - 1)
            known.of(name).ended(NOW - 1, "ok", each, each * 2)
    return known


def test_fastest_goes_by_what_was_measured_of_late() -> None:
    """Known ones by rising latency, then those of which nothing is known."""
    policy = FastestNode((node("slow"), node("unknown"), node("quick")), "ttft", 0.95, 0.05)
    walk = walk_of(view(), standings(slow=0.9, quick=0.1))
    assert tried(policy, walk, draw=0.5)[0] == ["quick", "slow", "unknown"]
    assert first(policy, view(), draw=0.01, standings=standings(slow=0.9, quick=0.1)) == "unknown"


@pytest.mark.parametrize("by", ["session", "user", "prefix"])
def test_sticky_stays_and_only_the_lost_move(by: str) -> None:
    """Whoever asks keeps the child; where one child goes, nobody else's moves."""
    children = tuple(node(f"t{index}") for index in range(5))
    policy = StickyNode(children, (1.0,) * 5, by)
    smaller = StickyNode(children[:4], (1.0,) * 4, by)
    for index in range(300):
        name = f"n{index}"
        seen = view(name, session=name, subject=Subject("acme", "", name, "dev"))
        home = first(policy, seen)
        assert first(policy, seen, draw=0.9) == home
        if home != "t4":
            assert first(smaller, seen) == home


def test_sticky_goes_to_the_next_by_hash_where_a_target_is_out() -> None:
    """The second place is as fixed as the first, and different for different users."""
    policy = StickyNode(tuple(node(f"t{index}") for index in range(4)), (1.0,) * 4, "user")
    seconds = set[str]()
    for index in range(200):
        seen = view(subject=Subject("acme", "", f"u{index}", "dev"))
        order = tried(policy, walk_of(seen))[0]
        assert sorted(order) == ["t0", "t1", "t2", "t3"]
        if order[0] == "t0":
            seconds.add(order[1])
    assert seconds == {"t1", "t2", "t3"}


def test_the_prefix_of_a_conversation_does_not_change_as_it_goes_on() -> None:
    """System, tools and the first prompt decide; later turns do not, another system prompt does."""
    begin = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    more = [*begin, {"role": "assistant", "content": "Hello"}, {"role": "user", "content": "Bye"}]
    assert view(messages=begin).prefix == view(messages=more).prefix
    other = [{"role": "system", "content": "Be long."}, *begin[1:]]
    assert view(messages=begin).prefix != view(messages=other).prefix


def test_a_canary_falls_back_to_what_is_proven_and_is_nobodys_fallback() -> None:
    """A candidate that fails costs nobody an answer; a failure of what is proven leads nobody to it."""
    policy = CanaryNode(node("new"), node("old"), 0.5, "user", "s")
    orders = {
        tuple(tried(policy, walk_of(view(subject=Subject("o", "", f"u{index}", "k"))))[0])
        for index in range(50)
    }
    assert orders == {("new", "old"), ("old",)}


def test_growing_a_canary_moves_users_one_way_only() -> None:
    """Who was on the candidate's side at 5 % is there at 20 % and at 60 %."""
    before = set[str]()
    for share in (0.05, 0.2, 0.6):
        policy = CanaryNode(node("new"), node("old"), share, "user", "s")
        users = {f"u{index}" for index in range(500)}
        now = {user for user in users if first(policy, view(subject=Subject("o", "", user, "k"))) == "new"}
        assert before <= now
        before = now


def test_an_arm_is_noted_and_no_other_arm_answers_for_it() -> None:
    """The arm is noted for the ledger; its failure stays its own."""
    policy = AbNode((node("a"), node("b")), ("left", "right"), (1.0, 2.0), "user", "s")
    walk = walk_of(view(subject=Subject("o", "", "ada", "k")))
    order, end = tried(policy, walk)
    assert len(order) == 1
    assert isinstance(end, GiveUp)
    assert walk.notes == {"arm": "left" if order == ["a"] else "right"}


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Hi there!", "simple"),
        ("What is the capital of France?", "simple"),
        (MAIL, "default"),
        (HARD, "hard"),
    ],
)
def test_easy_goes_by_how_hard_a_prompt_looks(prompt: str, expected: str) -> None:
    """A greeting is simple, a proof is hard, a mail is neither."""
    policy = EasyNode(node("simple"), node("default"), node("hard"), shipped())
    assert first(policy, view(prompt)) == expected


def test_easy_falls_back_to_what_is_no_weaker_first() -> None:
    """A simple prompt goes to the default next, a hard one too."""
    policy = EasyNode(node("simple"), node("default"), node("hard"), shipped())
    assert order_of(policy, prompt="Hi!") == ["simple", "default", "hard"]
    assert order_of(policy, prompt=HARD) == ["hard", "default", "simple"]


def test_a_case_whose_targets_are_denied_is_denied() -> None:
    """What a requirement leaves out of a case is not replaced by what is meant for others."""
    when = WhenNode((condition_of({"user": {"$eq": "ada"}}),), ("",), (node("eu"),), node("us"))
    left = map_targets(when, lambda each: each if each.id == "us" else None)
    assert left is not None
    _, end = tried(left, walk_of(view(subject=Subject("o", "", "ada", "k"))))
    assert end == GiveUp("policy_denied")
    assert first(left, view(subject=Subject("o", "", "bob", "k"))) == "us"
    behind = FallbackNode((left, StaticNode("Sorry")))
    assert tried(behind, walk_of(view(subject=Subject("o", "", "ada", "k"))))[1] == Static("Sorry")


def test_the_final_fault_of_a_request_ends_every_node() -> None:
    """Where the request itself is at fault, nobody else is asked."""
    policy = WeightedNode((FallbackNode((node("a"), node("b"))), node("c")), (9.0, 10.0))
    order, end = tried(policy, walk_of(view()), 0.1, lambda _: AttemptOutcome("final", "status_400"))
    assert order == ["a"]
    assert end == GiveUp("status_400")
