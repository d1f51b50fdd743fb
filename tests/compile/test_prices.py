"""Configured prices as cards."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from penstock.compile.targets import card_from
from penstock.config.document import Price, PriceTier
from penstock.core.rates import TOKEN_UNITS, UNITS, has_rates


@pytest.mark.parametrize("unit", UNITS)
def test_every_unit_is_a_key_of_a_price_and_has_an_effect(unit: str) -> None:
    """What a card can price, the configuration can name, and the card of such a price has that rate."""
    assert has_rates(card_from("d", msgspec.convert({unit: Decimal(3)}, Price)))


@pytest.mark.parametrize("unit", TOKEN_UNITS)
def test_every_token_unit_is_a_key_of_a_tier(unit: str) -> None:
    """A tier overrides the rate of each kind of token."""
    tier = msgspec.convert({"above_input": 10, unit: Decimal(7)}, PriceTier)
    card = card_from("d", Price(input=Decimal(1), tiers=(tier,)))
    assert getattr(card.tiers[0].rates, unit) == 7_000_000_000
