"""The catalogue of the genai-prices package, compiled into a price book.

What its prices say in units that a usage does not count (pages, video) is left out; a model with nothing else
has no card, so its calls are unpriced rather than free. Fees that it lacks are added (prices/fees.py). Rates
that carry float noise beyond nine decimals are rounded to the nano-dollar per million.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from importlib import metadata
from typing import Any, cast

import msgspec

from penstock.adapters.prices.fees import with_fees
from penstock.core.money import round_usd
from penstock.core.price_book import Clause, DatedCard, ModelPrices, PriceBook, ProviderPrices
from penstock.core.rates import RateCard, Rates, Tier, Variant, overlaid

PACKAGE = "genai-prices"
_DAY_MS = 86_400_000
# Price key → (our unit, dollars-per-that-many-units to dollars per million).
_UNITS: dict[str, tuple[str, int]] = {
    "input_mtok": ("input", 1),
    "output_mtok": ("output", 1),
    "cache_read_mtok": ("cache_read", 1),
    "cache_write_mtok": ("cache_write", 1),
    "cache_write_1h_mtok": ("cache_write_1h", 1),
    "output_reasoning_mtok": ("reasoning", 1),
    "input_audio_mtok": ("audio_input", 1),
    "output_audio_mtok": ("audio_output", 1),
    "input_image_mtok": ("image_input", 1),
    "output_image_mtok": ("image_output", 1),
    "requests_kcount": ("request", 1_000),
    "audio_hours": ("audio_hour", 1_000_000),
    "input_audio_hours": ("audio_hour", 1_000_000),
    "input_mchars": ("characters", 1),
    "web_searches_kcount": ("web_search", 1_000),
    "storage_searches_kcount": ("file_search", 1_000),
}
_CLAUSES = ("starts_with", "ends_with", "contains", "regex", "equals")


def package_version() -> str:
    """The version of the installed catalogue, read without importing it."""
    return metadata.version(PACKAGE)


def compile_book() -> PriceBook:
    """The installed catalogue as a price book. Imports the package, which takes a fifth of a second."""
    from genai_prices.data import providers  # noqa: PLC0415 - only a stale cache pays for this import

    version = package_version()
    return PriceBook(
        version=version,
        providers={each.id: _provider(each, f"{PACKAGE}-{version}:{each.id}") for each in providers},
    )


def _provider(provider: Any, prefix: str) -> ProviderPrices:
    return ProviderPrices(
        api_pattern=provider.api_pattern,
        models=tuple(
            ModelPrices(
                model=model.id,
                match=_clause(model.match),
                cards=tuple(_dated_cards(model, f"{prefix}/{model.id}")),
            )
            for model in provider.models
        ),
        fallbacks=tuple(provider.fallback_model_providers or ()),
    )


def _clause(clause: Any) -> Clause:
    for kind in _CLAUSES:
        text = getattr(clause, kind, None)
        if text is not None:
            return Clause(kind, text if kind == "regex" else text.lower())
    if hasattr(clause, "or_"):
        return Clause("or", parts=tuple(_clause(each) for each in clause.or_))
    return Clause("and", parts=tuple(_clause(each) for each in clause.and_))


@dataclass(frozen=True, slots=True)
class _Span:
    """When a price holds."""

    from_ms: int = 0
    day_start_ms: int = 0
    day_end_ms: int = _DAY_MS


def _span(constraint: Any) -> _Span:
    if constraint is None:
        return _Span()
    if hasattr(constraint, "start_date"):
        return _Span(from_ms=_midnight_ms(constraint.start_date))
    return _Span(
        day_start_ms=_time_of_day_ms(constraint.start_time), day_end_ms=_time_of_day_ms(constraint.end_time)
    )


def _dated_cards(model: Any, name: str) -> Iterator[DatedCard]:
    """One card per price and, within it, per date on which one of its variants starts."""
    conditional = isinstance(model.prices, list)
    prices = cast("list[Any]", model.prices if conditional else [_Always(model.prices)])
    variants: list[Any] = list(model.price_variants or ())
    provider = name.split(":", 1)[1].split("/", 1)[0]
    starts = sorted({_span(each.constraint).from_ms for each in variants} - {0})
    for price in prices:
        span = _span(price.constraint)
        for from_ms in (span.from_ms, *(start for start in starts if start > span.from_ms)):
            active = [each for each in variants if _span(each.constraint).from_ms <= from_ms]
            card = with_fees(provider, model.id, _card(name, price.prices, active))
            yield DatedCard(card, from_ms, span.day_start_ms, span.day_end_ms)


@dataclass(frozen=True, slots=True)
class _Always:
    """An unconditional price in the shape of a conditional one."""

    prices: Any
    constraint: None = None


def _card(name: str, prices: Any, variants: Iterable[Any]) -> RateCard:
    standard = _price_items(prices)
    rates, tiers = _rates(standard)
    by_terms: dict[tuple[bool, str], dict[str, Any]] = {}
    for variant in variants:
        terms = _terms(variant.when)
        if terms is not None:
            override = by_terms.setdefault(terms, {})
            for key, value in _price_items(variant.prices).items():
                override.setdefault(key, value)
    compiled = tuple(
        Variant(batch, tier, *_rates(standard | override)) for (batch, tier), override in by_terms.items()
    )
    digest = hashlib.sha256(msgspec.msgpack.encode((rates, tiers, compiled))).hexdigest()[:8]
    return RateCard(version=f"{name}:{digest}", rates=rates, tiers=tiers, variants=compiled)


def _terms(when: dict[str, str]) -> tuple[bool, str] | None:
    """(batch, service tier) of a variant's condition; None for conditions that we do not know."""
    if when == {"processing": "batch"}:
        return True, ""
    if list(when) == ["service_tier"]:
        return False, when["service_tier"]
    return None


def _price_items(prices: Any) -> dict[str, Any]:
    items = cast("dict[str, Any]", prices.__dict__)
    return {key: value for key, value in items.items() if key in _UNITS and value is not None}


def _rates(items: dict[str, Any]) -> tuple[Rates, tuple[Tier, ...]]:
    base: dict[str, int] = {}
    at_start: dict[int, dict[str, int]] = {
        tier.start: {} for value in items.values() for tier in getattr(value, "tiers", ())
    }
    for key, value in items.items():
        unit, units = _UNITS[key]
        base[unit] = round_usd(getattr(value, "base", value) * units)
        for start, tier_rates in at_start.items():
            reached = [tier for tier in getattr(value, "tiers", ()) if tier.start <= start]
            if reached:
                tier_rates[unit] = round_usd(reached[-1].price * units)
    rates = Rates(**base)
    tiers = tuple(Tier(start, overlaid(rates, Rates(**at_start[start]))) for start in sorted(at_start))
    return rates, tiers


def _midnight_ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000


def _time_of_day_ms(value: time) -> int:
    moment = datetime.combine(date(2000, 1, 2), value if value.tzinfo else value.replace(tzinfo=UTC))
    return int(moment.timestamp() * 1_000) % _DAY_MS
