"""Two ways to serve the same workload: savings, splits, payback, sensitivity. F10 to F20; pure and exact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from penstock.economics.exact import InvalidInputError, Number, amount, exact, positive, share
from penstock.economics.lcpr import Offer, Workload, lcpr

WEEK_HOURS = 40


@dataclass(frozen=True)
class Savings:
    """Dollars in a month at present and after a change; negative savings are a loss."""

    current_usd: Fraction
    target_usd: Fraction

    @property
    def monthly_usd(self) -> Fraction:
        """F12."""
        return self.current_usd - self.target_usd

    @property
    def annual_usd(self) -> Fraction:
        """F12, over twelve months."""
        return 12 * self.monthly_usd

    @property
    def share(self) -> Fraction | None:
        """Of the present cost; None where that is nothing."""
        return self.monthly_usd / self.current_usd if self.current_usd else None


def savings(workload: Workload, current: Offer, target: Offer) -> Savings:
    """F12: what a move of the whole workload saves. Raises InvalidInputError."""
    return Savings(lcpr(workload, current).monthly_usd, lcpr(workload, target).monthly_usd)


def split(workload: Workload, baseline: Offer, parts: Sequence[tuple[Number, Offer]]) -> Savings:
    """F14: requests shared out among several stacks; each pays the engineering. Raises InvalidInputError."""
    combined = sum((lcpr(replace(workload, requests=n), offer).monthly_usd for n, offer in parts), Fraction())
    return Savings(lcpr(workload, baseline).monthly_usd, combined)


def migration_usd(weeks: Number, hourly_usd: Number, hours_per_week: Number = WEEK_HOURS) -> Fraction:
    """F13: what a migration costs. Raises InvalidInputError."""
    return amount("weeks", weeks) * amount("hours_per_week", hours_per_week) * amount("rate", hourly_usd)


def payback_months(investment_usd: Number, saved: Savings) -> Fraction | None:
    """F13: months until it is earned, counted from its end; None: never. Raises InvalidInputError."""
    cost = amount("investment_usd", investment_usd)
    return cost / saved.monthly_usd if saved.monthly_usd > 0 else None


def change(workload: Workload, offer: Offer, field: str, to: Number) -> Fraction:
    """F11: by what share LCPR changes where one input does. Raises InvalidInputError."""
    base = lcpr(workload, offer).lcpr_usd
    if hasattr(workload, field):
        new = lcpr(replace(workload, **{field: to}), offer).lcpr_usd
    elif hasattr(offer, field):
        new = lcpr(workload, replace(offer, **{field: to})).lcpr_usd
    else:
        raise InvalidInputError("vary", f"there is no input called {field!r}")
    if not base:
        raise InvalidInputError("vary", "what costs nothing cannot change by a share")
    return new / base - 1


def ratios(workload: Workload, a: Offer, b: Offer) -> tuple[Fraction, Fraction]:
    """F10: how many times as dear `a` is, loaded and raw. Raises InvalidInputError."""
    first, second = lcpr(workload, a), lcpr(workload, b)
    if not second.lcpr_usd or not second.raw_usd:
        raise InvalidInputError("b", "what costs nothing cannot be compared by a ratio")
    return first.lcpr_usd / second.lcpr_usd, first.raw_usd / second.raw_usd


def blended(parts: Sequence[tuple[Number, Number]]) -> Fraction:
    """F16: LCPR of parts by their shares of successful requests, which make 1. Raises InvalidInputError."""
    shares = [share("share", part) for _, part in parts]
    if abs(sum(shares, Fraction()) - 1) > Fraction(1, 1_000_000):
        raise InvalidInputError("share", f"shares must make 1, and make {float(sum(shares)):g}")
    costs = [amount("lcpr_usd", cost) for cost, _ in parts]
    return sum((cost * part for cost, part in zip(costs, shares, strict=True)), Fraction())


def cheaper(a: Number, b: Number) -> Fraction:
    """F20: by what share `a` is below `b`. Raises InvalidInputError."""
    return 1 - exact("a", a) / positive("b", b)


def metering_gap_usd(monthly_usd: Number, error: Number) -> Fraction:
    """F18: what an error of measurement is worth in a year. Raises InvalidInputError."""
    return amount("monthly_usd", monthly_usd) * amount("error", error) * 12


def spend_for_a_cost(annual_usd: Number, savings_share: Number) -> Fraction:
    """Monthly spend from which savings of this share earn a yearly cost. Raises InvalidInputError."""
    return amount("annual_cost_usd", annual_usd) / 12 / positive("savings_fraction", savings_share)
