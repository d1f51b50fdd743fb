"""Finding the card of a model, and agreement with the catalogue's own arithmetic."""

import random
import re
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import genai_prices
import pytest
from genai_prices.data import providers

from penstock.adapters.prices.cache import load_book, provider_for
from penstock.adapters.prices.fees import FEES
from penstock.core.price import cost_nanousd, rate_card
from penstock.core.price_book import Clause, DatedCard, ModelPrices, PriceBook, ProviderPrices, matches
from penstock.core.rates import RateCard
from penstock.core.usage import Usage


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> PriceBook:
    """The installed catalogue, through the cache."""
    return load_book(tmp_path_factory.mktemp("prices"))


def test_every_model_costs_what_the_catalogue_itself_says(book: PriceBook) -> None:
    """For text usages our integer cost is the package's Decimal cost, for each model at several instants."""
    rng = random.Random(7)
    compared = 0
    for provider in providers:
        for model in provider.models:
            when = datetime(2026, rng.randint(1, 12), 5, rng.randint(0, 23), 30, tzinfo=UTC)
            size = rng.choice([1_000, 150_000, 700_000])
            usage = Usage(size, size // 7, size // 3, size // 5, size // 10, size // 50, requests=1)
            theirs = genai_prices.Usage(
                input_tokens=usage.input_tokens,
                output_tokens=usage.output_tokens,
                cache_read_tokens=usage.cache_read_tokens,
                cache_write_tokens=usage.cache_write_tokens,
                cache_write_1h_tokens=usage.cache_write_1h_tokens,
                output_reasoning_tokens=usage.reasoning_tokens,
                **dict.fromkeys(_OTHER_UNITS, 0),
            )
            price = model.calc_price(theirs, provider, genai_request_timestamp=when)
            expected = int((price.total_price * 10**9).to_integral_value(ROUND_HALF_UP))
            card = _card_of(book, provider.id, model.id, int(when.timestamp() * 1000))
            expected += sum(
                int(Decimal(fee.usd) * 10**9)
                for fee in FEES
                if (fee.provider, fee.unit) == (provider.id, "request") and re.match(fee.models, model.id)
            )
            cost = cost_nanousd(card, usage) if card is not None else None
            if cost is not None:
                compared += 1
                # The package keeps float noise that we round away: a billionth of a dollar per million.
                assert abs(cost - expected) <= (2 if _noisy(price.model_price) else 0), model.id
    assert compared > 2_000


_OTHER_UNITS = (
    "input_audio_tokens",
    "cache_audio_read_tokens",
    "cache_image_read_tokens",
    "input_image_tokens",
    "output_audio_tokens",
    "output_image_tokens",
    "input_video_tokens",
    "output_video_tokens",
)


def _card_of(book: PriceBook, provider_id: str, model_id: str, now_ms: int) -> RateCard | None:
    model = next(each for each in book.providers[provider_id].models if each.model == model_id)
    alone = PriceBook("", {"p": ProviderPrices("", (ModelPrices("m", Clause("equals", "m"), model.cards),))})
    return alone.find("p", "m", now_ms)


def _noisy(prices: object) -> bool:
    values = [getattr(each, "base", each) for each in vars(prices).values() if each is not None]
    return any(
        each * 10**9 != (each * 10**9).to_integral_value() for each in values if isinstance(each, Decimal)
    )


@pytest.mark.parametrize(
    ("provider", "name"),
    [
        ("openai", "gpt-4o"),
        ("openai", "GPT-4o-mini-2024-07-18"),
        ("anthropic", "claude-sonnet-4-6"),
        ("anthropic", "claude-3-5-haiku-20241022"),
        ("azure", "gpt-4o"),
        ("google", "gemini-2.5-pro"),
        ("openai", "no-such-model"),
    ],
)
def test_names_resolve_as_in_the_catalogue(book: PriceBook, provider: str, name: str) -> None:
    """Clauses, resellers and compact dates find the model that the package finds."""
    theirs = next(each for each in providers if each.id == provider)
    expected = theirs.find_model(name, all_providers=providers)
    card = book.find(provider, name, 1_800_000_000_000)
    assert (card.version.split("/", 1)[1].rsplit(":", 1)[0] if card else None) == (
        expected.id if expected else None
    )


def test_the_version_names_catalogue_provider_model_and_contents(book: PriceBook) -> None:
    """A ledger row says exactly which price it was made with."""
    card = book.find("openai", "gpt-4o", 1_800_000_000_000)
    assert card is not None
    catalogue, model, digest = card.version.split(":")
    assert (catalogue, model, len(digest)) == (f"genai-prices-{book.version}", "openai/gpt-4o", 8)


def test_clauses_combine() -> None:
    """`or`, `and` and the five plain kinds mean what they say."""
    either = Clause("or", parts=(Clause("equals", "a"), Clause("ends_with", "-x")))
    both = Clause("and", parts=(Clause("starts_with", "gpt"), Clause("contains", "mini")))
    assert [matches(either, name) for name in ("a", "b-x", "b")] == [True, True, False]
    assert [matches(both, name) for name in ("gpt-4-mini", "gpt-4")] == [True, False]
    assert matches(Clause("regex", r"^o\d$"), "o3")


def test_prices_change_by_date_and_by_time_of_day() -> None:
    """The last card that holds wins; a span over midnight works; before all dates the first one holds."""
    day = 86_400_000
    old, new, night = (rate_card(name, {"input": 1}) for name in ("old", "new", "night"))
    cards = (
        DatedCard(old, from_ms=5 * day),
        DatedCard(new, from_ms=10 * day),
        DatedCard(night, from_ms=20 * day, day_start_ms=day - 1000, day_end_ms=1000),
    )
    book = PriceBook("", {"p": ProviderPrices("", (ModelPrices("m", Clause("equals", "m"), cards),))})
    found = [book.find("p", "m", at) for at in (0, 9 * day, 10 * day, 21 * day, 21 * day + 1000)]
    assert [card.version if card else None for card in found] == ["old", "old", "new", "night", "new"]


@pytest.mark.parametrize(
    ("kind", "base_url", "expected"),
    [
        ("openai", None, "openai"),
        ("openai", "https://api.openai.com/v1", "openai"),
        ("openai", "https://api.groq.com/openai/v1", "groq"),
        ("openai", "http://127.0.0.1:8000/v1", None),
        ("anthropic", None, "anthropic"),
        ("gemini", None, "google"),
        ("simulator", None, None),
    ],
)
def test_a_provider_is_known_by_its_url(
    book: PriceBook, kind: str, base_url: str | None, expected: str | None
) -> None:
    """A vendor's prices apply to the vendor's servers, not to a local one that speaks its API."""
    assert provider_for(book, kind, base_url) == expected


def test_the_compiled_book_is_kept_on_disk_and_a_broken_one_is_replaced(tmp_path: Path) -> None:
    """The second load reads the file; a file that cannot be decoded is compiled anew."""
    first = load_book(tmp_path)
    (kept,) = tmp_path.iterdir()
    assert load_book(tmp_path) == first
    kept.write_bytes(b"\xc1")
    assert load_book(tmp_path) == first
