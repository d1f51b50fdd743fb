"""Failover drills: what is seen of the fallback and of the usual way, and when it is time to stop.

Shares are compared by Wilson's intervals, costs and times by Welch's on their logarithms, each at 95 %: one bad
answer is bad luck, three in four are not. Nothing is decided before there are a few of each.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

import msgspec

from penstock.core.scores import Z_95, wilson

# So many failures at least, so many answers with a cost or a time of each side, before any is held against it.
LEAST_BAD = 3
LEAST_MEASURED = 5
# What is taken for usual, at most, where too little is known of the usual way.
USUAL_BAD = 0.1
LEAST_USUAL = 10
# Where so many of the usual answers are of one kind, the fallback's should be, too.
ONE_KIND = 0.95
_NAMED = 3


@dataclass(frozen=True, slots=True)
class DrillRule:
    """One drill: `share` of those who ask are led to `target` first, others are looked at beside them."""

    id: str
    route: str
    target: str
    share: float
    for_s: float
    max_cost_ratio: float = 2.0
    max_slowdown: float = 3.0
    planned: bool = False


@dataclass(slots=True)
class Logs:
    """Positive numbers by their logarithms."""

    n: int = 0
    total: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> None:
        """Take one in; nothing of what is not positive."""
        if value > 0:
            log = math.log(value)
            self.n += 1
            self.total += log
            self.squares += log * log

    @property
    def mean(self) -> float:
        """Of the logarithms."""
        return self.total / self.n if self.n else 0.0

    @property
    def variance(self) -> float:
        """Of the logarithms, unbiased."""
        if self.n < 2:
            return 0.0
        return max(0.0, (self.squares - self.total * self.total / self.n) / (self.n - 1))


@dataclass(slots=True)
class Side:
    """What was seen of one side."""

    n: int = 0
    failed: int = 0
    broken: int = 0
    causes: Counter[str] = field(default_factory=Counter[str])
    faults: Counter[str] = field(default_factory=Counter[str])
    kinds: Counter[str] = field(default_factory=Counter[str])
    cost: Logs = field(default_factory=Logs)
    time: Logs = field(default_factory=Logs)
    cost_nanousd: int = 0
    unpriced: int = 0

    def answered(self, cost_nanousd: int | None, total_s: float) -> None:
        """An attempt that brought an answer."""
        self.n += 1
        self.time.add(total_s)
        if cost_nanousd is None:
            self.unpriced += 1
        else:
            self.cost_nanousd += cost_nanousd
            self.cost.add(float(cost_nanousd))

    def fail(self, cause: str, cost_nanousd: int | None) -> None:
        """An attempt that brought none."""
        self.n += 1
        self.failed += 1
        self.causes[cause or "unknown"] += 1
        self.cost_nanousd += cost_nanousd or 0

    def looked(self, kind: str, broken: str) -> None:
        """What an answer was made of."""
        self.kinds[kind] += 1
        if broken:
            self.broken += 1
            self.faults[broken] += 1


class SideReport(msgspec.Struct, frozen=True):
    """One side, as it is reported. Means are geometric; None where there is nothing."""

    n: int
    failed: int
    broken: int
    causes: dict[str, int]
    faults: dict[str, int]
    kinds: dict[str, int]
    cost_nanousd: int
    unpriced: int
    mean_cost_usd: float | None
    mean_ms: float | None


class DrillReport(msgspec.Struct, frozen=True):
    """What came of a drill. Ratios are the fallback's over the usual's: the value and its 95 % interval."""

    drilled: SideReport
    usual: SideReport
    cost_ratio: tuple[float, float, float] | None = None
    time_ratio: tuple[float, float, float] | None = None


def report_of(drilled: Side, usual: Side) -> DrillReport:
    """Everything that was seen."""
    return DrillReport(
        _side(drilled), _side(usual), ratio(drilled.cost, usual.cost), ratio(drilled.time, usual.time)
    )


def _side(side: Side) -> SideReport:
    return SideReport(
        side.n,
        side.failed,
        side.broken,
        dict(side.causes),
        dict(side.faults),
        dict(side.kinds),
        side.cost_nanousd,
        side.unpriced,
        math.exp(side.cost.mean) / 1e9 if side.cost.n else None,
        math.exp(side.time.mean) * 1e3 if side.time.n else None,
    )


def trouble(rule: DrillRule, drilled: Side, usual: Side) -> str:
    """Why the drill must stop, in words; empty where nothing speaks against it."""
    if _worse(drilled.failed, drilled.n, usual.failed, usual.n):
        causes = ", ".join([f"{cause} {n}" for cause, n in drilled.causes.most_common(_NAMED)])
        what = f"errors: {drilled.failed} of {drilled.n} requests failed there ({causes})"
        return f"{what}, {_beside(usual.failed, usual.n)}"
    seen, beside = sum(drilled.kinds.values()), sum(usual.kinds.values())
    if _worse(drilled.broken, seen, usual.broken, beside):
        fault = drilled.faults.most_common(1)[0][0]
        what = f"schema: {drilled.broken} of {seen} answers broke what was asked for ({fault})"
        return f"{what}, {_beside(usual.broken, beside)}"
    kind, odd = odd_ones(drilled, usual)
    if kind and _worse(odd, seen, beside - usual.kinds[kind], beside):
        other = next(name for name, _ in drilled.kinds.most_common() if name != kind)
        what = f"structure: {odd} of {seen} answers are no {kind} ({other})"
        return f"{what}, as {usual.kinds[kind]} of {beside} usual ones are"
    found = ratio(drilled.cost, usual.cost)
    if found is not None and found[1] > rule.max_cost_ratio:
        return f"cost: {_times(found)} the usual cost, at most {rule.max_cost_ratio:g} times was allowed"
    found = ratio(drilled.time, usual.time)
    if found is not None and found[1] > rule.max_slowdown:
        return f"latency: {_times(found)} the usual time, at most {rule.max_slowdown:g} times was allowed"
    return ""


def odd_ones(drilled: Side, usual: Side) -> tuple[str, int]:
    """The kind that nearly all usual answers are of, and how many of the fallback's are not; empty for none."""
    beside = sum(usual.kinds.values())
    if beside < LEAST_USUAL:
        return "", 0
    kind, count = usual.kinds.most_common(1)[0]
    if count < ONE_KIND * beside or kind in ("text", "empty", "refusal"):
        return "", 0  # a text may well be JSON by chance
    return kind, sum(drilled.kinds.values()) - drilled.kinds[kind]


def ratio(drilled: Logs, usual: Logs) -> tuple[float, float, float] | None:
    """How many times the usual, with its 95 % interval; None where too little is known of either."""
    if min(drilled.n, usual.n) < LEAST_MEASURED:
        return None
    one, two = drilled.variance / drilled.n, usual.variance / usual.n
    error = one + two
    freedom = error * error / (one * one / (drilled.n - 1) + two * two / (usual.n - 1)) if error > 0 else 1e9
    half = quantile_of_t(freedom) * math.sqrt(error)
    less = drilled.mean - usual.mean
    return math.exp(less), math.exp(less - half), math.exp(less + half)


def quantile_of_t(freedom: float) -> float:
    """The 97.5 % quantile of Student's t, by its expansion (Abramowitz and Stegun 26.7.5); from 3 on."""
    z, nu = Z_95, max(3.0, freedom)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / nu + second / nu**2 + third / nu**3


def _worse(bad: int, n: int, usual_bad: int, usual_n: int) -> bool:
    """Whether the share of bad ones is higher than usual for sure."""
    if bad < LEAST_BAD or not n:
        return False
    usual = wilson(usual_bad / usual_n, usual_n)[1] if usual_n >= LEAST_USUAL else USUAL_BAD
    return wilson(bad / n, n)[0] > usual


def _beside(bad: int, n: int) -> str:
    return f"usually {bad} of {n}"


def _times(found: tuple[float, float, float]) -> str:
    return f"{found[0]:.1f} times ({found[1]:.1f} to {found[2]:.1f})"
