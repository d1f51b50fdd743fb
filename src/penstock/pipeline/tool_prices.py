"""What an answer costs in which a vendor's tools called other models: each model at its own price."""

from __future__ import annotations

from penstock.core.price import cost_nanousd
from penstock.core.rates import RateCard
from penstock.core.target import Target
from penstock.core.usage import InnerUse, Usage, own_part


def inner_card(target: Target, model: str) -> RateCard | None:
    """The price of a model that a tool calls at this target: the configured one, else the catalogue's."""
    card = target.card
    if card is not None and (rates := card.inner.get(model)) is not None:
        return RateCard(card.version, rates)
    return target.vendor_prices.find(model) if target.vendor_prices is not None else None


def cost_of(target: Target, usage: Usage, inner: tuple[InnerUse, ...], service_tier: str) -> int | None:
    """The cost of a usage in nano-dollars, of which other models have parts; None where one has no price."""
    if target.card is None:
        return None
    own = own_part(usage, inner) if inner else usage
    total = cost_nanousd(target.card, own, service_tier=service_tier)
    for each in inner:
        card = inner_card(target, each.model)
        cost = cost_nanousd(card, each.counts) if card is not None else None
        if cost is None or total is None:
            return None
        total += cost
    return total
