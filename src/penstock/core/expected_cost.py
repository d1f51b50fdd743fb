"""What a call is expected to cost at one price card, worked out beforehand as far as possible.

An estimate for choosing among targets, so it is a float; what is billed is always computed exactly
(core.price).
"""

from __future__ import annotations

import math

from penstock.core.money import FACTOR_ONE
from penstock.core.price import cost_nanousd
from penstock.core.rates import RateCard, Rates
from penstock.core.usage import Usage

BATCH_TIER = "batch"
_UNITS = 1_000_000


class ExpectedCost:
    """One card's rates for text, per token.

    Its steps go from the highest tier down: the input above which it holds, and the nano-dollars for one fresh
    and one cached token of input and one of output.
    """

    __slots__ = ("_card", "_per_call", "_steps")

    def __init__(self, card: RateCard) -> None:
        self._card = card
        factor = card.region_factor / FACTOR_ONE / _UNITS
        tiers = sorted(card.tiers, key=lambda tier: tier.above_input, reverse=True)
        self._steps = [(float(each.above_input), *_per_token(each.rates, factor)) for each in tiers]
        self._steps.append((-1.0, *_per_token(card.rates, factor)))
        self._per_call = (card.rates.request or 0) * factor

    def nanousd(
        self, tokens_in: float, tokens_out: float, cached_share: float, service_tier: str = ""
    ) -> float:
        """The expected cost in nano-dollars of so many tokens of input, of which that share is cached.

        `service_tier` is the one asked for; `batch` has the card's rate for batch calls. One that the card does
        not know costs what a standard call costs.
        """
        if service_tier:
            read = int(tokens_in * cached_share)
            usage = Usage(int(tokens_in), int(tokens_out), read, requests=1)
            batch = service_tier == BATCH_TIER
            exact = cost_nanousd(self._card, usage, batch=batch, service_tier="" if batch else service_tier)
            if exact is not None:
                return float(exact)
        for above, fresh, cached, out in self._steps:
            if tokens_in > above:
                rate_in = fresh + (cached - fresh) * cached_share
                return tokens_in * rate_in + tokens_out * out + self._per_call
        return self._per_call

    def lowest(self, cached_share: float) -> tuple[float, float, float, float]:
        """What holds for short requests, and up to how many tokens of input that is.

        Before that, the nano-dollars per token of input, per token of output and per call.
        """
        _, fresh, cached, out = self._steps[-1]
        most = self._steps[-2][0] if len(self._steps) > 1 else math.inf
        return fresh + (cached - fresh) * cached_share, out, self._per_call, most


def _per_token(rates: Rates, factor: float) -> tuple[float, float, float]:
    fresh = rates.input or 0
    cached = rates.cache_read if rates.cache_read is not None else fresh
    return fresh * factor, cached * factor, (rates.output or 0) * factor


def prices_text(card: RateCard | None) -> bool:
    """Whether the card has a price for tokens at all: without one nobody knows what a call costs."""
    return card is not None and (card.rates.input is not None or card.rates.output is not None)
