"""A price catalogue: which card holds for a provider's model at an instant. Plain data, so it can be stored.

Model names are matched by clauses, in order, without regard to case; the first model that matches wins.
Regular expressions come from the catalogue's authors, never from a client or a configuration.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

import msgspec

from penstock.core.rates import RateCard, has_rates

_MS_PER_DAY = 86_400_000
_COMPACT_DATE = re.compile(r"-(20\d{2})(\d{2})(\d{2})(?=-|:|$)")

ClauseKind = Literal["equals", "starts_with", "ends_with", "contains", "regex", "or", "and"]


class Clause(msgspec.Struct, frozen=True, array_like=True):
    """One test of a model's name; `text` is for the plain kinds (lower case), `parts` for `or` and `and`."""

    kind: ClauseKind
    text: str = ""
    parts: tuple[Clause, ...] = ()


class DatedCard(msgspec.Struct, frozen=True, array_like=True):
    """A card and when it holds: from `from_ms` on, within a daily span of UTC milliseconds if it has one."""

    card: RateCard
    from_ms: int = 0
    day_start_ms: int = 0
    day_end_ms: int = _MS_PER_DAY


class ModelPrices(msgspec.Struct, frozen=True, array_like=True):
    """The cards of one model. Later cards win over earlier ones; the first holds when no other does."""

    model: str
    match: Clause
    cards: tuple[DatedCard, ...]


class ProviderPrices(msgspec.Struct, frozen=True, array_like=True):
    """A provider's models, the providers whose models it resells, and the pattern of its base URLs."""

    api_pattern: str
    models: tuple[ModelPrices, ...]
    fallbacks: tuple[str, ...] = ()


class PriceBook(msgspec.Struct, frozen=True):
    """All providers of one catalogue version."""

    version: str
    providers: dict[str, ProviderPrices]

    def find(self, provider_id: str, model: str, now_ms: int) -> RateCard | None:
        """The card that holds for `model` at `now_ms`, or None where the catalogue has no price."""
        name = model.lower()
        found = self._match(provider_id, name)
        if found is None and (dashed := _COMPACT_DATE.sub(_dashed, name)) != name:
            found = self._match(provider_id, dashed)
        card = _card_at(found, now_ms) if found is not None else None
        return card if card is not None and has_rates(card) else None

    def provider_for_url(self, base_url: str) -> str | None:
        """The id of the provider that answers at `base_url`, or None for one that the catalogue lacks."""
        for provider_id, provider in self.providers.items():
            if re.match(provider.api_pattern, base_url):
                return provider_id
        return None

    def _match(self, provider_id: str, name: str) -> ModelPrices | None:
        provider = self.providers.get(provider_id)
        if provider is None:
            return None
        for each in (provider_id, *provider.fallbacks):
            for model in self.providers[each].models if each in self.providers else ():
                if matches(model.match, name):
                    return model
        return None


class VendorPrices:
    """The catalogue's cards of one provider's models, as they hold at one instant (Unix milliseconds)."""

    __slots__ = ("_book", "_now_ms", "_provider_id")

    def __init__(self, book: PriceBook, provider_id: str, now_ms: int) -> None:
        self._book = book
        self._provider_id = provider_id
        self._now_ms = now_ms

    def find(self, model: str) -> RateCard | None:
        """The card of a model, None where the catalogue has none."""
        return self._book.find(self._provider_id, model, self._now_ms)


def matches(clause: Clause, name: str) -> bool:
    """Whether a lower-case model name satisfies the clause."""
    match clause.kind:
        case "equals":
            return name == clause.text
        case "starts_with":
            return name.startswith(clause.text)
        case "ends_with":
            return name.endswith(clause.text)
        case "contains":
            return clause.text in name
        case "regex":
            return re.search(clause.text, name) is not None
        case "or":
            return any(matches(part, name) for part in clause.parts)
        case "and":
            return all(matches(part, name) for part in clause.parts)


def _card_at(model: ModelPrices, now_ms: int) -> RateCard | None:
    time_of_day = now_ms % _MS_PER_DAY
    for dated in reversed(model.cards):
        start, end = dated.day_start_ms, dated.day_end_ms
        within = start <= time_of_day < end if start <= end else not end <= time_of_day < start
        if now_ms >= dated.from_ms and within:
            return dated.card
    return model.cards[0].card if model.cards else None


def _dashed(found: re.Match[str]) -> str:
    """`-20251211` as `-2025-12-11`, which is how the catalogue writes dated names; no date, no change."""
    year, month, day = found.groups()
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return found.group()
    return f"-{year}-{month}-{day}"
