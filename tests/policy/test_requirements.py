"""Facts against requirements, and trees against an oracle that knows nothing of how they are compiled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.origin import Origin
from penstock.core.patterns import matches
from penstock.core.plan import Route, Scope
from penstock.core.policy import FallbackNode, PolicyNode, StaticNode, TargetNode, WeightedNode
from penstock.core.requirements import (
    Facts,
    Handling,
    Lever,
    Need,
    Provenance,
    Requirement,
    certificate,
    judge,
    kind_of,
    overlaid,
)
from penstock.core.target import Target
from penstock.dialects.openai.endpoints import ENDPOINTS
from penstock.routing.held import Denied, held
from penstock.routing.trees import targets_of

CHAT = ENDPOINTS["/v1/chat/completions"]
EMBED = ENDPOINTS["/v1/embeddings"]
TARGET = Target(
    id="p/m",
    provider="p",
    kind="openai",
    model="m",
    model_json=b'"m"',
    origin=Origin("http", "127.0.0.1", 9),
    base_path=b"/v1",
    auth=b"",
    secrets=(),
)


def told(requirement: Requirement, facts: Facts, endpoint: str = "chat", **rest: Any) -> str:
    """Why not, in words; empty where the facts meet the requirement."""
    handling = Handling(("p",), facts, **rest)
    unmet = judge((Need("organisation 'a'", requirement),), handling, ("p/m", "m"), endpoint).unmet
    return str(unmet) if unmet is not None else ""


@pytest.mark.parametrize(
    ("requirement", "meets", "fails"),
    [
        (
            Requirement(residency="eu"),
            Facts(residency=frozenset({"de", "fr"})),
            Facts(residency=frozenset({"de", "us"})),
        ),
        (Requirement(residency="eu"), Facts(residency=frozenset({"eu"})), Facts(residency=frozenset())),
        (Requirement(residency="de"), Facts(residency=frozenset({"de"})), Facts(residency=frozenset({"eu"}))),
        (
            Requirement(residency="eea"),
            Facts(residency=frozenset({"eu", "no"})),
            Facts(residency=frozenset({"ch"})),
        ),
        (Requirement(region="eu-*"), Facts(region="eu-west-1"), Facts(region="us-east-1")),
        (Requirement(retention_days=30), Facts(retention_days=30), Facts(retention_days=31)),
        (Requirement(retention_days=0), Facts(retention_days=0), Facts(retention_days=1)),
        (Requirement(trains_on_data=False), Facts(trains_on_data=False), Facts(trains_on_data=True)),
        (
            Requirement(certified=frozenset({"soc2", "baa"})),
            Facts(certified=frozenset({"soc2", "baa", "hipaa"})),
            Facts(certified=frozenset({"soc2"})),
        ),
        (Requirement(tier="enterprise"), Facts(tier="enterprise"), Facts(tier="free")),
    ],
)
def test_each_rule_is_met_failed_and_never_met_by_what_is_unknown(
    requirement: Requirement, meets: Facts, fails: Facts
) -> None:
    """A fact meets its rule or does not; without it the rule is not met, and the words name rule and level."""
    assert told(requirement, meets) == ""
    assert told(requirement, fails).startswith("organisation 'a' requires ")
    assert told(requirement, Facts()).endswith("that is not known of it")


@pytest.mark.parametrize(
    ("requirement", "allowed"),
    [
        (Requirement(allow_providers=("p",)), True),
        (Requirement(allow_providers=()), False),
        (Requirement(allow_providers=("other", "P*")), True),
        (Requirement(deny_providers=("p",)), False),
        (Requirement(deny_providers=("q*",)), True),
        (Requirement(allow_models=("m",)), True),
        (Requirement(allow_models=("p/*",)), True),
        (Requirement(allow_models=("q/*",)), False),
        (Requirement(deny_models=("M",)), False),
        (Requirement(allow_models=("*",), deny_models=("p/m*",)), False),
    ],
)
def test_lists_allow_and_deny_by_provider_and_by_any_name_of_the_model(
    requirement: Requirement, *, allowed: bool
) -> None:
    """A denial wins over an allowance, an empty list allows nothing, and the case of letters does not count."""
    assert (told(requirement, Facts()) == "") is allowed


def test_facts_of_an_endpoint_win_and_kept_things_inherit_no_retention() -> None:
    """Batches keep what they are given, unless somebody says otherwise of batches."""
    facts, need = Facts(retention_days=0), Requirement(retention_days=0)
    by_endpoint = {"audio": Facts(retention_days=5), "files": Facts(retention_days=0)}
    assert told(need, facts, "chat", by_endpoint=by_endpoint) == ""
    assert told(need, facts, "audio", by_endpoint=by_endpoint) != ""
    assert told(need, facts, "batches", by_endpoint=by_endpoint) != ""
    assert told(need, facts, "files", by_endpoint=by_endpoint) == ""


def test_a_model_that_runs_elsewhere_has_not_its_accounts_region() -> None:
    """A cross-region profile of the same account makes the region unknown, and leaves the rest."""
    vague = (("m", ("region",)),)
    facts = Facts(region="eu-west-1", retention_days=0)
    assert told(Requirement(region="eu-*"), facts) == ""
    assert told(Requirement(region="eu-*"), facts, vague=vague) != ""
    assert told(Requirement(retention_days=0), facts, vague=vague) == ""


def test_one_parameter_has_to_suit_everybody_who_asks() -> None:
    """What a parameter makes of a fact holds for all levels: two places at once are none."""
    levers = (_lever("region", "us", b'"us"'), _lever("region", "eu", b'"eu"'))
    handling = Handling(("p",), Facts(), levers=levers)

    def ask(*regions: str) -> tuple[Lever, ...] | None:
        needs = tuple(Need(f"level {at}", Requirement(region=each)) for at, each in enumerate(regions))
        verdict = judge(needs, handling, ("m",), "chat")
        return verdict.levers if verdict.unmet is None else None

    assert ask("us") == (levers[0],)
    assert ask("eu", "e*") == (levers[1],)
    assert ask("us", "eu") is None


def test_a_parameter_is_set_for_short_times_whatever_the_contract_says() -> None:
    """An answer that is stored outlives a contract about logs."""
    lever = replace(_lever("retention_days", 30, b"false"), forced_below=31)
    handling = Handling(("p",), Facts(retention_days=0), levers=(lever,))
    for days, used in ((0, (lever,)), (30, (lever,)), (31, ())):
        verdict = judge((Need("x", Requirement(retention_days=days)),), handling, ("m",), "chat")
        assert verdict.unmet is None
        assert verdict.levers == used


def _lever(rule: Any, value: object, text: bytes) -> Lever:
    return Lever(rule, value, ("chat",), {f"set_{rule}": text}, Provenance())


@pytest.mark.parametrize(
    ("pattern", "name", "hit"),
    [
        ("*", "", True),
        ("gpt-*", "gpt-5", True),
        ("gpt-*", "xgpt-5", False),
        ("*r1*", "deepseek-ai/DeepSeek-R1", True),
        ("a*a", "a", False),
        ("a*b*c", "axxbxxc", True),
        ("a*b*c", "acb", False),
        ("a.c", "abc", False),
        ("", "", True),
    ],
)
def test_patterns(pattern: str, name: str, *, hit: bool) -> None:
    """Only `*` is special, pieces come in order and do not overlap."""
    assert matches(pattern, name) is hit


def test_words_that_people_write_differently() -> None:
    """Certificates are compared without case, spaces and dashes; endpoints lead to those that a vendor has."""
    assert certificate("SOC 2") == certificate("soc-2") == "soc2"
    names = ("messages", "responses", "images.edits", "countTokens")
    assert [kind_of(name, native=True) for name in names] == ["chat", "responses", "images", "count"]
    assert kind_of("responses", native=False) == "chat"


# --- against an oracle ------------------------------------------------------------------------------------

PLACES = ("de", "fr", "us", "eu")
FACTS = st.builds(
    Facts,
    residency=st.none() | st.frozensets(st.sampled_from(PLACES), max_size=3),
    region=st.none() | st.sampled_from(["us", "eu-1", "eu-2"]),
    retention_days=st.none() | st.integers(0, 3),
    trains_on_data=st.none() | st.booleans(),
    certified=st.none() | st.frozensets(st.sampled_from(["a", "b"])),
    tier=st.none() | st.sampled_from(["free", "paid"]),
)
NAMES = st.sampled_from(["p1", "p2", "p*", "*", "nobody"])
MODELS = st.sampled_from(["m1", "p1/*", "*2", "p2/m1", "nothing"])
REQUIREMENTS = st.builds(
    Requirement,
    residency=st.none() | st.sampled_from(PLACES),
    region=st.none() | st.sampled_from(["us", "eu-*"]),
    retention_days=st.none() | st.integers(0, 3),
    trains_on_data=st.sampled_from([None, False]),
    certified=st.frozensets(st.sampled_from(["a", "b"]), max_size=1),
    tier=st.none() | st.sampled_from(["free", "paid"]),
    allow_providers=st.none() | st.lists(NAMES, max_size=2).map(tuple),
    deny_providers=st.lists(NAMES, max_size=1).map(tuple),
    allow_models=st.none() | st.lists(MODELS, max_size=2).map(tuple),
    deny_models=st.lists(MODELS, max_size=1).map(tuple),
)
LEVERS = st.lists(
    st.sampled_from(
        [
            _lever("retention_days", 0, b"1"),
            _lever("retention_days", 2, b"2"),
            _lever("trains_on_data", value=False, text=b"3"),
            _lever("region", "us", b"4"),
            _lever("region", "eu-1", b"5"),
        ]
    ),
    unique=True,
    max_size=3,
).map(tuple)


@st.composite
def targets(draw: st.DrawFn) -> Target:
    """A target with random facts, some of them of its chats alone."""
    provider, model = draw(st.sampled_from(["p1", "p2"])), draw(st.sampled_from(["m1", "m2"]))
    by_endpoint = draw(st.dictionaries(st.just("chat"), FACTS))
    handling = Handling((provider,), draw(FACTS), by_endpoint, draw(LEVERS))
    number = draw(st.integers(0, 10**9))
    return replace(TARGET, id=f"d{number}", provider=provider, model=model, handling=handling)


def _weighted(children: list[PolicyNode]) -> PolicyNode:
    return WeightedNode(tuple(children), tuple(accumulate(float(at + 1) for at in range(len(children)))))


TREES = st.recursive(
    targets().map(TargetNode) | st.just(StaticNode("later")),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3).map(lambda found: FallbackNode(tuple(found)))
        | st.lists(inner, min_size=1, max_size=3).map(_weighted)
    ),
    max_leaves=8,
)


def allowed(target: Target, requirements: list[Requirement], kind: str) -> bool:
    """The oracle: by enumeration, over which parameters could be set, whether all rules hold at once."""
    handling = target.handling or Handling()
    own = handling.by_endpoint.get(kind, Facts())
    names = {target.id, target.model, f"{target.provider}/{target.model}"}

    def hit(pattern: str, name: str) -> bool:
        return (
            name.startswith(pattern[:-1])
            if pattern.endswith("*")
            else (name.endswith(pattern[1:]) if pattern.startswith("*") else name == pattern)
        )

    for need in requirements:
        if need.allow_providers is not None and not any(hit(p, target.provider) for p in need.allow_providers):
            return False
        if any(hit(p, target.provider) for p in need.deny_providers):
            return False
        if need.allow_models is not None and not any(hit(p, n) for p in need.allow_models for n in names):
            return False
        if any(hit(p, n) for p in need.deny_models for n in names):
            return False

    def values(rule: str) -> list[Any]:
        given = getattr(own, rule)
        base = given if given is not None else getattr(handling.facts, rule)
        set_by = [lever.value for lever in handling.levers if lever.rule == rule and kind in lever.endpoints]
        return [value for value in (base, *set_by) if value is not None]

    european = {"de", "fr", "eu"}
    tests: dict[str, Callable[[Any, Any], bool]] = {
        "residency": lambda want, has: bool(has) and has <= (european if want == "eu" else {want}),
        "region": hit,
        "retention_days": lambda want, has: has <= want,
        "trains_on_data": lambda want, has: has is want,
        "certified": lambda want, has: want <= has,
        "tier": lambda want, has: want == has,
    }
    for rule, test in tests.items():
        wants = [
            want for need in requirements if (want := getattr(need, rule)) is not None and want != frozenset()
        ]
        if wants and not any(all(test(want, has) for want in wants) for has in values(rule)):
            return False
    return True


@given(TREES, st.lists(REQUIREMENTS, max_size=3), st.none() | REQUIREMENTS, st.sampled_from([CHAT, EMBED]))
def test_a_held_tree_has_exactly_the_targets_that_an_oracle_allows(
    tree: PolicyNode, levels: list[Requirement], own: Requirement | None, endpoint: Any
) -> None:
    """Same targets, same order, same shares; a route of which no target is left is denied, static or not."""
    route = Route("r", tree, requires=own)
    scope = Scope("s", tuple(Need(f"level {at}", each) for at, each in enumerate(levels)))
    wanted = [*levels, *([own] if own is not None else [])]
    kind = "chat" if endpoint is CHAT else "embeddings"
    before = list(targets_of(tree))
    expected = [each.id for each in before if allowed(each, wanted, kind)]
    found = held(route, scope, endpoint)
    if isinstance(found, Denied):
        assert before
        assert expected == []
        assert "level " in found.message or "route 'r'" in found.message
        return
    assert [each.id for each in targets_of(found.policy)] == expected
    assert bool(expected) or not before
    shares = _shares(tree, set(expected))
    assert _shares(found.policy, set(expected)) == pytest.approx(shares)


def _shares(node: PolicyNode, kept: set[str]) -> dict[str, float]:
    """How often each target is chosen by the weighted node right above it, among what is kept."""
    found: dict[str, float] = {}
    if isinstance(node, FallbackNode | WeightedNode):
        for child in node.children:
            found |= _shares(child, kept)
    if isinstance(node, WeightedNode):
        weights = [upto - before for before, upto in zip((0.0, *node.upto), node.upto, strict=False)]
        alive = [_alive(child, kept) for child in node.children]
        total = sum(weight for weight, ok in zip(weights, alive, strict=True) if ok)
        for child, weight, ok in zip(node.children, weights, alive, strict=True):
            if ok and isinstance(child, TargetNode):
                found[child.target.id] = weight / total
    return found


def _alive(node: PolicyNode, kept: set[str]) -> bool:
    if isinstance(node, TargetNode):
        return node.target.id in kept
    if isinstance(node, StaticNode):
        return True
    return any(_alive(child, kept) for child in node.below())


@given(FACTS, FACTS)
def test_facts_over_facts_keep_what_the_upper_ones_do_not_say(base: Facts, over: Facts) -> None:
    """Every fact is the upper one's where it has it, else the lower one's."""
    found = overlaid(base, over)
    for rule, value in (*base.known(), *over.known()):
        upper = getattr(over, rule)
        assert getattr(found, rule) == (upper if upper is not None else value)
