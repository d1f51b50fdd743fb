"""LCPR is exact, grows with what it is made of, and says what cannot be."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from penstock.cli.lcpr import lcpr as command
from penstock.economics import comparing, rules, serving
from penstock.economics.cases import outputs
from penstock.economics.exact import InvalidInputError, exact, to_decimal
from penstock.economics.lcpr import GpuOffer, Offer, TokenOffer, Workload, lcpr, requests_for

_RATES = st.decimals(0, 100, places=4)
_SHARES = st.decimals(0, 1, places=3)
_WORKLOADS = st.builds(
    Workload,
    requests=st.integers(1, 10**8),
    input_tokens=st.integers(1, 10**5),
    output_tokens=st.integers(1, 10**4),
    retry_rate=_SHARES,
    pass_rate=st.decimals("0.001", 1, places=3),
    repair_usd=_RATES,
    eng_hours=st.integers(0, 200),
    eng_usd=st.integers(0, 300),
)
_TOKENS = st.builds(TokenOffer, _RATES, _RATES, _RATES, _SHARES, _SHARES, _SHARES)
_GPUS = st.builds(GpuOffer, _RATES, st.integers(1, 10**5), st.decimals("0.01", 1, places=2), _SHARES)
_OFFERS = _TOKENS | _GPUS
GROWS = ("input_tokens", "output_tokens", "retry_rate", "repair_usd", "eng_hours", "eng_usd")


@given(_WORKLOADS, _OFFERS, st.sampled_from(GROWS), st.decimals(0, 10, places=2))
def test_cost_grows_with_each_input(workload: Workload, offer: Offer, name: str, more: Any) -> None:
    """More of anything that costs never costs less, and more answers that pass never cost more each."""
    before = lcpr(workload, offer)
    dearer = lcpr(replace(workload, **{name: workload.of(name) + exact("more", more)}), offer)
    assert dearer.lcpr_usd >= before.lcpr_usd
    better = lcpr(replace(workload, pass_rate=1), offer)
    assert better.lcpr_usd <= before.lcpr_usd


@given(_WORKLOADS, _TOKENS, st.integers(1, 9))
def test_parts_make_the_whole_but_for_what_each_pays_again(
    workload: Workload, offer: TokenOffer, tenths: int
) -> None:
    """A workload in two parts costs what it did, and its engineering once more; to the last fraction."""
    part = workload.of("requests") * tenths / 10
    other = workload.of("requests") - part
    found = comparing.split(workload, offer, [(part, offer), (other, offer)])
    assert -found.monthly_usd == workload.of("eng_hours") * workload.of("eng_usd")


@given(_WORKLOADS, _OFFERS)
def test_lcpr_times_successes_is_the_invoice(workload: Workload, offer: Offer) -> None:
    """F17, exactly."""
    found = lcpr(workload, offer)
    assert found.lcpr_usd * workload.of("requests") * workload.of("pass_rate") == found.monthly_usd


@given(_WORKLOADS, _GPUS)
def test_gpus_carry_the_workload_and_one_fewer_would_not(workload: Workload, offer: GpuOffer) -> None:
    """F8: whole GPUs, at the utilisation that was said, at least one."""
    count = offer.needed(workload)
    attempts = workload.of("requests") * (1 + workload.of("retry_rate"))
    tokens = workload.of("output_tokens") + exact("p", offer.prefill) * workload.of("input_tokens")
    carried = serving.capacity_per_day(offer) * 30
    assert count * carried >= attempts * tokens
    assert count == 1 or (count - 1) * carried < attempts * tokens


def test_money_buys_the_requests_that_cost_it() -> None:
    """The reverse of F5."""
    workload, offer = Workload(1, 800), TokenOffer(5, 30)
    count = requests_for(10_000, workload, offer)
    assert round(count) == 554_885
    assert lcpr(replace(workload, requests=count), offer).monthly_usd == 10_000


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"requests": 0}, "requests"),
        ({"requests": -1}, "requests"),
        ({"input_tokens": float("nan")}, "input_tokens"),
        ({"output_tokens": float("inf")}, "output_tokens"),
        ({"pass_rate": 0}, "pass_rate"),
        ({"pass_rate": 1.01}, "pass_rate"),
        ({"retry_rate": "much"}, "retry_rate"),
        ({"eng_hours": True}, "eng_hours"),
    ],
)
def test_what_cannot_be_is_said_by_name(changes: dict[str, Any], name: str) -> None:
    """Negative, not a number, no success, no share."""
    with pytest.raises(InvalidInputError, match=f"^{name}: "):
        Workload(**{"requests": 1, "input_tokens": 1, **changes})


@pytest.mark.parametrize(
    "offer",
    [TokenOffer(-1, 1), TokenOffer(1, 1, 1, 2), GpuOffer(1, 0), GpuOffer(1, 1, 0), GpuOffer(1, 1, 1, -1)],
)
def test_offers_are_checked_too(offer: Offer) -> None:
    """Whatever they are made of."""
    with pytest.raises(InvalidInputError):
        lcpr(Workload(1, 1), offer)


def test_breaking_even_says_what_one_gpu_cannot_do() -> None:
    """At 40 % no volume breaks even at 1.70 by output alone; with input charged as well it does."""
    gpu = GpuOffer("3.99")
    alone, both = serving.breakeven(gpu, "1.7"), serving.breakeven(gpu, "1.7", "0.6", 2)
    assert (alone.feasible, both.feasible) == (False, True)
    assert to_decimal(both.needed_m, 1) == to_decimal(Fraction("33.0"), 1)
    assert to_decimal(100 * both.required_utilization, 1) == to_decimal(Fraction("25.5"), 1)


def test_payback_of_a_loss_is_never() -> None:
    """And not a negative number of months."""
    saved = comparing.savings(Workload(1000, 800), TokenOffer(1, 1), TokenOffer(2, 2))
    assert comparing.payback_months(1, saved) is None


@pytest.mark.parametrize(
    ("kind", "inputs", "wanted"),
    [
        ("requests_for_spend",
         {"profile": {"requests": 1, "in_tok": 800, "out_tok": 400}, "provider": {"in_rate": 5, "out_rate": 30},
          "monthly_usd": 10_000}, {"requests": pytest.approx(554_885.4, abs=0.1)}),
        ("breakeven_spend", {"annual_cost_usd": 200_000, "savings_fraction": 0.8408},
         {"monthly_spend_usd": pytest.approx(19_822, abs=1)}),
        ("backfill_spend", {"budget_range_usd": [11_000, 13_000], "done": 0.58, "retry_share": 0.47},
         {"spend_range_usd": [pytest.approx(12_037.7, abs=0.1), pytest.approx(14_226.4, abs=0.1)]}),
        ("provider_upkeep", {"hours_per_provider": [1, 2], "providers": 2}, {"hours_range": [2, 4]}),
    ],
)  # fmt: skip
def test_kinds_whose_cases_are_elsewhere(kind: str, inputs: dict[str, Any], wanted: dict[str, Any]) -> None:
    """By the figures that the published corrections name."""
    assert outputs(kind, inputs) == wanted


def test_ends_of_tiers_belong_to_the_higher_one() -> None:
    """The essay does not say; spend above is strict where it says above."""
    assert [rules.stage(spend) for spend in (9_999, 10_000, 100_000, 1_000_000)] == [0, 1, 2, 3]
    assert rules.negotiation(24_999) == "list_price"
    assert rules.negotiation(25_000) == "committed_use"
    assert rules.volume_gate(10_000) == "marginal"
    assert rules.sourcing(130_000) == "serverless"
    assert rules.sourcing(0, 50_001, engineers=True) == "self_managed_dedicated"
    with pytest.raises(InvalidInputError, match="name each of"):
        rules.complexity({"workload_count": 1})
    with pytest.raises(InvalidInputError, match="is 1, 2 or 3"):
        rules.reverts(0, 1)
    with pytest.raises(InvalidInputError, match="is none of"):
        rules.red_flag("mood", 1)


def test_the_command_computes_and_explains() -> None:
    """As a table for people, as JSON for programs, with a clear error."""
    base = ["compute", "--requests", "500000", "--in-tok", "800"]
    told = CliRunner().invoke(command, [*base, "--in-rate", "5", "--out-rate", "30"])
    assert "loaded cost per success        $0.019137, 1.20 times the raw price" in told.output
    assert "together              $9,090.00" in told.output
    told = CliRunner().invoke(command, [*base, "--gpu-hourly", "3.99", "--json"])
    assert json.loads(told.output)["gpus"] == 1
    for more, message in (
        (["--in-rate", "5"], "say --in-rate and --out-rate"),
        (["--in-rate", "-1", "--out-rate", "1"], "cannot be negative"),
    ):
        told = CliRunner().invoke(command, [*base, *more])
        assert told.exit_code == 1
        assert message in told.output
