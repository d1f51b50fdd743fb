"""Cost of a usage by a card, against a calculator that shares no code with it."""

from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import cache

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.adapters.prices.genai import compile_book
from penstock.core.price import Ceiling, cost_nanousd, rate_card, worst_case_nanousd
from penstock.core.price_book import PriceBook
from penstock.core.rates import RateCard
from penstock.core.usage import NO_USAGE, Usage

# What vendors call a call that is nothing special; every other tier has a price of its own or none.
STANDARD = ["", "auto", "default", "standard", "on_demand"]
TIERS = [*STANDARD, "flex", "priority", "fast", "no-such-tier"]
COUNT = st.integers(min_value=0, max_value=2_000_000)


FEW = st.just(0) | st.integers(0, 20)


@cache
def book() -> PriceBook:
    """The installed catalogue."""
    return compile_book()


@cache
def cards() -> list[RateCard]:
    """All its cards, past and present."""
    return [
        dated.card
        for provider in book().providers.values()
        for model in provider.models
        for dated in model.cards
    ]


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Counts whose parts fit into their wholes, as an honest vendor reports them."""
    parts_in = [draw(COUNT | st.just(0)) for _ in range(4)]
    hour = draw(st.integers(0, parts_in[1]))
    parts_out = [draw(COUNT | st.just(0)) for _ in range(3)]
    return Usage(
        input_tokens=sum(parts_in) + draw(COUNT),
        output_tokens=sum(parts_out) + draw(COUNT),
        cache_read_tokens=parts_in[0],
        cache_write_tokens=parts_in[1],
        cache_write_1h_tokens=hour,
        audio_input_tokens=parts_in[2],
        image_input_tokens=parts_in[3],
        reasoning_tokens=parts_out[0],
        audio_output_tokens=parts_out[1],
        image_output_tokens=parts_out[2],
        requests=draw(st.integers(0, 3)),
        images=draw(st.integers(0, 3)),
        audio_ms=draw(COUNT | st.just(0)),
        web_searches=draw(FEW),
        grounded_answers=draw(FEW),
        file_searches=draw(FEW),
        code_sessions=draw(FEW),
        characters=draw(COUNT | st.just(0)),
    )


def decimal_cost(card: RateCard, usage: Usage, *, batch: bool = False, tier: str = "") -> int | None:
    """The same sum in Decimal dollars, written from the definitions."""
    prices = dict(msgspec.structs.asdict(card.rates))
    steps = card.tiers
    factors = [card.region_factor]
    variant = next((v for v in card.variants if v.batch == batch and (batch or v.service_tier == tier)), None)
    if (batch or tier) and variant:
        prices, steps = dict(msgspec.structs.asdict(variant.rates)), variant.tiers
    else:
        factors += [card.batch] if batch else []
        if tier in card.service_tiers:
            factors.append(card.service_tiers[tier])
        elif tier not in STANDARD:
            return None
    for step in steps:
        if usage.input_tokens > step.above_input:
            prices = dict(msgspec.structs.asdict(step.rates))
    write = prices["cache_write"] if prices["cache_write"] is not None else prices["input"]
    lines = [
        (usage.cache_read_tokens, prices["cache_read"], prices["input"]),
        (usage.cache_write_tokens - usage.cache_write_1h_tokens, prices["cache_write"], prices["input"]),
        (usage.cache_write_1h_tokens, prices["cache_write_1h"], write),
        (usage.audio_input_tokens, prices["audio_input"], prices["input"]),
        (usage.image_input_tokens, prices["image_input"], prices["input"]),
        (usage.reasoning_tokens, prices["reasoning"], prices["output"]),
        (usage.audio_output_tokens, prices["audio_output"], prices["output"]),
        (usage.image_output_tokens, prices["image_output"], prices["output"]),
        (usage.requests, prices["request"], None),
        (usage.images, prices["image"], None),
        (usage.characters, prices["characters"], None),
    ]
    text_in = usage.input_tokens - sum(count for count, _, _ in lines[:5])
    text_out = usage.output_tokens - sum(count for count, _, _ in lines[5:8])
    lines += [(text_in, prices["input"], None), (text_out, prices["output"], None)]
    with localcontext() as context:
        context.prec = 80
        total, priced = Decimal(0), False
        for count, own, other in lines:
            price = own if own is not None else other
            if count and price is not None:
                total, priced = total + count * Decimal(price) / 10**6, True
        if usage.audio_ms and prices["audio_hour"] is not None:
            total += Decimal(usage.audio_ms) * prices["audio_hour"] / 10**6 / 3_600_000
            priced = True
        for factor in factors:
            total = total * factor / 10**6
        return with_fees(card, usage, total if priced else None)


def with_fees(card: RateCard, usage: Usage, total: Decimal | None) -> int | None:
    """The tokens' cost and the fees in whole nano-dollars; None where either has no price."""
    fees = decimal_fees(card, usage)
    uses = sum((usage.web_searches, usage.grounded_answers, usage.file_searches, usage.code_sessions))
    if total is None and uses and not (usage.input_tokens or usage.output_tokens):
        total = Decimal(0)
    if total is None or fees is None:
        return None
    with localcontext() as context:
        context.prec = 80
        # A value within a billionth of a nano-dollar of a half is a half that a division cut short.
        return int((total + fees + Decimal("1e-30")).to_integral_value(ROUND_HALF_UP))


def decimal_fees(card: RateCard, usage: Usage) -> Decimal | None:
    """What the uses of tools cost, in nano-dollars: no factor, no tier; None where one has no price."""
    rates = card.rates
    if (usage.web_searches or usage.grounded_answers) and (rates.web_search, rates.grounded_answer) == (
        None,
        None,
    ):
        return None
    lines = [
        (usage.web_searches, rates.web_search if rates.web_search is not None else Decimal(0)),
        (usage.grounded_answers, rates.grounded_answer if rates.grounded_answer is not None else Decimal(0)),
        (usage.file_searches, rates.file_search),
        (usage.code_sessions, rates.code_session),
    ]
    if any(count and fee is None for count, fee in lines):
        return None
    return sum((count * Decimal(fee) / 10**6 for count, fee in lines if fee is not None), Decimal(0))


def test_every_card_of_the_catalogue_is_exact_to_the_nano_dollar() -> None:
    """Each of the catalogue's cards prices a usage with every unit as the Decimal calculator does."""
    usage = Usage(457_123, 91_919, 100_001, 50_003, 20_001, 30_007, 1_003, 507, 11_003, 703, 1, 2, 61_003)
    searched = Usage(457_123, 91_919, 100_001, requests=1, web_searches=7, grounded_answers=1, characters=901)
    small = Usage(1_003, 57, 101, requests=1)
    assert len(cards()) > 2_000
    for card in cards():
        for each in (usage, small, searched):
            assert cost_nanousd(card, each) == decimal_cost(card, each), card.version
            assert cost_nanousd(card, each, batch=True) == decimal_cost(card, each, batch=True), card.version


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_usage_on_any_card_is_exact(data: st.DataObject) -> None:
    """Random usages on random cards, batch and tiers included, agree to the nano-dollar."""
    card = data.draw(st.sampled_from(cards()))
    usage = data.draw(usages())
    tier = data.draw(st.sampled_from(TIERS))
    batch = data.draw(st.booleans())
    expected = 0 if usage == NO_USAGE else decimal_cost(card, usage, batch=batch, tier=tier)
    assert cost_nanousd(card, usage, batch=batch, service_tier=tier) == expected


@settings(max_examples=200, deadline=None)
@given(usages(), st.integers(1, 2_000_000), st.integers(1, 2_000_000), st.sampled_from([0, 200_000]))
def test_factors_are_applied_before_the_one_rounding(usage: Usage, batch: int, region: int, above: int) -> None:
    """Region, batch and service tier multiply the exact sum; only the result is rounded."""
    card = msgspec.structs.replace(
        rate_card(
            "v", {"input": "0.0375", "output": 0.15, "per_minute": "0.006"}, tiers=[(above, {"input": 1})]
        ),
        batch=batch,
        region_factor=region,
        service_tiers={"flex": 333_333},
    )
    expected = 0 if usage == NO_USAGE else decimal_cost(card, usage, batch=True, tier="flex")
    assert cost_nanousd(card, usage, batch=True, service_tier="flex") == expected


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_usage_within_the_counts_costs_more_than_the_worst_case(data: st.DataObject) -> None:
    """A reservation covers whatever the tokens turn out to be."""
    card = data.draw(st.sampled_from(cards()))
    none = {"web_searches": 0, "grounded_answers": 0, "file_searches": 0, "code_sessions": 0}
    usage = msgspec.structs.replace(data.draw(usages()), requests=1, **none)
    worst = worst_case_nanousd(
        card,
        usage.input_tokens,
        usage.output_tokens,
        images=usage.images,
        audio_ms=usage.audio_ms,
        characters=usage.characters,
    )
    cost = cost_nanousd(card, usage)
    if cost is not None:
        assert worst is not None
        assert cost <= worst


@st.composite
def tiered_cards(draw: st.DrawFn) -> RateCard:
    """A card of the catalogue, or a configured one with factors for the region and for service tiers."""
    if draw(st.booleans()):
        return draw(st.sampled_from(cards()))
    factor = st.integers(1, 3_000_000)
    card = rate_card(
        "v",
        {"input": 3, "output": 15, "cache_read": "0.3", "cache_write": "3.75"},
        tiers=[(draw(st.sampled_from([0, 1_000, 200_000])), {"input": 6})],
    )
    names = st.sampled_from(["flex", "priority", "default"])
    return msgspec.structs.replace(
        card,
        region_factor=draw(st.just(1_000_000) | factor),
        service_tiers=draw(st.dictionaries(names, factor)),
    )


def may_be_billed(card: RateCard, asked: str) -> list[str]:
    """The tiers that a vendor may use for a request: the one asked for, its standard one, or any."""
    if asked in {"", "auto"}:
        return [*STANDARD, *card.service_tiers, *(each.service_tier for each in card.variants)]
    return [asked, ""]


@settings(max_examples=500, deadline=None)
@given(tiered_cards(), usages(), st.sampled_from(TIERS), st.data())
def test_whatever_tier_the_answer_names_costs_no_more_than_was_reserved(
    card: RateCard, usage: Usage, asked: str, data: st.DataObject
) -> None:
    """A reservation covers each tier that the vendor may choose, and leaves an unknown one unpriced."""
    usage = Usage(
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_tokens,
        usage.cache_write_tokens,
        usage.cache_write_1h_tokens,
        usage.reasoning_tokens,
        requests=1,
        images=usage.images,
    )
    billed = data.draw(st.sampled_from(may_be_billed(card, asked)))
    reserved = Ceiling(card).nanousd(usage.input_tokens, usage.output_tokens, usage.images, asked)
    cost = cost_nanousd(card, usage, service_tier=billed)
    if asked not in {*STANDARD, *card.service_tiers, *(each.service_tier for each in card.variants)}:
        assert reserved is None
    elif cost is not None:
        assert reserved is not None
        assert cost <= reserved


def test_a_tier_that_the_card_does_not_know_is_unpriced() -> None:
    """Neither a cost nor a reservation is made up for it; nothing used still costs nothing."""
    card = rate_card("v", {"input": 3, "output": 15}, service_tiers={"flex": "0.5"})
    usage = Usage(1_000, 100, requests=1)
    assert cost_nanousd(card, usage, service_tier="flex") == 2_250_000
    assert cost_nanousd(card, usage, service_tier="on_demand") == 4_500_000
    assert cost_nanousd(card, usage, service_tier="turbo") is None
    assert cost_nanousd(card, NO_USAGE, service_tier="turbo") == 0
    ceiling = Ceiling(card)
    assert ceiling.nanousd(1_000, 100, 0, "turbo") is None
    # Whoever asks for the cheap tier may be served in the standard one.
    assert ceiling.nanousd(1_000, 100, 0, "flex") == ceiling.nanousd(1_000, 100, 0, "default") == 4_500_000


def test_who_leaves_the_tier_to_the_vendor_reserves_the_dearest() -> None:
    """A project's own setting may put a plain request into the dearest tier."""
    card = rate_card("v", {"input": 3, "output": 15}, service_tiers={"flex": "0.5", "priority": 2})
    ceiling = Ceiling(card)
    assert ceiling.nanousd(1_000, 100) == ceiling.nanousd(1_000, 100, 0, "auto") == 9_000_000
    assert ceiling.nanousd(1_000, 100, 0, "priority") == 9_000_000
    assert ceiling.nanousd(1_000, 100, 0, "default") == 4_500_000


def test_a_card_none_of_whose_units_occur_leaves_the_usage_unpriced() -> None:
    """A price per image says nothing about tokens: None, not a silent zero."""
    card = rate_card("v", {"per_image": "0.04"})
    assert cost_nanousd(card, Usage(10, 5, requests=1)) is None
    assert worst_case_nanousd(card, 10, 5) is None
    assert cost_nanousd(card, Usage(10, 5, requests=1, images=2)) == 80_000_000


def test_a_free_model_costs_zero_and_nothing_used_costs_zero() -> None:
    """Zero is a price; so is the cost of an attempt that never did anything."""
    assert cost_nanousd(rate_card("v", {"input": 0, "output": 0}), Usage(10, 5)) == 0
    assert cost_nanousd(rate_card("v", {"input": 3}), NO_USAGE) == 0


def test_parts_without_a_rate_cost_what_their_whole_costs() -> None:
    """Cached and reasoning tokens are part of the totals, so a card without their rates ignores them."""
    card = rate_card("v", {"input": 3, "output": 15})
    assert cost_nanousd(card, Usage(1_000, 100, 400, 200, 100, 50)) == 4_500_000


def test_contradictory_counts_charge_every_part() -> None:
    """More cache reads than input tokens never make the rest negative."""
    card = rate_card("v", {"input": 3, "cache_read": "0.3"})
    assert cost_nanousd(card, Usage(input_tokens=10, cache_read_tokens=1_000)) == 300_000


def test_a_half_nano_dollar_rounds_up() -> None:
    """Rounding is half up, once."""
    assert cost_nanousd(rate_card("v", {"input": "0.000499999"}), Usage(input_tokens=1)) == 0
    assert cost_nanousd(rate_card("v", {"input": "0.0005"}), Usage(input_tokens=1)) == 1


def test_a_wrong_price_names_its_key() -> None:
    """The configuration's author reads which number is wrong."""
    with pytest.raises(ValueError, match="cache_read: 'abc' is not"):
        rate_card("v", {"cache_read": "abc"})
    with pytest.raises(ValueError, match="inptu: no such price"):
        rate_card("v", {"inptu": 1})
