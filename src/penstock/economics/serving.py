"""What GPUs can carry and when they pay: D1 to D16 of the formulas. Pure and exact.

Break-even by output alone (D2) makes dedicated GPUs look worse than they are, since vendors charge for input as
well; `Breakeven` shows both, and says when one GPU cannot make what breaking even needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from penstock.economics.exact import InvalidInputError, Number, amount, exact, positive, share
from penstock.economics.lcpr import MILLION, MONTH_DAYS, GpuOffer

DAY_SECONDS = 86_400
HOURS = 24


def capacity_per_day(gpu: GpuOffer) -> Fraction:
    """D1: output tokens a day of one GPU at its utilisation. Raises InvalidInputError."""
    return positive("gpu_tps", gpu.tokens_per_s) * share("utilization", gpu.utilization) * DAY_SECONDS


@dataclass(frozen=True)
class Breakeven:
    """When a GPU is as dear as a price by tokens; millions of output tokens a day, dollars per million.

    `needed_m`: what the GPU's day is worth at the vendor's price. `full_m`, `carried_m`: what it makes always
    busy, and at its utilisation. `effective_usd`: its price per million then.
    """

    needed_m: Fraction
    full_m: Fraction
    carried_m: Fraction
    effective_usd: Fraction
    price_usd: Fraction

    @property
    def required_utilization(self) -> Fraction:
        """D5: the share of the day in which it must be busy; above 1: it cannot be."""
        return self.needed_m / self.full_m

    @property
    def hours_per_day(self) -> Fraction:
        """D5, in hours."""
        return HOURS * self.required_utilization

    @property
    def feasible(self) -> bool:
        """D6: whether it pays at its utilisation."""
        return self.effective_usd < self.price_usd

    @property
    def times_serverless(self) -> Fraction:
        """How many times the vendor's price it costs at its utilisation."""
        return self.effective_usd / self.price_usd


def breakeven(
    gpu: GpuOffer, output_rate: Number, input_rate: Number = 0, input_per_output: Number = 0
) -> Breakeven:
    """D1 to D6; with `input_rate` and the tokens of input per token of output, on both charges.

    Raises InvalidInputError.
    """
    price = positive("out_rate", output_rate) + amount("in_rate", input_rate) * amount(
        "input_per_output", input_per_output
    )
    day = HOURS * amount("gpu_hourly", gpu.hourly_usd)
    carried = capacity_per_day(gpu) / MILLION
    if not carried:
        raise InvalidInputError("utilization", "must be above 0")
    full = positive("gpu_tps", gpu.tokens_per_s) * DAY_SECONDS / MILLION
    return Breakeven(day / price, full, carried, day / carried, price)


def crossover_per_minute(hourly_usd: Number, output_rate: Number, utilization: Number = 1) -> Fraction:
    """D8: output tokens a minute from which a GPU pays. Raises InvalidInputError."""
    hour = amount("gpu_hourly", hourly_usd) / positive("out_rate", output_rate) * MILLION
    return hour / 60 / positive("utilization", utilization)


def kv_cache_bytes(
    layers: Number, kv_heads: Number, head_dim: Number, tokens: Number, precision_bytes: Number, batch: Number
) -> Fraction:
    """D9: memory of keys and values; `kv_heads` are those of keys and values, fewer than those of queries."""
    names = ("layers", "heads", "head_dim", "seq_len", "precision_bytes", "batch")
    size = Fraction(2)
    for name, value in zip(names, (layers, kv_heads, head_dim, tokens, precision_bytes, batch), strict=True):
        size *= positive(name, value)
    return size


def concurrency(arrival_per_s: Number, latency_s: Number) -> Fraction:
    """D10, Little's law: requests under way. Raises InvalidInputError."""
    return amount("arrival_per_s", arrival_per_s) * amount("latency_s", latency_s)


def speculative_tokens(accepted: Number, drafted: int) -> Fraction:
    """D11: tokens a step where `drafted` are proposed and each is accepted with this probability."""
    alpha, gamma = share("alpha", accepted), int(positive("gamma", drafted))
    if alpha == 1:
        return Fraction(gamma + 1)
    return (1 - alpha ** (gamma + 1)) / (1 - alpha)


def failing_workflows(per_call: Number, calls: int) -> Fraction:
    """D12: the share of workflows in which at least one call fails. Raises InvalidInputError."""
    return 1 - (1 - share("per_call_failure", per_call)) ** int(positive("calls", calls))


def attempts_per_document(retry_share: Number) -> Fraction:
    """D15: requests for each document, where so much of all traffic is retries. Raises InvalidInputError."""
    found = share("retry_share_of_traffic", retry_share)
    if found == 1:
        raise InvalidInputError("retry_share_of_traffic", "must be below 1")
    return 1 / (1 - found)


def cost_of_lost_throughput(ratio: Number) -> Fraction:
    """D16: by what share the same work costs more at this share of the throughput. Raises InvalidInputError."""
    return 1 / positive("throughput_ratio", ratio) - 1


def stream_seconds(tokens: Number, tokens_per_s: Number, ttft_s: Number) -> tuple[Fraction, Fraction]:
    """S4: seconds of decoding, and of the whole answer. Raises InvalidInputError."""
    decode = amount("tokens", tokens) / positive("tok_per_s", tokens_per_s)
    return decode, decode + amount("ttft_s", ttft_s)


def monthly_of_rate(tokens_per_minute: Number, output_rate: Number) -> Fraction:
    """What a steady rate of output costs in a month. Raises InvalidInputError."""
    minutes = 60 * HOURS * MONTH_DAYS
    return amount("tokens_per_min", tokens_per_minute) * minutes * amount("out_rate", output_rate) / MILLION


def largest_cut(part: Number, whole: Number) -> Fraction:
    """D14: the largest share of the whole that making one part free can save. Raises InvalidInputError."""
    return exact("part_s", part) / positive("total_s", whole)
