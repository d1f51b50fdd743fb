"""Worked cases of the rules: gates, stages, signals, by kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from penstock.economics import rules

Inputs = Mapping[str, Any]
Outputs = dict[str, Any]


def _complexity(inputs: Inputs) -> Outputs:
    found = rules.complexity(inputs["scores"])
    return {"score": found.score, "tier": found.tier, "weeks": list(found.weeks)}


def _volume(inputs: Inputs) -> Outputs:
    verdict = rules.volume_gate(inputs["monthly_closed_api_spend_usd"])
    return {"verdict": verdict, "passes": verdict != "marginal"}


def _migrate(inputs: Inputs) -> Outputs:
    decision, by = rules.migrate(
        specialization=bool(inputs.get("specialization")), ownership=bool(inputs.get("ownership")),
        spend_usd=inputs.get("monthly_closed_api_spend_usd", 0),
    )  # fmt: skip
    return {"decision": decision, "by": by}


def _specialization(inputs: Inputs) -> Outputs:
    return {
        "passes": rules.specialization_gate(
            matches_frontier=bool(inputs.get("finetuned_matches_frontier")),
            chain_p99_ms=inputs.get("hard_p99_ms_on_chain"),
            model_changes=bool(inputs.get("model_level_changes")),
        )
    }


def _ownership(inputs: Inputs) -> Outputs:
    loss = inputs.get("outage_loss_pct_of_monthly_revenue")
    return {"passes": rules.ownership_gate(data_rule=bool(inputs.get("regulatory_data_rule")), outage_pct=loss)}


def _sourcing(inputs: Inputs) -> Outputs:
    tokens, gpus = inputs.get("sustained_output_tpm", 0), inputs.get("monthly_gpu_spend_usd", 0)
    return {"mode": rules.sourcing(tokens, gpus, engineers=bool(inputs.get("inference_engineers")))}


RULES: dict[str, Callable[[Inputs], Outputs]] = {
    "complexity": _complexity,
    "rule_volume_gate": _volume,
    "rule_specialization_gate": _specialization,
    "rule_ownership_gate": _ownership,
    "rule_migrate": _migrate,
    "rule_sourcing": _sourcing,
    "rule_stage": lambda i: {"stage": rules.stage(i["monthly_spend_usd"])},
    "rule_negotiation": lambda i: {"tier": rules.negotiation(i["monthly_spend_usd"])},
    "rule_revert": lambda i: {"revert": rules.reverts(i["stage"], i["value"], i.get("months", 1))},
    "rule_red_flag": lambda i: {"trigger": rules.red_flag(i["signal"], i["value"])},
}
