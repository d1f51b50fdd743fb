"""Worked cases by kind: named inputs to named outputs, as `penstock lcpr case` reads and prints them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import prod
from typing import Any, cast

from penstock.economics import comparing, everyday, serving
from penstock.economics.case_rules import RULES
from penstock.economics.exact import InvalidInputError, amount, exact, positive, share
from penstock.economics.lcpr import (
    MILLION,
    MONTH_DAYS,
    MONTH_HOURS,
    GpuOffer,
    Offer,
    TokenOffer,
    Workload,
    lcpr,
)
from penstock.economics.lcpr import requests_for as requests_for_spend

Inputs = Mapping[str, Any]
Outputs = dict[str, Any]
Case = Callable[[Inputs], Outputs]


class UnknownKindError(ValueError):
    """There is no case of this kind."""


def outputs(kind: str, inputs: Inputs) -> Outputs:
    """What comes out of a case: numbers as floats. Raises UnknownKindError, InvalidInputError."""
    case = CASES.get(kind)
    if case is None:
        raise UnknownKindError(f"there is no kind {kind!r}; there are {', '.join(sorted(CASES))}")
    try:
        return {name: _plain(value) for name, value in case(inputs).items()}
    except KeyError as error:
        raise InvalidInputError(str(error.args[0]), "is missing") from None
    except ZeroDivisionError:
        raise InvalidInputError(kind, "divides by nothing") from None


def _plain(value: Any) -> Any:
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else float(value)
    if isinstance(value, list | tuple):
        return [_plain(each) for each in cast("list[Any]", value)]
    return value


def workload_of(inputs: Inputs) -> Workload:
    """The workload that a case's inputs, or its profile, describe. Raises InvalidInputError."""
    names = {
        "requests": "requests", "in_tok": "input_tokens", "out_tok": "output_tokens",
        "retry_rate": "retry_rate", "pass_rate": "pass_rate", "repair_usd": "repair_usd",
        "eng_hours": "eng_hours", "eng_rate": "eng_usd",
    }  # fmt: skip
    given = {field: inputs[name] for name, field in names.items() if name in inputs}
    return Workload(**{"requests": 1, "input_tokens": 0, **given})


def offer_of(inputs: Inputs) -> Offer:
    """The offer that inputs describe: GPUs where they have a price by the hour, else tokens."""
    if "gpu_hourly" in inputs:
        return _gpu(inputs)
    more = {name: inputs[name] for name in ("batch_share", "batch_factor") if name in inputs}
    return TokenOffer(
        inputs["in_rate"], inputs["out_rate"], inputs.get("cached_in_rate"), inputs.get("cache_hit", 0), **more
    )


def _gpu(inputs: Inputs) -> GpuOffer:
    names = {"gpu_tps": "tokens_per_s", "utilization": "utilization", "prefill": "prefill", "gpus": "gpus"}
    return GpuOffer(inputs["gpu_hourly"], **{to: inputs[name] for name, to in names.items() if name in inputs})


def _lcpr(inputs: Inputs) -> Outputs:
    found = lcpr(workload_of(inputs), offer_of(inputs))
    out: Outputs = {"raw_usd": found.raw_usd, "lcpr_usd": found.lcpr_usd, "monthly_usd": found.monthly_usd}
    out["overhead_ratio"] = found.overhead
    out["overhead_pct"] = None if found.overhead is None else 100 * (found.overhead - 1)
    if found.gpus is not None:
        out["gpus"] = found.gpus
    return out


def _ratio_of(inputs: Inputs) -> Outputs:
    profile, a, b = workload_of(inputs["profile"]), offer_of(inputs["a"]), offer_of(inputs["b"])
    loaded, raw = comparing.ratios(profile, a, b)
    first, second = lcpr(profile, a).lcpr_usd, lcpr(profile, b).lcpr_usd
    return {"lcpr_ratio": loaded, "raw_ratio": raw, "lcpr_a_usd": first, "lcpr_b_usd": second}


_VARIED = {
    "in_tok": "input_tokens", "out_tok": "output_tokens", "eng_rate": "eng_usd", "in_rate": "input_rate",
    "out_rate": "output_rate", "cache_hit": "cached_share", "cached_in_rate": "cached_rate",
    "gpu_hourly": "hourly_usd", "gpu_tps": "tokens_per_s",
}  # fmt: skip


def _change(inputs: Inputs, provider: Inputs, field: str, to: Any) -> Fraction:
    workload = workload_of(inputs["profile"])
    return 100 * comparing.change(workload, offer_of(provider), _VARIED.get(field, field), to)


def _savings(inputs: Inputs) -> Outputs:
    found = comparing.savings(
        workload_of(inputs["profile"]), offer_of(inputs["current"]), offer_of(inputs["target"])
    )
    return {
        "savings_usd": found.monthly_usd, "annual_usd": found.annual_usd,
        "current_usd": found.current_usd, "target_usd": found.target_usd,
    }  # fmt: skip


def _payback(inputs: Inputs) -> Outputs:
    found = comparing.savings(
        workload_of(inputs["profile"]), offer_of(inputs["current"]), offer_of(inputs["target"])
    )
    return {"payback_months": comparing.payback_months(inputs["investment_usd"], found)}


def _split(inputs: Inputs) -> Outputs:
    parts = [(part["requests"], offer_of(part)) for part in inputs["parts"]]
    found = comparing.split(workload_of(inputs["profile"]), offer_of(inputs["baseline"]), parts)
    return {
        "combined_usd": found.target_usd,
        "savings_usd": found.monthly_usd,
        "annual_usd": found.annual_usd,
    }


def _cached(inputs: Inputs) -> Offer:
    return offer_of(
        {**inputs["provider"], "cache_hit": inputs["cache_hit"], "cached_in_rate": inputs["cached_in_rate"]}
    )


def _cache_saving(inputs: Inputs) -> Outputs:
    workload = workload_of(inputs["profile"])
    found = comparing.savings(workload, offer_of(inputs["provider"]), _cached(inputs))
    return {
        "monthly_usd": found.target_usd, "savings_usd": found.monthly_usd,
        "savings_pct": None if found.share is None else 100 * found.share,
        "lcpr_usd": lcpr(workload, _cached(inputs)).lcpr_usd,
    }  # fmt: skip


def _breakeven(inputs: Inputs) -> Outputs:
    found = serving.breakeven(_gpu(inputs), inputs["out_rate"])
    used = share("utilization", inputs.get("utilization", _gpu(inputs).utilization))
    return {
        "breakeven_m_per_day": found.needed_m, "scaled_breakeven_m_per_day": found.needed_m / used,
        "effective_usd_per_m": found.effective_usd, "cost_vs_serverless": found.times_serverless,
        "required_util_pct": 100 * found.required_utilization, "hours_per_day": found.hours_per_day,
    }  # fmt: skip


def _gpu_month(inputs: Inputs) -> Outputs:
    hourly = amount("gpu_hourly", inputs["gpu_hourly"]) * positive("gpus", inputs.get("gpus", 1))
    return {"hourly_usd": hourly, "monthly_usd": hourly * MONTH_HOURS}


def _spend(spend: everyday.Spend) -> Outputs:
    saved = spend.saved_share
    return {
        "per_day_usd": spend.day_usd, "per_month_usd": spend.month_usd, "savings_usd": spend.saved_usd,
        "savings_pct": None if saved is None else 100 * saved,
    }  # fmt: skip


def _daily(inputs: Inputs) -> Outputs:
    call = everyday.call_usd(
        inputs["in_tok"], inputs["out_tok"], inputs["in_rate"], inputs["out_rate"],
        inputs.get("cached_tok", 0), inputs.get("cached_rate", 0),
    )  # fmt: skip
    day = call * amount("calls_per_day", inputs["calls_per_day"])
    return {"per_call_usd": call, **_spend(everyday.against(day, inputs.get("baseline_month")))}


def _cascade(inputs: Inputs) -> Outputs:
    names = ("calls_per_day", "hit_rate", "cheap_share", "cheap_usd", "costly_usd")
    cheap, costly = everyday.cascade_day(*[inputs[name] for name in names])
    spend = everyday.against(cheap + costly, inputs.get("baseline_month"))
    return {"cheap_day_usd": cheap, "costly_day_usd": costly, **_spend(spend)}


def _semantic(inputs: Inputs) -> Outputs:
    month = amount("monthly_usd", inputs["monthly_usd"]) * (1 - share("hit_rate", inputs["hit_rate"]))
    return _spend(everyday.against(month / MONTH_DAYS, inputs.get("baseline_month", inputs["monthly_usd"])))


def _routed(inputs: Inputs) -> Outputs:
    whole = sum((amount("parts_day_usd", each) for each in inputs["parts_day_usd"]), Fraction())
    saved = whole * share("cache_hit", inputs["cache_hit"])
    spend = everyday.against(whole - saved, inputs.get("baseline_month"))
    return {"cache_savings_day_usd": saved, **_spend(spend)}


def _conversations(inputs: Inputs) -> Outputs:
    names = ("conversations", "messages", "tokens", "usd_per_1k")
    return _spend(everyday.Spend(everyday.conversations_day(*[inputs[name] for name in names])))


def _range(name: str, value: Any) -> list[Fraction]:
    values = cast("list[Any]", value) if isinstance(value, list) else [value]
    return [amount(name, each) for each in values]


def _eng_range(inputs: Inputs) -> Outputs:
    hours, rate = _range("hours", inputs["hours"]), _range("rate", inputs["rate"])
    return {"monthly_range_usd": [hours[0] * rate[0], hours[-1] * rate[-1]]}


def _upkeep(inputs: Inputs) -> Outputs:
    count = amount("providers", inputs["providers"])
    return {
        "hours_range": [each * count for each in _range("hours_per_provider", inputs["hours_per_provider"])]
    }


def _backfill(inputs: Inputs) -> Outputs:
    times = serving.attempts_per_document(inputs["retry_share"])
    done = share("done", inputs["done"])
    return {"spend_range_usd": [each * done * times for each in _range("budget", inputs["budget_range_usd"])]}


def _remaining(inputs: Inputs) -> Outputs:
    left = 1 - share("done", inputs["done"])
    low, high = (each * left for each in _range("budget", inputs["budget_range_usd"]))
    return {"claim_inside": low <= exact("claimed_usd", inputs["claimed_usd"]) <= high}


def _spec(inputs: Inputs) -> Outputs:
    tokens = serving.speculative_tokens(inputs["alpha"], inputs["gamma"])
    return {"expected_tokens": tokens, "net_negative": tokens < positive("cost", inputs.get("cost", 1))}


def _stream(inputs: Inputs) -> Outputs:
    decode, total = serving.stream_seconds(inputs["tokens"], inputs["tok_per_s"], inputs.get("ttft_s", 0))
    return {"decode_s": decode, "total_s": total}


def _span(values: list[Fraction]) -> Outputs:
    return {"span": [min(values), max(values)]}


def _ratio(a: Any, b: Any) -> Fraction:
    return exact("a", a) / exact("b", b)


CASES: dict[str, Case] = {
    "token_lcpr": _lcpr,
    "dedicated_lcpr": _lcpr,
    "lcpr_ratio": _ratio_of,
    "lcpr_change": lambda i: {"change_pct": _change(i, i["provider"], i["vary"], i["to"])},
    "lcpr_change_max": lambda i: {
        "max_change_pct": max([_change(i, each, i["vary"], i["to"]) for each in i["providers"]])
    },
    "eng_change_pct": lambda i: {"change_pct": _change(i, i["provider"], "eng_hours", i["hours_to"])},
    "savings": _savings,
    "payback": _payback,
    "split_cost": _split,
    "cache_saving": _cache_saving,
    "cached_ratio": lambda i: {
        "ratio": comparing.ratios(workload_of(i["profile"]), _cached(i), offer_of(i["other"]))[0]
    },
    "predicted_invoice": lambda i: {
        "predicted_usd": lcpr(workload_of(i["profile"]), offer_of(i["provider"])).monthly_usd
    },
    "requests_for_spend": lambda i: {"requests": _requests(i)},
    "blended_lcpr": lambda i: {
        "lcpr_usd": comparing.blended([(part["lcpr_usd"], part["share"]) for part in i["parts"]])
    },
    "metering_gap": lambda i: {"annual_usd": comparing.metering_gap_usd(i["monthly_usd"], i["error"])},
    "migration_cost": lambda i: {
        "cost_usd": comparing.migration_usd(i["weeks"], i["rate"], i.get("hours_per_week", 40))
    },
    "breakeven_spend": lambda i: {
        "monthly_spend_usd": comparing.spend_for_a_cost(i["annual_cost_usd"], i["savings_fraction"])
    },
    "eng_overhead": lambda i: {
        "monthly_usd": amount("hours", i["hours"]) * amount("rate", i["rate"]),
        "per_request_usd": amount("hours", i["hours"]) * amount("rate", i["rate"])
        / positive("requests", i["requests"]),
    },
    "eng_overhead_range": _eng_range,
    "provider_upkeep": _upkeep,
    "pct_cheaper": lambda i: {"pct": 100 * comparing.cheaper(i["a"], i["b"])},
    "breakeven": _breakeven,
    "gpu_month": _gpu_month,
    "gpu_capacity": lambda i: {
        "m_tokens_per_day": serving.capacity_per_day(_gpu({"gpu_hourly": 0, **i})) / MILLION
    },
    "crossover_per_min": lambda i: {
        "tokens_per_min": serving.crossover_per_minute(i["gpu_hourly"], i["out_rate"], i.get("utilization", 1))
    },
    "requests_per_day": lambda i: {
        "requests": amount("m_tokens_per_day", i["m_tokens_per_day"]) * MILLION
        / positive("tokens_per_response", i["tokens_per_response"])
    },
    "tpm_to_monthly": lambda i: {"monthly_usd": serving.monthly_of_rate(i["tokens_per_min"], i["out_rate"])},
    "kv_cache": lambda i: {
        "gb": serving.kv_cache_bytes(
            i["layers"], i["heads"], i["head_dim"], i["seq_len"], i["precision_bytes"], i["batch"]
        ) / 10**9
    },
    "littles_law": lambda i: {"concurrent": serving.concurrency(i["arrival_per_s"], i["latency_s"])},
    "spec_decode": _spec,
    "workflow_failure": lambda i: {
        "failure_pct": 100 * serving.failing_workflows(i["per_call_failure"], i["calls"])
    },
    "chain_latency": lambda i: {
        "total_s": amount("per_call_s", i["per_call_s"]) * amount("calls", i["calls"])
    },
    "amdahl_cut": lambda i: {"max_cut_pct": 100 * serving.largest_cut(i["part_s"], i["total_s"])},
    "retry_multiplier": lambda i: {"multiplier": serving.attempts_per_document(i["retry_share_of_traffic"])},
    "backfill_spend": _backfill,
    "backfill_remaining": _remaining,
    "throughput_to_extra_cost": lambda i: {
        "extra_cost_pct": 100 * serving.cost_of_lost_throughput(i["throughput_ratio"]),
        "throughput_loss_pct": 100 * (1 - exact("throughput_ratio", i["throughput_ratio"])),
    },
    "itl_to_rate": lambda i: {"tok_per_s": 1000 / positive("itl_ms", i["itl_ms"])},
    "stream_time": _stream,
    "daily_cost": _daily,
    "semantic_cache": _semantic,
    "cascade": _cascade,
    "routed_cost": _routed,
    "conversation_cost": _conversations,
    "doc_cost": lambda i: {
        "usd": amount("tokens", i["tokens"]) * amount("rate_per_m", i["rate_per_m"]) / MILLION
    },
    "batch_discount": lambda i: {
        "in_rate": everyday.discounted(i["in_rate"], i["discount"]),
        "out_rate": everyday.discounted(i["out_rate"], i["discount"]),
    },
    "cached_rate": lambda i: {
        "rate": everyday.discounted(i["base_rate"], i["discount"]),
        "factor": 1 / (1 - share("discount", i["discount"])) if exact("discount", i["discount"]) != 1 else None,
    },
    "discount_from_rates": lambda i: {"discount_pct": 100 * everyday.reduction(i["base_rate"], i["cached"])},
    "reduction": lambda i: {"pct": 100 * everyday.reduction(i["before"], i["after"])},
    "backoff": lambda i: {"delay_s": everyday.backoff_s(i["attempt"], i["base_s"])},
    "weeks_to_months": lambda i: {"months": amount("weeks", i["weeks"]) * 12 / 52},
    "product": lambda i: {"product": prod([exact("items", each) for each in i["items"]])},
    "total": lambda i: {"total": sum([exact("items", each) for each in i["items"]])},
    "subtract": lambda i: {"difference": exact("a", i["a"]) - exact("b", i["b"])},
    "ratio": lambda i: {"ratio": _ratio(i["a"], i["b"])},
    "pct_of": lambda i: {"pct": 100 * _ratio(i["a"], i["b"])},
    "band": lambda i: _span([exact("values", each) for each in i["values"]]),
    "ratio_set": lambda i: _span([_ratio(high, low) for low, high in i["pairs"]]),
    **RULES,
}  # fmt: skip


def _requests(inputs: Inputs) -> Fraction:
    offer = offer_of(inputs["provider"])
    if not isinstance(offer, TokenOffer):
        raise InvalidInputError("provider", "must have prices by tokens")
    return requests_for_spend(inputs["monthly_usd"], workload_of(inputs["profile"]), offer)
