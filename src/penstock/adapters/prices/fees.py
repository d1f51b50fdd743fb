"""Fees for vendors' own tools that the catalogue does not have, as their pages say them; the catalogue's win.

Each row has where it was read and when. A fee holds for every model of the vendor with a price for text whose
name matches: vendors do not charge by model for the use of a tool, except where the pattern says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from msgspec.structs import replace

from penstock.core.money import parse_usd
from penstock.core.rates import RateCard, Rates

_UNITS = 1_000_000


@dataclass(frozen=True, slots=True)
class Fee:
    """One row: dollars for each use of `unit` (a member of Rates) at a provider of the catalogue."""

    provider: str
    unit: str
    usd: str
    source: str
    read_on: str
    models: str = ""


_OPENAI = "https://developers.openai.com/api/docs/pricing"
_XAI = "https://docs.x.ai/developers/pricing.md"
_GOOGLE = "https://ai.google.dev/gemini-api/docs/pricing"
_OPENROUTER = "https://openrouter.ai/docs/features/web-search"
_DAY = "2026-11-21"
FEES = (
    # A container of the default size; larger ones cost more.
    Fee("openai", "code_session", "0.03", _OPENAI, _DAY, r"^(gpt-[4-9]|o[1-9])"),
    # Models that search for every answer, through chat completions.
    Fee("openai", "request", "0.025", _OPENAI, _DAY, r"^gpt-4o(-mini)?-search-preview"),
    Fee("openai", "request", "0.01", _OPENAI, _DAY, r"^gpt-5-search-api"),
    Fee("x-ai", "web_search", "0.005", _XAI, _DAY),
    Fee("x-ai", "code_session", "0.005", _XAI, _DAY),
    Fee("x-ai", "file_search", "0.0025", _XAI, _DAY),
    # Searches by the models' own vendors cost what they cost there; those of other models are not known.
    Fee(
        "openrouter",
        "web_search",
        "0.01",
        _OPENROUTER,
        _DAY,
        r"^(openai|anthropic)/",
    ),
    # Up to Gemini 2.5 an answer that was searched for is billed, not the queries.
    Fee("google", "grounded_answer", "0.035", _GOOGLE, _DAY, r"^gemini-(1|2)"),
    Fee("google", "web_search", "0.014", _GOOGLE, _DAY, r"^gemini-([3-9])"),
)


def with_fees(provider: str, model: str, card: RateCard) -> RateCard:
    """The card with the fees that it lacks; a card without a price for text is left alone."""
    if card.rates.input is None:
        return card
    for fee in FEES:
        if fee.provider == provider and re.match(fee.models, model) is not None:
            card = _filled(card, fee)
    return card


def _filled(card: RateCard, fee: Fee) -> RateCard:
    rate = parse_usd(fee.usd) * _UNITS
    rates = card.rates
    if fee.unit == "grounded_answer":  # the catalogue has this price as that of a search
        rates = replace(rates, web_search=None)
    if getattr(rates, fee.unit) is None:
        rates = replace(rates, **{fee.unit: rate})
    if fee.unit != "request":
        return replace(card, rates=rates)
    tiers = tuple(replace(tier, rates=_with(tier.rates, fee.unit, rate)) for tier in card.tiers)
    variants = tuple(replace(each, rates=_with(each.rates, fee.unit, rate)) for each in card.variants)
    return replace(card, rates=rates, tiers=tiers, variants=variants)


def _with(rates: Rates, unit: str, rate: int) -> Rates:
    return rates if getattr(rates, unit) is not None else replace(rates, **{unit: rate})
