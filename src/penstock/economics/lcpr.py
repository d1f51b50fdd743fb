"""Loaded Cost Per Request: what a successful answer costs with retries, repair and engineering in it.

Formulas F1 to F9 and their conventions are those of Sohail Mohammad's essay on inference economics (April
2026): a month has 30 days; retries multiply attempts linearly; repair is paid for original failures; the
denominator is successful requests; a dedicated GPU's bill does not grow with retries, but their number does.
Pure and exact.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil

from penstock.economics.exact import InvalidInputError, Number, amount, exact, positive, share

MONTH_DAYS = 30
MONTH_HOURS = 720
MONTH_SECONDS = 2_592_000
MILLION = 1_000_000
DEFAULT_RETRIES = Fraction(3, 100)
DEFAULT_PASS = Fraction(95, 100)
DEFAULT_REPAIR_USD = Fraction(2, 1000)
DEFAULT_HOURS, DEFAULT_WAGE_USD = 8, 100
DEFAULT_TOKENS_PER_S, DEFAULT_UTILIZATION = 1500, Fraction(4, 10)


@dataclass(frozen=True)
class Workload:
    """A month of requests and what each of them needs; numbers are checked, and kept as fractions.

    Attributes:
        requests: Original requests in a month, retries not counted.
        input_tokens: Tokens in a request.
        output_tokens: Tokens in an answer.
        retry_rate: Retries as a share of original requests; above 1 where each is tried more than twice.
        pass_rate: Share of requests whose answer passes the quality gate; above 0.
        repair_usd: What a request costs whose answer does not pass.
        eng_hours: Hours of engineering in a month.
        eng_usd: What an hour costs.
    """

    requests: Number
    input_tokens: Number
    output_tokens: Number = 400
    retry_rate: Number = DEFAULT_RETRIES
    pass_rate: Number = DEFAULT_PASS
    repair_usd: Number = DEFAULT_REPAIR_USD
    eng_hours: Number = DEFAULT_HOURS
    eng_usd: Number = DEFAULT_WAGE_USD

    def __post_init__(self) -> None:
        """Check. Raises InvalidInputError."""
        put = object.__setattr__
        put(self, "requests", positive("requests", self.requests))
        for name in ("input_tokens", "output_tokens", "retry_rate", "repair_usd", "eng_hours", "eng_usd"):
            put(self, name, amount(name, getattr(self, name)))
        put(self, "pass_rate", share("pass_rate", self.pass_rate))
        if not self.pass_rate:
            raise InvalidInputError("pass_rate", "must be above 0: without a success there is no cost of one")

    def of(self, name: str) -> Fraction:
        """A field as the fraction that it is."""
        return exact(name, getattr(self, name))


@dataclass(frozen=True)
class TokenOffer:
    """A price by tokens, in dollars per million.

    Attributes:
        input_rate: Of input.
        output_rate: Of output.
        cached_rate: Of input that is read from the vendor's cache; without it, `input_rate`.
        cached_share: Share of all input that is.
        batch_share: Share of requests that may wait for a batch.
        batch_factor: What a batch costs of the price; 0.5 is half.
    """

    input_rate: Number
    output_rate: Number
    cached_rate: Number | None = None
    cached_share: Number = 0
    batch_share: Number = 0
    batch_factor: Number = Fraction(1, 2)

    def raw(self, workload: Workload) -> Fraction:
        """F1: dollars for the tokens of one request. Raises InvalidInputError."""
        plain = amount("input_rate", self.input_rate)
        cached = plain if self.cached_rate is None else amount("cached_rate", self.cached_rate)
        hit = share("cached_share", self.cached_share)
        rate = (1 - hit) * plain + hit * cached
        output = amount("output_rate", self.output_rate)
        raw = (workload.of("input_tokens") * rate + workload.of("output_tokens") * output) / MILLION
        waits, factor = share("batch_share", self.batch_share), share("batch_factor", self.batch_factor)
        return raw * (1 - waits + waits * factor)


@dataclass(frozen=True)
class GpuOffer:
    """GPUs by the hour.

    Attributes:
        hourly_usd: Price of one GPU for an hour, used or not.
        tokens_per_s: Output tokens a second that one makes when it is busy.
        utilization: Share of the month in which it is.
        prefill: Output-equivalent tokens that a token of input displaces; 0: reading costs nothing.
        gpus: How many there are; without it, as many as the workload needs, at least one.
    """

    hourly_usd: Number
    tokens_per_s: Number = DEFAULT_TOKENS_PER_S
    utilization: Number = DEFAULT_UTILIZATION
    prefill: Number = 0
    gpus: int | None = None

    def needed(self, workload: Workload) -> int:
        """F8: GPUs that carry the workload, retries included. Raises InvalidInputError."""
        if self.gpus is not None:
            return int(positive("gpus", self.gpus))
        used = share("utilization", self.utilization)
        if not used:
            raise InvalidInputError("utilization", "must be above 0")
        attempts = workload.of("requests") * (1 + workload.of("retry_rate"))
        tokens = workload.of("output_tokens") + amount("prefill", self.prefill) * workload.of("input_tokens")
        capacity = positive("tokens_per_s", self.tokens_per_s) * used * MONTH_SECONDS
        return max(1, ceil(attempts * tokens / capacity))

    def monthly_usd(self, gpus: int) -> Fraction:
        """What so many cost in a month. Raises InvalidInputError."""
        return gpus * amount("hourly_usd", self.hourly_usd) * MONTH_HOURS


Offer = TokenOffer | GpuOffer


@dataclass(frozen=True)
class Lcpr:
    """What a workload costs, in dollars; a month unless it says otherwise.

    `raw_usd` is one request without retries, `lcpr_usd` one successful request with everything, `overhead`
    their ratio (None where tokens are free), `gpus` None for prices by tokens.
    """

    raw_usd: Fraction
    tokens_usd: Fraction
    repair_usd: Fraction
    engineering_usd: Fraction
    successes: Fraction
    gpus: int | None = None
    monthly_usd: Fraction = field(init=False)
    lcpr_usd: Fraction = field(init=False)

    def __post_init__(self) -> None:
        """F5 and F6."""
        monthly = self.tokens_usd + self.repair_usd + self.engineering_usd
        object.__setattr__(self, "monthly_usd", monthly)
        object.__setattr__(self, "lcpr_usd", monthly / self.successes)

    @property
    def overhead(self) -> Fraction | None:
        """F7: how many times the raw price a successful answer costs."""
        return self.lcpr_usd / self.raw_usd if self.raw_usd else None


def lcpr(workload: Workload, offer: Offer) -> Lcpr:
    """F1 to F9. Raises InvalidInputError."""
    requests = workload.of("requests")
    gpus: int | None = None
    if isinstance(offer, GpuOffer):
        gpus = offer.needed(workload)
        tokens = offer.monthly_usd(gpus)
        raw = tokens / requests
    else:
        raw = offer.raw(workload)
        tokens = raw * requests * (1 + workload.of("retry_rate"))
    passing = workload.of("pass_rate")
    return Lcpr(
        raw_usd=raw,
        tokens_usd=tokens,
        repair_usd=requests * (1 - passing) * workload.of("repair_usd"),
        engineering_usd=workload.of("eng_hours") * workload.of("eng_usd"),
        successes=requests * passing,
        gpus=gpus,
    )


def requests_for(monthly_usd: Number, workload: Workload, offer: TokenOffer) -> Fraction:
    """How many requests a month's money buys, engineering paid first. Raises InvalidInputError."""
    fixed = workload.of("eng_hours") * workload.of("eng_usd")
    each = offer.raw(workload) * (1 + workload.of("retry_rate"))
    each += (1 - workload.of("pass_rate")) * workload.of("repair_usd")
    left = amount("monthly_usd", monthly_usd) - fixed
    if left < 0 or not each:
        raise InvalidInputError("monthly_usd", "does not cover the engineering, or requests cost nothing")
    return left / each
