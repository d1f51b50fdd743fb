"""Costs of days and months from calls, caches and cascades: S1 to S10 of the formulas. Pure and exact."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from penstock.economics.exact import InvalidInputError, Number, amount, exact, positive, share
from penstock.economics.lcpr import MILLION, MONTH_DAYS


@dataclass(frozen=True)
class Spend:
    """Dollars a day, and what is saved in a month against a baseline, where there is one."""

    day_usd: Fraction
    baseline_month_usd: Fraction | None = None

    @property
    def month_usd(self) -> Fraction:
        """Thirty days."""
        return self.day_usd * MONTH_DAYS

    @property
    def saved_usd(self) -> Fraction | None:
        """In a month; None without a baseline."""
        return None if self.baseline_month_usd is None else self.baseline_month_usd - self.month_usd

    @property
    def saved_share(self) -> Fraction | None:
        """Of the baseline."""
        saved, before = self.saved_usd, self.baseline_month_usd
        return saved / before if saved is not None and before else None


def against(day_usd: Fraction, baseline_month_usd: Number | None) -> Spend:
    """A day's spend beside a month's baseline. Raises InvalidInputError."""
    if baseline_month_usd is None:
        return Spend(day_usd)
    return Spend(day_usd, amount("baseline_month", baseline_month_usd))


def call_usd(
    in_tok: Number, out_tok: Number, in_rate: Number, out_rate: Number,
    cached_tok: Number = 0, cached_rate: Number = 0,
) -> Fraction:  # fmt: skip
    """S1: one call, some of whose input is read from a cache. Raises InvalidInputError."""
    tokens, cached = amount("in_tok", in_tok), amount("cached_tok", cached_tok)
    if cached > tokens:
        raise InvalidInputError("cached_tok", "cannot be more than the input")
    plain = (tokens - cached) * amount("in_rate", in_rate)
    read = cached * amount("cached_rate", cached_rate)
    return (plain + read + amount("out_tok", out_tok) * amount("out_rate", out_rate)) / MILLION


def cascade_day(
    calls: Number, hit_rate: Number, cheap_share: Number, cheap_usd: Number, costly_usd: Number
) -> tuple[Fraction, Fraction]:
    """S3: dollars a day for the cheap and the costly model, behind a cache. Raises InvalidInputError."""
    asked = amount("calls_per_day", calls) * (1 - share("hit_rate", hit_rate))
    cheap = share("cheap_share", cheap_share)
    return asked * cheap * amount("cheap_usd", cheap_usd), asked * (1 - cheap) * amount(
        "costly_usd", costly_usd
    )


def conversations_day(conversations: Number, messages: Number, tokens: Number, usd_per_1k: Number) -> Fraction:
    """S6: dollars a day. Raises InvalidInputError."""
    said = amount("conversations", conversations) * amount("messages", messages) * amount("tokens", tokens)
    return said / 1000 * amount("usd_per_1k", usd_per_1k)


def discounted(rate: Number, discount: Number) -> Fraction:
    """S5, S9: a rate less a share of it. Raises InvalidInputError."""
    return amount("rate", rate) * (1 - share("discount", discount))


def reduction(before: Number, after: Number) -> Fraction:
    """S8: by what share something became less. Raises InvalidInputError."""
    return 1 - exact("after", after) / positive("before", before)


def backoff_s(attempt: int, base_s: Number) -> Fraction:
    """S8: seconds before the next try, doubling from `base_s`. Raises InvalidInputError."""
    return Fraction(2) ** (int(positive("attempt", attempt)) - 1) * amount("base_s", base_s)
