"""What recorded replies say that they cost: read exactly, and compared with our own prices by model."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from penstock.adapters.prices.cache import load_book
from penstock.core.price import cost_nanousd
from penstock.core.price_book import PriceBook
from penstock.core.usage import Usage
from penstock.providers.openai.stream import StreamReader
from penstock.providers.openai.usage import cost_of, usage_of_answer
from penstock.providers.vendors import VENDORS
from penstock.shapes.openai import decode_answer
from tests.translation.recordings import Exchange, exchanges

# Recorder's name → kind of ours; the date is about the youngest recording's.
_KINDS = {"openrouter": "openrouter", "vercel_gateway": "vercel", "xai": "xai", "perplexity": "perplexity"}
_NOW_MS = 1_788_000_000_000
_ENDPOINTS = {
    "openai.chat": "chat.completions",
    "openai.responses": "responses",
    "openai.embeddings": "embeddings",
    "openai.images": "images.generations",
    "openai.audio.transcriptions": "audio.transcriptions",
    "rerank": "rerank",
}
# Rounding of single replies stays far below this part of a model's sum.
_EQUAL = 0.001
EXPLAINED = Path(__file__).with_name("cost_differences.toml")


@dataclass(frozen=True)
class Billed:
    """One reply that carries a cost, in nano-dollars; `said` is read by `json` alone."""

    exchange: Exchange
    said: int
    read: int | None
    usage: Usage | None


@dataclass
class Sums:
    """One vendor's model: how many replies, and both sums in nano-dollars."""

    replies: int = 0
    ours: int = 0
    reported: int = 0

    @property
    def share(self) -> float:
        """By which part of ours the reported sum is larger."""
        return (self.reported - self.ours) / self.ours if self.ours else float("inf")


def _said(usage: dict[str, Any]) -> int | None:
    """A usage object's bill."""
    ticks = usage.get("cost_in_usd_ticks")
    if ticks is not None:
        return int((Decimal(ticks) / 10).to_integral_value(ROUND_HALF_UP))
    cost: Any = usage.get("cost")
    if isinstance(cost, dict):
        cost = cost["total_cost"]  # pyright: ignore[reportUnknownVariableType]
    if cost is None:
        return None
    details: dict[str, Any] = usage.get("cost_details") or {}
    behind: Any = details.get("upstream_inference_cost") if usage.get("is_byok") else None
    return _nanousd(cost) + _nanousd(behind or 0)


def _nanousd(usd: Any) -> int:
    return int((Decimal(str(usd)) * 10**9).to_integral_value(ROUND_HALF_UP))


def _bodies(exchange: Exchange) -> Iterator[dict[str, Any]]:
    if not exchange.streaming:
        yield exchange.json or {}
        return
    for line in exchange.body.splitlines():
        if line.startswith(b"data: {"):
            yield json.loads(line[6:])


def _usage(body: dict[str, Any]) -> dict[str, Any]:
    """The usage of a body or of the response in it."""
    inside: dict[str, Any] = body.get("response") or {}
    return body.get("usage") or inside.get("usage") or {}


def _read(exchange: Exchange) -> tuple[int | None, Usage | None]:
    """What a raw answer tells the gateway."""
    if not exchange.streaming:
        answer = decode_answer(exchange.body)
        return cost_of(answer.usage), usage_of_answer(answer, _ENDPOINTS[exchange.api])
    shape = "events" if exchange.api == "openai.responses" else "chunks"
    reader = StreamReader(shape, hide_usage=False)
    for event in exchange.body.replace(b"\r\n", b"\n").split(b"\n\n"):
        if event.strip():
            reader.read(event + b"\n\n")
    return reader.cost_nanousd, reader.usage


@pytest.fixture(scope="module")
def billed() -> list[Billed]:
    """Every recorded reply that carries a cost."""
    found: list[Billed] = []
    for exchange in exchanges(*_ENDPOINTS):
        told = [cost for body in _bodies(exchange) if (cost := _said(_usage(body))) is not None]
        if told:
            found.append(Billed(exchange, told[-1], *_read(exchange)))
    return found


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> PriceBook:
    """The installed catalogue."""
    return load_book(tmp_path_factory.mktemp("prices"))


def test_a_cost_that_a_reply_carries_is_read_to_the_nano_dollar(billed: list[Billed]) -> None:
    """Whole and streamed, as a number, an object or ticks."""
    wrong = [(each.exchange.id, each.said, each.read) for each in billed if each.read != each.said]
    assert not wrong
    assert len(billed) > 200


def test_our_costs_are_the_reported_ones_but_where_the_list_says_why(
    billed: list[Billed], book: PriceBook
) -> None:
    """The differences by model are those of cost_differences.toml, each with its reason, and no others."""
    listed: dict[str, dict[str, Any]] = tomllib.loads(EXPLAINED.read_text())
    assert all(each["why"] for each in listed.values())
    sums = by_model(billed, book)
    found = {name: round(line.share, 2) for name, line in sums.items() if abs(line.share) > _EQUAL}
    assert found == {name: each["share"] for name, each in listed.items()}
    equal = sum(line.replies for name, line in sums.items() if name not in found)
    assert equal > 100


def by_model(billed: list[Billed], book: PriceBook) -> dict[str, Sums]:
    """The sums of those that have a price of ours, by kind of provider and model."""
    sums: dict[str, Sums] = {}
    for each in billed:
        kind = _KINDS.get(each.exchange.provider)
        if kind is None or each.usage is None:
            continue
        row = VENDORS[kind]
        priced_as = row.price_id if row.price_id in book.providers else book.provider_for_url(row.base_url)
        if priced_as is None:
            continue
        card = book.find(priced_as, each.exchange.model, _NOW_MS)
        ours = cost_nanousd(card, each.usage) if card is not None else None
        if ours is not None:
            line = sums.setdefault(f"{kind}/{each.exchange.model}", Sums())
            line.replies += 1
            line.ours += ours
            line.reported += each.said
    return sums
