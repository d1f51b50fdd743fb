"""Exact cost of a usage by a price card.

A cost is the exact sum of count times rate, multiplied by the card's factors and divided once, rounded half
up to the nano-dollar.

A part without its own rate costs what its whole costs: cache reads and writes, audio and images the input
rate; reasoning, audio and images of the answer the output rate; one-hour cache writes, which are a part of
the cache writes, the cache-write rate. Where a vendor's counts contradict each other (parts above their
whole), each part is charged and nothing is left of the whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from penstock.core.money import FACTOR_ONE, Number, parse_factor, parse_usd
from penstock.core.rates import STANDARD_TIERS, TEXT_UNITS, TOOL_UNITS, RateCard, Rates, Tier, Variant, overlaid
from penstock.core.usage import NO_USAGE, Usage

_UNITS: Final = 1_000_000
_HALF: Final = _UNITS // 2
_MS_PER_HOUR: Final = 3_600_000
# Rates, tiers, the product of the factors that apply, and the scale of that product.
_Terms = tuple[Rates, tuple[Tier, ...], int, int]


def cost_nanousd(card: RateCard, usage: Usage, *, batch: bool = False, service_tier: str = "") -> int | None:
    """What `usage` costs in nano-dollars, or None where it is unpriced.

    Unpriced: something was used, but none of it in a unit for which the card has a rate, or in a service
    tier that the card does not know; and where a vendor's own tool was used for which it has none. A usage of
    nothing at all (an attempt that failed before any work) costs 0.
    """
    rates, tiers, factor, scale = card.rates, card.tiers, card.region_factor, FACTOR_ONE
    if batch or service_tier:
        terms = _terms(card, batch, service_tier)
        if terms is None:
            return 0 if usage == NO_USAGE else None
        rates, tiers, factor, scale = terms
    if tiers:
        rates = _rates_at(rates, tiers, usage.input_tokens)
    total = _sum(rates, usage)
    if total is None and usage == NO_USAGE:
        return 0
    if usage.web_searches or usage.grounded_answers or usage.file_searches or usage.code_sessions:
        fees = tool_fees(card.rates, usage)
        if fees is None:
            return None
        if total is None and not usage.input_tokens and not usage.output_tokens:
            total = 0
        return _rounded(total, rates, usage.audio_ms, factor, scale, fees)
    return _rounded(total, rates, usage.audio_ms, factor, scale)


def tool_fees(rates: Rates, usage: Usage) -> int | None:
    """What the uses of a vendor's own tools cost, in nano-dollars per million; None where one has no rate.

    Vendors bill either the queries or the answers that were searched for: the other of the two has no rate.
    """
    total = 0
    if usage.web_searches or usage.grounded_answers:
        if rates.web_search is None and rates.grounded_answer is None:
            return None
        total += usage.web_searches * (rates.web_search or 0)
        total += usage.grounded_answers * (rates.grounded_answer or 0)
    if usage.file_searches:
        if rates.file_search is None:
            return None
        total += usage.file_searches * rates.file_search
    if usage.code_sessions:
        if rates.code_session is None:
            return None
        total += usage.code_sessions * rates.code_session
    return total


def worst_case_nanousd(
    card: RateCard,
    input_tokens: int,
    output_tokens: int,
    *,
    batch: bool = False,
    service_tier: str = "",
    cache_writes: bool = True,
    audio: bool = True,
    image_tokens: bool = True,
    images: int = 0,
    audio_ms: int = 0,
    characters: int = 0,
) -> int | None:
    """The most that a call with at most these counts can cost, in nano-dollars; None where it is unpriced.

    Every token is charged at the dearest rate that it may turn out to have, in the dearest tier within
    reach; `service_tier` is the one that the request asks for. Say False for what the request cannot
    contain, so that less is held back.
    """
    usage = Usage(input_tokens, output_tokens, requests=1, images=images, characters=characters)
    worst: int | None = None
    for rates, tiers, factor, scale in _possible(card, batch, service_tier):
        for each in (rates, *(tier.rates for tier in tiers if tier.above_input < input_tokens)):
            most = _dearest(each, cache_writes=cache_writes, audio=audio, image_tokens=image_tokens)
            cost = _rounded(_sum(most, usage), each, audio_ms, factor, scale)
            if cost is not None and (worst is None or cost > worst):
                worst = cost
    return worst


class Ceiling:
    """`worst_case_nanousd` of one card with its dearest rates worked out once, for every reservation.

    Covers what a text request can contain: input, cache reads and writes, output, reasoning; images by count.
    """

    __slots__ = ("_card", "_steps")

    def __init__(self, card: RateCard) -> None:
        self._card = card
        self._steps = _steps(card)

    def nanousd(
        self, input_tokens: int, output_tokens: int, images: int = 0, service_tier: str = ""
    ) -> int | None:
        """The most that so many tokens can cost; None where the card prices none of them."""
        if self._steps is not None and input_tokens and not service_tier:
            for above, most_in, most_out in self._steps:
                if input_tokens > above:
                    return (input_tokens * most_in + output_tokens * most_out + _HALF) // _UNITS
        return worst_case_nanousd(
            self._card,
            input_tokens,
            output_tokens,
            service_tier=service_tier,
            audio=False,
            image_tokens=False,
            images=images,
        )

    def media_nanousd(self, text_tokens: int, media: Usage, service_tier: str = "") -> int | None:
        """The most that a request for media can cost: its text, and what they count (`media`)."""
        return worst_case_nanousd(
            self._card,
            text_tokens + media.input_tokens,
            media.output_tokens,
            service_tier=service_tier,
            images=media.images,
            audio_ms=media.audio_ms,
            characters=media.characters,
        )


def _steps(card: RateCard) -> list[tuple[int, int, int]] | None:
    """From the highest tier down: the input above which it is within reach, and the dearest rates up to there.

    Holds for a request that names no service tier. None where rates of tokens do not say it all.
    """
    terms = _possible(card, batch=False, service_tier="")
    starts = sorted({-1, *(tier.above_input for _, tiers, _, _ in terms for tier in tiers)})
    within: list[tuple[int, int, int]] = []
    for start in starts:
        most_in = most_out = 0
        for rates, tiers, factor, scale in terms:
            for each in (rates, *(tier.rates for tier in tiers if tier.above_input <= start)):
                most = _dearest(each, cache_writes=True, audio=False, image_tokens=False)
                if most.input is None or most.output is None:
                    return None
                if (most.request, most.image, most.characters) != (None, None, None):
                    return None
                most_in = max(most_in, -(-most.input * factor // scale))
                most_out = max(most_out, -(-most.output * factor // scale))
        within.append((start, most_in, most_out))
    return within[::-1]


def rate_card(
    version: str,
    prices: Mapping[str, Number],
    *,
    tiers: Sequence[tuple[int, Mapping[str, Number]]] = (),
    batch: Number = 1,
    region_factor: Number = 1,
    service_tiers: Mapping[str, Number] | None = None,
    inner: Mapping[str, Mapping[str, Number]] | None = None,
) -> RateCard:
    """A card from prices as people write them (the configuration's keys).

    Token kinds and characters are $ per million, `request`, `per_image` and uses of tools $ each, `per_minute`
    $ per minute of audio; each tier is (above_input, prices). `inner` has the prices of models that the
    vendor's tools call.

    Raises:
        ValueError: a number that is no exact price, with the key that has it; an unknown key.
    """
    rates = _parse_rates(prices)
    ordered = sorted(tiers, key=lambda tier: tier[0])
    return RateCard(
        version=version,
        rates=rates,
        tiers=tuple(Tier(above, overlaid(rates, _parse_rates(each))) for above, each in ordered),
        batch=parse_factor(batch),
        region_factor=parse_factor(region_factor),
        service_tiers={name: parse_factor(each) for name, each in (service_tiers or {}).items()},
        inner={name: _parse_rates(each) for name, each in (inner or {}).items()},
    )


def _parse_rates(prices: Mapping[str, Number]) -> Rates:
    rates: dict[str, int] = {}
    for key, value in prices.items():
        try:
            amount = parse_usd(value)
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from None
        if key in TEXT_UNITS:
            rates[key] = amount
        elif key == "request":
            rates["request"] = amount * _UNITS
        elif key == "per_image":
            rates["image"] = amount * _UNITS
        elif key in TOOL_UNITS:
            rates[key.removeprefix("per_")] = amount * _UNITS
        elif key == "per_minute":
            rates["audio_hour"] = amount * 60 * _UNITS
        else:
            raise ValueError(f"{key}: no such price")
    return Rates(**rates)


def _sum(rates: Rates, usage: Usage) -> int | None:
    """The exact sum of count times rate without audio time; None where no unit of the card occurs."""
    total = 0
    priced = False
    if (
        usage.cache_read_tokens
        or usage.cache_write_tokens
        or usage.cache_write_1h_tokens
        or usage.audio_input_tokens
        or usage.image_input_tokens
    ):
        side = _input_parts(rates, usage)
        if side is not None:
            total, priced = side, True
    elif usage.input_tokens and rates.input is not None:
        total, priced = usage.input_tokens * rates.input, True
    if usage.reasoning_tokens or usage.audio_output_tokens or usage.image_output_tokens:
        side = _output_parts(rates, usage)
        if side is not None:
            total, priced = total + side, True
    elif usage.output_tokens and rates.output is not None:
        total, priced = total + usage.output_tokens * rates.output, True
    if usage.requests and rates.request is not None:
        total, priced = total + usage.requests * rates.request, True
    if usage.images and rates.image is not None:
        total, priced = total + usage.images * rates.image, True
    if usage.characters and rates.characters is not None:
        total, priced = total + usage.characters * rates.characters, True
    return total if priced else None


def _input_parts(rates: Rates, usage: Usage) -> int | None:
    write_rate = rates.cache_write if rates.cache_write is not None else rates.input
    hour = usage.cache_write_1h_tokens
    return _side(
        usage.input_tokens,
        rates.input,
        (
            (usage.cache_read_tokens, rates.cache_read),
            (max(0, usage.cache_write_tokens - hour), write_rate),
            (hour, rates.cache_write_1h if rates.cache_write_1h is not None else write_rate),
            (usage.audio_input_tokens, rates.audio_input),
            (usage.image_input_tokens, rates.image_input),
        ),
    )


def _output_parts(rates: Rates, usage: Usage) -> int | None:
    return _side(
        usage.output_tokens,
        rates.output,
        (
            (usage.reasoning_tokens, rates.reasoning),
            (usage.audio_output_tokens, rates.audio_output),
            (usage.image_output_tokens, rates.image_output),
        ),
    )


def _side(whole: int, whole_rate: int | None, parts: tuple[tuple[int, int | None], ...]) -> int | None:
    """The sum over the parts and what they leave of the whole; None where none of it has a rate."""
    total = 0
    priced = False
    for count, own_rate in parts:
        if count:
            whole -= count
            rate = own_rate if own_rate is not None else whole_rate
            if rate is not None:
                total, priced = total + count * rate, True
    if whole > 0 and whole_rate is not None:
        total, priced = total + whole * whole_rate, True
    return total if priced else None


def _rounded(
    total: int | None, rates: Rates, audio_ms: int, factor: int, scale: int, fees: int = 0
) -> int | None:
    """The one division: by the unit, the factors' scale and, with audio time, the milliseconds of an hour.

    `fees` are added as they are: no factor applies to them.
    """
    if audio_ms and rates.audio_hour is not None:
        total = (total or 0) * _MS_PER_HOUR + audio_ms * rates.audio_hour
        scale *= _MS_PER_HOUR
    if total is None:
        return None
    if factor == scale:
        return (total + fees + _HALF) // _UNITS
    divisor = _UNITS * scale
    return (2 * (total * factor + fees * scale) + divisor) // (2 * divisor)


def _terms(card: RateCard, batch: bool, service_tier: str) -> _Terms | None:
    """What holds for calls of this kind; None for a service tier that the card does not know."""
    variant = _variant(card, batch, service_tier) if batch or service_tier else None
    if variant is not None:
        return variant.rates, variant.tiers, card.region_factor, FACTOR_ONE
    factor, scale = card.region_factor, FACTOR_ONE
    if batch:
        factor, scale = factor * card.batch, scale * FACTOR_ONE
    if service_tier in card.service_tiers:
        factor, scale = factor * card.service_tiers[service_tier], scale * FACTOR_ONE
    elif service_tier not in STANDARD_TIERS:
        return None
    return card.rates, card.tiers, factor, scale


def _possible(card: RateCard, batch: bool, service_tier: str) -> list[_Terms]:
    """On what terms a request may be billed.

    Those it asks for, and the standard ones, to which vendors fall back; all of them where it leaves the
    choice to the vendor; none where the card does not know what it asks for.
    """
    names = [service_tier] if batch else ["", service_tier]
    if not batch and service_tier in {"", "auto"}:
        own = (each.service_tier for each in card.variants if not each.batch)
        names = ["", *card.service_tiers, *own]
    found = [_terms(card, batch, name) for name in dict.fromkeys(names)]
    return [] if None in found else [each for each in found if each is not None]


def _variant(card: RateCard, batch: bool, service_tier: str) -> Variant | None:
    for variant in card.variants:
        if variant.batch == batch and (batch or variant.service_tier == service_tier):
            return variant
    return None


def _rates_at(rates: Rates, tiers: tuple[Tier, ...], input_tokens: int) -> Rates:
    for tier in reversed(tiers):
        if input_tokens > tier.above_input:
            return tier.rates
    return rates


def _dearest(rates: Rates, *, cache_writes: bool, audio: bool, image_tokens: bool) -> Rates:
    """One input and one output rate, each the highest that a token of that side may turn out to have."""
    inputs = [rates.input, rates.cache_read]
    outputs = [rates.output, rates.reasoning]
    if cache_writes:
        inputs += [rates.cache_write, rates.cache_write_1h]
    if audio:
        inputs.append(rates.audio_input)
        outputs.append(rates.audio_output)
    if image_tokens:
        inputs.append(rates.image_input)
        outputs.append(rates.image_output)
    return Rates(
        input=max((rate for rate in inputs if rate is not None), default=None),
        output=max((rate for rate in outputs if rate is not None), default=None),
        request=rates.request,
        image=rates.image,
        characters=rates.characters,
    )
