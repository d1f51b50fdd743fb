"""Comparing arms of an A/B route: exact sums, intervals, and when enough is known to stop.

Shares have Wilson's score interval (1927); a difference of shares has Newcombe's hybrid of the two (1998,
method 10). Both hold for one look. The stop rule may be asked at any time, as often as one likes: it rests on
asymptotic confidence sequences (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit
theory and asymptotic confidence sequences", 2021), one for each arm at half the error, so that the bounds of
the difference hold for all looks together. Quantiles have the interval between two order statistics, with ranks
of a binomial variable (David and Nagaraja, "Order Statistics", 2003, 7.1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import msgspec

from penstock.core.scores import Z_95, wilson

ALPHA = 0.05
# Where the confidence sequence is tightest; it holds everywhere.
TIGHTEST_AT = 1_000
# With fewer in an arm nothing is decided.
LEAST = 20
Decision = Literal["go on", "better", "worse", "no worse"]


class Tally:
    """What is known of one arm: exact integers, and every latency."""

    __slots__ = ("cost_nanousd", "cost_squares", "costs", "latencies_ms", "n", "scores", "successes")

    def __init__(self) -> None:
        self.n = 0
        self.successes = 0
        self.costs = 0
        self.cost_nanousd = 0
        self.cost_squares = 0
        self.latencies_ms: list[float] = []
        # By the name of a score: what was said of this arm's answers, each between 0 and 1.
        self.scores: dict[str, list[float]] = {}

    def judge(self, name: str, value: float) -> None:
        """One score of one answer."""
        self.scores.setdefault(name, []).append(value)

    def add(self, *, success: bool, cost_nanousd: int | None, total_ms: float | None) -> None:
        """One exchange; what has no price counts for everything but the cost."""
        self.n += 1
        self.successes += success
        if cost_nanousd is not None:
            self.costs += 1
            self.cost_nanousd += cost_nanousd
            self.cost_squares += cost_nanousd * cost_nanousd
        if success and total_ms is not None:
            self.latencies_ms.append(total_ms)


class Interval(msgspec.Struct, frozen=True):
    """A value between its bounds; None where there is too little to say."""

    value: float | None
    lower: float | None
    upper: float | None


NOTHING = Interval(None, None, None)


class Arm(msgspec.Struct, frozen=True):
    """One arm, as it is reported. Costs in dollars, times in milliseconds of successful answers."""

    name: str
    n: int
    success: Interval
    cost_usd_total: str
    cost_usd_mean: Interval
    cost_usd_per_success: float | None
    p50_ms: Interval
    p95_ms: Interval
    scores: dict[str, ScoredArm] = {}


class ScoredArm(msgspec.Struct, frozen=True):
    """The mean of an arm's `n` scores under one name."""

    n: int
    mean: Interval


class ScoreDifference(msgspec.Struct, frozen=True):
    """How an arm's scores differ from the first one's. `always`: bounds that hold at every look."""

    mean: Interval
    always: Interval
    decision: Decision


class Difference(msgspec.Struct, frozen=True):
    """An arm less the first one. `always`: bounds of the difference in success that hold at every look."""

    arm: str
    than: str
    success: Interval
    always: Interval
    cost_usd_mean: Interval
    decision: Decision
    scores: dict[str, ScoreDifference] = {}


def arm_of(name: str, tally: Tally) -> Arm:
    """The arm's numbers."""
    share = tally.successes / tally.n if tally.n else 0.0
    lower, upper = wilson(share, tally.n)
    latencies = sorted(tally.latencies_ms)
    usd = tally.cost_nanousd / 1e9
    return Arm(
        name,
        tally.n,
        Interval(share if tally.n else None, lower, upper),
        f"{tally.cost_nanousd // 10**9}.{tally.cost_nanousd % 10**9:09d}",
        mean_cost(tally),
        usd / tally.successes if tally.successes else None,
        quantile(latencies, 0.5),
        quantile(latencies, 0.95),
        {score: ScoredArm(len(values), mean_score(values)) for score, values in sorted(tally.scores.items())},
    )


def mean_score(values: Sequence[float]) -> Interval:
    """The mean of scores with its 95 % interval by the central limit theorem, in 0 to 1; of 2 at least."""
    n = len(values)
    if n < 2:
        return Interval(values[0], None, None) if values else NOTHING
    mean = math.fsum(values) / n
    half = Z_95 * math.sqrt(_spread(values) / n)
    return Interval(mean, max(0.0, mean - half), min(1.0, mean + half))


def score_difference(values: Sequence[float], base: Sequence[float], margin: float) -> ScoreDifference:
    """How one arm's scores differ from the first one's, and whether that is enough to stop."""
    if not values or not base:
        return ScoreDifference(NOTHING, NOTHING, "go on")
    less = math.fsum(values) / len(values) - math.fsum(base) / len(base)
    half = Z_95 * math.sqrt(_spread(values) / len(values) + _spread(base) / len(base))
    always = NOTHING
    if min(len(values), len(base)) >= LEAST:
        wide = _half(len(values), _spread(values)) + _half(len(base), _spread(base))
        always = Interval(less, less - wide, less + wide)
    return ScoreDifference(Interval(less, less - half, less + half), always, decide(always, margin))


def _spread(values: Sequence[float]) -> float:
    """The variance of scores in 0 to 1; never none, as of shares: two of each end are added."""
    n = len(values) + 4
    total, squares = math.fsum(values) + 2.0, math.fsum([value * value for value in values]) + 2.0
    return max(0.0, squares / n - (total / n) ** 2)


def mean_cost(tally: Tally) -> Interval:
    """The mean cost of a request in dollars, with its 95 % interval by the central limit theorem."""
    n = tally.costs
    if not n:
        return NOTHING
    mean = tally.cost_nanousd / n
    half = Z_95 * math.sqrt(_variance(tally) / n)
    return Interval(mean / 1e9, (mean - half) / 1e9, (mean + half) / 1e9)


def _variance(tally: Tally) -> float:
    """The variance of the costs, from exact sums: nothing is lost to cancellation."""
    n = tally.costs
    return (n * tally.cost_squares - tally.cost_nanousd**2) / (n * (n - 1)) if n > 1 else 0.0


def quantile(ordered: Sequence[float], share: float) -> Interval:
    """A quantile of ordered values, with a 95 % interval that holds whatever their distribution."""
    n = len(ordered)
    if not n:
        return NOTHING
    spread = Z_95 * math.sqrt(n * share * (1 - share))
    low, high = math.floor(n * share - spread), math.ceil(n * share + spread)
    value = ordered[min(n - 1, math.ceil(n * share) - 1)]
    return Interval(value, ordered[low - 1] if low >= 1 else None, ordered[high] if high < n else None)


def difference(name: str, tally: Tally, than: str, base: Tally, margin: float) -> Difference:
    """How an arm differs from the first one, and whether that is enough to stop."""
    success = newcombe(tally.successes, tally.n, base.successes, base.n)
    always = always_valid(tally, base)
    cost, base_cost = mean_cost(tally), mean_cost(base)
    dearer = NOTHING
    if cost.value is not None and base_cost.value is not None:
        half = Z_95 * math.sqrt(_variance(tally) / tally.costs + _variance(base) / base.costs) / 1e9
        less = cost.value - base_cost.value
        dearer = Interval(less, less - half, less + half)
    names = sorted({*tally.scores, *base.scores})
    scored = {
        each: score_difference(tally.scores.get(each, ()), base.scores.get(each, ()), margin) for each in names
    }
    return Difference(name, than, success, always, dearer, decide(always, margin), scored)


def decide(always: Interval, margin: float) -> Decision:
    """Stop as soon as the bounds that hold at every look say so."""
    if always.lower is None or always.upper is None:
        return "go on"
    if always.lower > 0:
        return "better"
    if always.upper < 0:
        return "worse"
    return "no worse" if always.lower > -margin else "go on"


def newcombe(successes: int, n: int, base_successes: int, base_n: int) -> Interval:
    """The difference of two shares, for one look."""
    if not n or not base_n:
        return NOTHING
    share, base = successes / n, base_successes / base_n
    low, high = wilson(share, n)
    base_low, base_high = wilson(base, base_n)
    less = share - base
    return Interval(
        less,
        less - math.hypot(share - low, base_high - base),
        less + math.hypot(high - share, base - base_low),
    )


def always_valid(tally: Tally, base: Tally) -> Interval:
    """The difference in success with bounds that hold at every look; wide open below 20 requests an arm."""
    if min(tally.n, base.n) < LEAST:
        return NOTHING
    less = tally.successes / tally.n - base.successes / base.n
    half = _half(tally.n, _variance_of_share(tally)) + _half(base.n, _variance_of_share(base))
    return Interval(less, less - half, less + half)


def _variance_of_share(tally: Tally) -> float:
    # A share that is seen to be 0 or 1 is not taken to have no spread (Agresti and Coull's two and two).
    share = (tally.successes + 2) / (tally.n + 4)
    return share * (1 - share)


def _half(n: int, variance: float) -> float:
    """Half the width of one arm's confidence sequence, at half the error."""
    alpha = ALPHA / 2
    rho = (-2 * math.log(alpha) + math.log(-2 * math.log(alpha)) + 1) / TIGHTEST_AT
    grown = n * rho + 1
    return math.sqrt(variance * 2 * grown / (n * n * rho) * math.log(math.sqrt(grown) / alpha))
