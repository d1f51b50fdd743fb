"""The rules of the essay on inference economics: gates, stages, signals. Every threshold has its source.

Part numbers are those of the essay (Sohail Mohammad, April 2026). `+` and "grows 3x" are inclusive there, ">"
and "exceeds" strict; where the essay does not say whether the end of a tier belongs to it, the higher tier
begins at its end. Thresholds are data: `Thresholds` may be made with others. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from penstock.economics.exact import InvalidInputError, Number, amount, exact

Verdict = Literal["marginal", "works_with_execution_risk", "strong"]
Mode = Literal["serverless", "managed_dedicated", "self_managed_dedicated"]
FACTORS = (
    "workload_count", "prompt_portability", "quality_infrastructure", "latency_sensitivity", "team_maturity",
    "integration_depth",
)  # fmt: skip


@dataclass(frozen=True)
class Thresholds:
    """What the rules compare with; dollars a month unless they say otherwise.

    Attributes:
        volume_usd: Closed-API spend above which volume justifies a move (Part 1, Gate 1).
        strong_usd: Above which it does strongly (Part 1, Gate 1).
        chain_p99_ms: A hard P99 on chained calls below this asks for specialisation (Part 1, Gate 2).
        outage_pct: Loss by one provider's outage, in per cent of monthly revenue, above which ownership
            asks for a move (Part 1, Gate 3).
        managed_tpm: Sustained output tokens a minute on one workload above which managed dedicated pays
            (Part 1, the decision flowchart).
        self_managed_usd: GPU spend above which self-managed pays, with engineers for it (the same).
        stages_usd: Where stages 1, 2 and 3 begin (Part 5).
        negotiation_usd: Where committed use, custom and strategic terms begin (Part 4).
        migration_overhead_pct: Of savings, above which stage 1 reverts to 0 (Part 5, the revert signals).
        utilization_pct: Below which for two consecutive months stage 2 reverts to 1 (the same).
        operations_pct: Of a team's time, above which stage 3 reverts to 2 (the same).
    """

    volume_usd: Number = 10_000
    strong_usd: Number = 50_000
    chain_p99_ms: Number = 500
    outage_pct: Number = 1
    managed_tpm: Number = 130_000
    self_managed_usd: Number = 50_000
    stages_usd: tuple[Number, Number, Number] = (10_000, 100_000, 1_000_000)
    negotiation_usd: tuple[Number, Number, Number] = (25_000, 100_000, 500_000)
    migration_overhead_pct: Number = 20
    utilization_pct: Number = 40
    operations_pct: Number = 50
    utilization_months: int = 2


DEFAULTS = Thresholds()


def volume_gate(spend_usd: Number, rules: Thresholds = DEFAULTS) -> Verdict:
    """How far volume alone justifies a move; only `marginal` does not. Raises InvalidInputError."""
    spend = amount("monthly_closed_api_spend_usd", spend_usd)
    if spend > exact("strong_usd", rules.strong_usd):
        return "strong"
    return "works_with_execution_risk" if spend > exact("volume_usd", rules.volume_usd) else "marginal"


def specialization_gate(
    *,
    matches_frontier: bool = False,
    chain_p99_ms: Number | None = None,
    model_changes: bool = False,
    rules: Thresholds = DEFAULTS,
) -> bool:
    """Whether a tuned model, a hard deadline on chains, or changes to the model ask for one's own."""
    tight = chain_p99_ms is not None and amount("hard_p99_ms_on_chain", chain_p99_ms) < exact(
        "chain_p99_ms", rules.chain_p99_ms
    )
    return matches_frontier or tight or model_changes


def ownership_gate(
    *, data_rule: bool = False, outage_pct: Number | None = None, rules: Thresholds = DEFAULTS
) -> bool:
    """Whether a rule about data, or what one provider's outage costs, asks for independence."""
    dear = outage_pct is not None and amount("outage_loss_pct_of_monthly_revenue", outage_pct) > exact(
        "outage_pct", rules.outage_pct
    )
    return data_rule or dear


def migrate(
    *, specialization: bool, ownership: bool, spend_usd: Number, rules: Thresholds = DEFAULTS
) -> tuple[Literal["migrate", "stay"], str]:
    """The first gate that asks for a move, in the essay's order; `none` where all say stay."""
    if specialization:
        return "migrate", "specialization"
    if ownership:
        return "migrate", "ownership"
    return ("migrate", "volume") if volume_gate(spend_usd, rules) != "marginal" else ("stay", "none")


def sourcing(
    tokens_per_min: Number = 0,
    gpu_usd: Number = 0,
    *,
    engineers: bool = False,
    rules: Thresholds = DEFAULTS,
) -> Mode:
    """Where open weights are served. Raises InvalidInputError."""
    if engineers and amount("monthly_gpu_spend_usd", gpu_usd) > exact(
        "self_managed_usd", rules.self_managed_usd
    ):
        return "self_managed_dedicated"
    sustained = amount("sustained_output_tpm", tokens_per_min)
    return "managed_dedicated" if sustained > exact("managed_tpm", rules.managed_tpm) else "serverless"


def stage(spend_usd: Number, rules: Thresholds = DEFAULTS) -> int:
    """The stage of the playbook, 0 to 3. Raises InvalidInputError."""
    spend = amount("monthly_spend_usd", spend_usd)
    return sum(spend >= exact("stages_usd", each) for each in rules.stages_usd)


def negotiation(spend_usd: Number, rules: Thresholds = DEFAULTS) -> str:
    """What terms a spend can ask for. Raises InvalidInputError."""
    spend = amount("monthly_spend_usd", spend_usd)
    reached = sum(spend >= exact("negotiation_usd", each) for each in rules.negotiation_usd)
    return ("list_price", "committed_use", "custom", "strategic")[reached]


def reverts(at_stage: int, value: Number, months: int = 1, rules: Thresholds = DEFAULTS) -> bool:
    """Whether a stage's signal says to go back; `value` in per cent. Raises InvalidInputError.

    Stage 1: overhead in per cent of savings. 2: utilisation, for `months` in a row. 3: time on operations.
    """
    found = amount("value", value)
    if at_stage == 1:
        return found > exact("migration_overhead_pct", rules.migration_overhead_pct)
    if at_stage == 2:
        low = found < exact("utilization_pct", rules.utilization_pct)
        return low and months >= rules.utilization_months
    if at_stage == 3:
        return found > exact("operations_pct", rules.operations_pct)
    raise InvalidInputError("stage", f"is 1, 2 or 3, and is {at_stage}")


# Part 5, red-flag triggers: the signal, its threshold, whether the threshold itself is a flag.
RED_FLAGS: Mapping[str, tuple[Number, bool]] = {
    "invoice_variance_pct": (10, False),
    "retry_increase_points_2wk": (5, True),
    "cache_hit_drop_points": (10, True),
    "pass_rate_drop_points": (5, True),
    "p99_breach_hours": (4, True),
    "fallback_share_pct": (20, False),
    "workload_growth_x_others_flat": (3, True),
}
EVENTS = frozenset({"model_version_changed", "model_version_change", "pricing_page_updated"})


def red_flag(signal: str, value: Number | bool) -> bool:
    """Whether a signal is a flag; events are flags when they have happened. Raises InvalidInputError."""
    if signal in EVENTS:
        return bool(value)
    if signal not in RED_FLAGS:
        raise InvalidInputError("signal", f"is none of {', '.join([*RED_FLAGS, *sorted(EVENTS)])}")
    threshold, inclusive = RED_FLAGS[signal]
    found, bound = exact("value", value), exact("threshold", threshold)
    return found >= bound if inclusive else found > bound


@dataclass(frozen=True)
class Complexity:
    """How hard a migration is, and the weeks that it takes."""

    score: int
    tier: Literal["Simple", "Standard", "Complex"]
    weeks: tuple[int, int]


def complexity(scores: Mapping[str, int]) -> Complexity:
    """Six factors from 1 to 3 (Part 1, assessing migration complexity). Raises InvalidInputError."""
    if set(scores) != set(FACTORS):
        raise InvalidInputError("scores", f"name each of {', '.join(FACTORS)} once")
    for name, score in scores.items():
        if score not in (1, 2, 3):
            raise InvalidInputError(f"scores.{name}", f"is 1, 2 or 3, and is {score}")
    total = sum(scores.values())
    if total <= 9:
        return Complexity(total, "Simple", (4, 6))
    return Complexity(total, "Standard", (8, 12)) if total <= 14 else Complexity(total, "Complex", (12, 20))


def percent(value: Fraction) -> Fraction:
    """A share in per cent."""
    return 100 * value
