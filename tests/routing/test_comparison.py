"""A/B comparisons and concentration: exact sums, intervals that hold, a rule that may be asked at any time."""

from __future__ import annotations

import random
from datetime import date

import pytest

from penstock.adapters.ledger.reading import CostLine
from penstock.cli.route_ledger import shared, tallied
from penstock.compile.dry import dry_plan
from penstock.compile.sources import sources
from penstock.config.load import load_text
from penstock.core.comparison import (
    Tally,
    always_valid,
    arm_of,
    decide,
    difference,
    mean_cost,
    newcombe,
    quantile,
    score_difference,
)
from penstock.core.scores import wilson


def tally(successes: int, n: int, cost: int = 100) -> Tally:
    """An arm with so many successes among so many requests."""
    found = Tally()
    for at in range(n):
        found.add(success=at < successes, cost_nanousd=cost, total_ms=float(at))
    return found


def test_wilsons_interval_is_the_published_one() -> None:
    """Newcombe's (1998) worked examples: 81 of 263, 0 of 20 and 1 of 29."""
    for (successes, n), expected in {
        (81, 263): (0.2553, 0.3662),
        (0, 20): (0.0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }.items():
        assert wilson(successes / n, n) == pytest.approx(expected, abs=5e-5)


def test_newcombes_interval_is_the_published_one() -> None:
    """Newcombe's (1998) example a by method 10: 56 of 70 against 48 of 80."""
    found = newcombe(56, 70, 48, 80)
    assert (found.value, found.lower, found.upper) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_sums_are_exact_beyond_what_floats_hold() -> None:
    """Costs of nine digits after the point add up to the nano-dollar, over any number of requests."""
    found = Tally()
    for _ in range(1000):
        found.add(success=True, cost_nanousd=9_007_199_254_740_993, total_ms=1.0)
    assert arm_of("a", found).cost_usd_total == "9007199254.740993000"
    mean = mean_cost(found)
    assert mean.lower == mean.upper == mean.value


def test_what_has_no_price_counts_for_all_but_the_cost() -> None:
    """An unpriced answer is no free answer."""
    found = Tally()
    found.add(success=True, cost_nanousd=None, total_ms=5.0)
    found.add(success=True, cost_nanousd=2_000_000_000, total_ms=7.0)
    assert (found.n, mean_cost(found).value) == (2, 2.0)


def test_quantiles_have_bounds_of_order() -> None:
    """The median of 100 values lies between the 40th and the 61st in 95 of 100 samples."""
    found = quantile([float(at) for at in range(1, 101)], 0.5)
    assert (found.value, found.lower, found.upper) == (50.0, 40.0, 61.0)
    assert quantile([1.0, 2.0], 0.95).upper is None


def test_the_rule_seldom_stops_where_there_is_no_difference() -> None:
    """Looked at 150 times each, fewer than one in twenty comparisons of equals ever stops on one side."""
    source = random.Random(7)
    wrong = 0
    for _ in range(60):
        a, b = Tally(), Tally()
        for at in range(1_500):
            a.add(success=source.random() < 0.7, cost_nanousd=1, total_ms=None)
            b.add(success=source.random() < 0.7, cost_nanousd=1, total_ms=None)
            if at % 10 == 9 and decide(always_valid(b, a), 0.0) in {"better", "worse"}:
                wrong += 1
                break
    assert wrong <= 3


def test_the_rule_stops_where_there_is_one() -> None:
    """A difference of ten points is found within some thousands of requests; one of none is `no worse`."""
    assert difference("b", tally(1_600, 2_000), "a", tally(1_400, 2_000), 0.02).decision == "better"
    assert difference("b", tally(1_400, 2_000), "a", tally(1_600, 2_000), 0.02).decision == "worse"
    assert difference("b", tally(14_000, 20_000), "a", tally(14_000, 20_000), 0.05).decision == "no worse"
    assert difference("b", tally(8, 10), "a", tally(3, 10), 0.02).decision == "go on"


def test_arms_are_read_from_the_ledgers_notes() -> None:
    """Only exchanges of that route with an arm count, and none that its client broke off."""
    row = {
        "route": "r",
        "notes": {"arm": "a"},
        "outcome": "ok",
        "success": True,
        "cost_nanousd": 5,
        "total_ms": 1.0,
    }
    rows = [row, row | {"notes": {"arm": "b"}, "success": False}, row | {"route": "other"}, row | {"notes": {}}]
    rows.append(row | {"outcome": "cancelled"})
    found = tallied(rows, "r")
    assert {arm: (each.n, each.successes) for arm, each in found.items()} == {"a": (1, 1), "b": (1, 0)}


def test_shares_are_by_provider() -> None:
    """Deployments count with their providers, and sums are exact."""

    def line(route: str, target: str, requests: int, cost: int) -> CostLine:
        return CostLine({"route": route, "target": target}, requests, 0, 0, 0, cost, 0, 0)

    lines = [line("r", "sonnet", 30, 900), line("r", "anthropic/x", 10, 0), line("r", "openai/y", 60, 100)]
    found = shared([*lines, line("other", "openai/y", 5, 5)], {"sonnet": "anthropic"}, "r")
    told = [(one.provider, one.requests, one.requests_share, one.cost_share) for one in found]
    assert told == [("openai", 60, 0.6, 0.1), ("anthropic", 40, 0.4, 0.9)]


def hints(routes: str) -> dict[str, list[str]]:
    """What `penstock check` hints at, by route."""
    text = f"""
version: 1
providers:
  openai: {{kind: openai, api_key: sk-x, facts: {{region: eu-west-1, source: contract, verified: 2026-05-01}}}}
  vllm: {{kind: openai, base_url: "http://127.0.0.1:9/v1", facts: {{region: eu-west-1, source: contract,
    verified: 2026-05-01}}}}
  other: {{kind: openai, base_url: "http://127.0.0.1:8/v1"}}
routes: {routes}
"""
    document = load_text(text, {})
    found: dict[str, list[str]] = {}
    for each in sources(document, dry_plan(document, date(2026, 6, 1).toordinal())):
        found.setdefault(each.path.removeprefix("routes."), []).append(each.message)
    return found


def test_one_source_is_hinted_at() -> None:
    """One provider, or several in one region, share their outages; two regions do not."""
    found = hints(
        "{one: {policy: {fallback: [openai/a, openai/b]}}, region: {policy: {fallback: [openai/a, vllm/b]}},"
        " two: {policy: {fallback: [openai/a, other/b]}}}"
    )
    assert "the provider 'openai'" in found["one"][0]
    assert "the region 'eu-west-1'" in found["region"][0]
    assert "two" not in found


def test_trading_quality_without_a_gate_is_hinted_at() -> None:
    """A policy that prefers what is cheap wants a word on what is good."""
    policy = "policy: {cheapest: [openai/a, other/b]}"
    found = hints(f"{{a: {{{policy}}}, b: {{{policy}, success: {{all: [not_error, finish]}}}}}}")
    assert "what a good answer is" in found["a"][0]
    assert "b" not in found


def test_scores_of_arms_are_compared_with_a_rule_of_their_own() -> None:
    """Of equals fewer than one in twenty stops at any of 60 looks; a tenth of difference is seen."""
    source = random.Random(11)
    wrong = 0
    for _ in range(100):
        one, two = ([source.betavariate(4, 1) for _ in range(1200)] for _ in range(2))
        looks = [score_difference(one[:n], two[:n], 0.0).decision for n in range(20, 1220, 20)]
        wrong += any(each != "go on" for each in looks)
    assert wrong <= 5
    worse = [source.betavariate(4, 1) * 0.87 for _ in range(1200)]
    found = score_difference(worse, [source.betavariate(4, 1) for _ in range(1200)], 0.02)
    assert found.decision == "worse"
    assert found.mean.upper is not None
    assert found.mean.upper < 0


def test_arms_carry_the_scores_of_their_own_answers() -> None:
    """What was said of a request counts for the arm that it was led to; too few of them decide nothing."""
    row = {"route": "r", "outcome": "ok", "success": True, "cost_nanousd": 1, "total_ms": 1.0}
    rows = [{**row, "request_id": f"q{at}", "notes": {"arm": "ab"[at % 2]}} for at in range(10)]
    said = {f"q{at}": {"helpful": at / 10} for at in range(6)}
    tallies = tallied(rows, "r", said)
    assert tallies["a"].scores == {"helpful": [0.0, 0.2, 0.4]}
    assert arm_of("b", tallies["b"]).scores["helpful"].mean.value == pytest.approx(0.3)
    found = difference("b", tallies["b"], "a", tallies["a"], 0.02).scores["helpful"]
    assert (round(found.mean.value or 0, 6), found.always.value, found.decision) == (0.1, None, "go on")
