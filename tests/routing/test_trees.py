"""Any tree of nodes keeps the rules that hold for all of them."""

from __future__ import annotations

import inspect
from itertools import accumulate

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.compile.conditions import condition_of
from penstock.core.asking import LearnedNode
from penstock.core.cascade import Acceptance, CascadeNode, CascadeStep
from penstock.core.choosing import (
    AbNode,
    CanaryNode,
    CheapestNode,
    DeniedNode,
    EasyNode,
    FastestNode,
    Floor,
    StickyNode,
    WhenNode,
)
from penstock.core.difficulty import shipped
from penstock.core.exchange import Subject
from penstock.core.hook import Hook, WebhookNode
from penstock.core.itinerary import AttemptOutcome, GiveUp, Static
from penstock.core.judge import JudgeRule
from penstock.core.policy import CachedNode, FallbackNode, HedgeNode, Leaf, PolicyNode, StaticNode, WeightedNode
from penstock.core.target import Target
from penstock.core.verdict import Bounds
from penstock.routing.trees import map_targets, targets_of
from penstock.routing.view import RequestView
from tests.routing.walking import ORIGIN, node, tried, view, walk_of

NAMES = "abcdefgh"
_PRICES = {name: None if name == "h" else float(index) for index, name in enumerate(NAMES)}
# One object for each name, as a compiled document has it for a deployment.
LEAVES = {name: node(name, price) for name, price in _PRICES.items()}
_LEAF = st.sampled_from(NAMES).map(lambda name: LEAVES[name])
_SHARE = st.sampled_from([0.0, 0.05, 0.5, 1.0])
_BY = st.sampled_from(["user", "session", "prefix", "key", "request"])
_IF = st.sampled_from(
    [
        {"user": {"$eq": "ada"}},
        {"input_tokens": {"$gt": 5}},
        {"$not": {"stream": {"$eq": True}}},
        {"hour": {"$gt": 23}},
    ]
).map(condition_of)


def _nodes(inner: st.SearchStrategy[PolicyNode]) -> st.SearchStrategy[PolicyNode]:
    some = st.lists(inner, min_size=1, max_size=4).map(tuple)
    weighted = st.lists(st.tuples(inner, st.floats(0.1, 9)), min_size=1, max_size=4)

    def drawn(pairs: list[tuple[PolicyNode, float]]) -> PolicyNode:
        return WeightedNode(tuple(each for each, _ in pairs), tuple(accumulate(weight for _, weight in pairs)))

    def kept(pairs: list[tuple[PolicyNode, float]]) -> PolicyNode:
        return StickyNode(tuple(each for each, _ in pairs), tuple(weight for _, weight in pairs), "user")

    def arms(pairs: list[tuple[PolicyNode, float]]) -> PolicyNode:
        names = tuple(f"arm-{index}" for index in range(len(pairs)))
        upto = tuple(accumulate(weight for _, weight in pairs))
        return AbNode(tuple(each for each, _ in pairs), names, upto, "user", "ab")

    return st.one_of(
        some.map(FallbackNode),
        some.map(CheapestNode),
        some.map(lambda children: CheapestNode(children, Floor("good", 0.5, 0.1), "r")),
        st.tuples(some, _SHARE).map(lambda both: FastestNode(both[0], "ttft", 0.95, both[1])),
        weighted.map(drawn),
        weighted.map(kept),
        weighted.map(arms),
        st.tuples(inner, inner, _SHARE, _BY).map(lambda four: CanaryNode(*four, "salt")),
        st.tuples(inner, inner, inner).map(lambda three: EasyNode(*three, shipped())),
        st.tuples(_IF, inner, inner).map(lambda three: WhenNode((three[0],), ("",), (three[1],), three[2])),
        st.tuples(some, st.sampled_from([0.0, 0.5])).map(lambda both: HedgeNode(both[0], both[1], 0.0, 100.0)),
        some.map(lambda children: HedgeNode(children, None, 0.95, 5.0)),
        st.tuples(some, inner, st.sampled_from([0.0, 1.0])).map(lambda three: cascade(*three)),
        st.tuples(some, st.integers(0, 3)).map(
            lambda both: LearnedNode(both[0], "{}", both[1] % len(both[0]), 0.1)
        ),
    )


def cascade(children: tuple[PolicyNode, ...], last: PolicyNode, most: float) -> PolicyNode:
    """Steps that are looked at in several ways, and a last one that is not."""
    kinds = [
        Acceptance(Bounds(fewest_chars=3)),
        Acceptance(Bounds(), samples=3),
        Acceptance(Bounds(), judge=JudgeRule("grading", 0.5)),
    ]
    steps = [CascadeStep(child, kinds[at % len(kinds)]) for at, child in enumerate(children)]
    return CascadeNode((*steps, CascadeStep(last, None)), most, "cascade r")


REASONS = {"policy_denied", "webhook_failed", "nothing_kept"}
HOOK = Hook(ORIGIN, b"/", b"", 1.0, prompt=False)
_LEAVES = st.one_of(_LEAF, st.just(StaticNode("Sorry")), st.just(WebhookNode(HOOK)), st.just(CachedNode(60.0)))


def test_every_kind_of_node_is_drawn() -> None:
    """What is added to the policy language is added here."""
    kinds = {
        each
        for each in _kinds(PolicyNode)
        if not inspect.isabstract(each)
        and each.__module__.startswith("penstock.")
        and each not in (DeniedNode, Leaf)
    }
    drawn: set[type] = set()

    @settings(max_examples=600, deadline=None, database=None, derandomize=True)
    @given(TREES)
    def draw(tree: PolicyNode) -> None:
        drawn.update(type(each) for each in _all(tree))

    draw()
    assert drawn == kinds


def _kinds(node: type) -> list[type]:
    return [kind for each in node.__subclasses__() for kind in (each, *_kinds(each))]


def _all(tree: PolicyNode) -> list[PolicyNode]:
    return [tree, *[each for child in tree.below() for each in _all(child)]]


TREES = st.recursive(_LEAVES, _nodes, max_leaves=12)
DRAWS = st.floats(0, 1, exclude_max=True)
PROMPTS = st.sampled_from(["Hi", "Prove that there are infinitely many primes, step by step.", "x" * 300])
SEEN = st.tuples(PROMPTS, st.sampled_from(["ada", "bob", ""])).map(
    lambda both: view(both[0], subject=Subject("o", "", both[1], "k"))
)


@settings(max_examples=50, deadline=None)
@given(TREES, SEEN, DRAWS)
def test_no_target_is_tried_twice(tree: PolicyNode, seen: RequestView, draw: float) -> None:
    """However often a target stands in a tree, one that has given up is not tried again."""
    order, end = tried(tree, walk_of(seen), draw)
    assert len(order) == len(set(order))
    assert isinstance(end, GiveUp | Static)


@settings(max_examples=40, deadline=None)
@given(TREES, SEEN, DRAWS, st.integers(1, 4))
def test_a_target_is_repeated_as_often_as_retries_say(
    tree: PolicyNode, seen: RequestView, draw: float, attempts: int
) -> None:
    """Where a second try may help, a target gets as many as its rule says, and those one after the other."""
    walk = walk_of(seen, attempts=attempts)
    order, _ = tried(tree, walk, draw, lambda _: AttemptOutcome("retry", "status_500"))
    assert all(order.count(name) <= attempts for name in order)
    if any(isinstance(each, HedgeNode) for each in _all(tree)):
        return  # another one may be asked while a second try waits
    runs = [name for name, before in zip(order, [None, *order], strict=False) if name != before]
    assert len(runs) == len(set(runs))


@settings(max_examples=50, deadline=None)
@given(TREES, SEEN, DRAWS, st.sets(st.sampled_from(NAMES)))
def test_what_is_required_leaves_out_is_never_tried(
    tree: PolicyNode, seen: RequestView, draw: float, denied: set[str]
) -> None:
    """A narrowed tree has none of the targets that may not be used, and all of the others it had."""

    def allowed(target: Target) -> Target | None:
        return None if target.id in denied else target

    left = map_targets(tree, allowed)
    before = {target.id for target in targets_of(tree)}
    if left is None:
        assert before <= denied
        return
    assert {target.id for target in targets_of(left)} == before - denied
    order, _ = tried(left, walk_of(seen), draw)
    assert not denied & set(order)


@settings(max_examples=50, deadline=None)
@given(TREES, SEEN, DRAWS, st.sets(st.sampled_from(NAMES)))
def test_nothing_is_tried_only_with_a_reason(
    tree: PolicyNode, seen: RequestView, draw: float, denied: set[str]
) -> None:
    """A plan without an attempt ends in a fixed answer, or says that what it leads to may not be used."""
    left = map_targets(tree, lambda each: None if each.id in denied else each)
    if left is None:
        return
    order, end = tried(left, walk_of(seen), draw)
    if not order:
        assert isinstance(end, Static) or (isinstance(end, GiveUp) and end.cause in REASONS)
    if isinstance(end, GiveUp):
        assert end.cause


@settings(max_examples=50, deadline=None)
@given(TREES, SEEN, DRAWS)
def test_a_choice_is_the_same_for_the_same_request_and_draw(
    tree: PolicyNode, seen: RequestView, draw: float
) -> None:
    """Policies know no time of day and no chance of their own."""
    assert tried(tree, walk_of(seen), draw) == tried(tree, walk_of(seen), draw)
