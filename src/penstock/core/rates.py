"""Price cards as plain data: the rates of one model, by unit, with the factors and variants of its calls.

Rates are integers of nano-dollars per million units, so that $0.0375 per million tokens is 37,500,000 and no
rate in use needs a fraction.
"""

from __future__ import annotations

import msgspec

from penstock.core.money import FACTOR_ONE

# What a price may name, as people write it: tokens and characters in $ per million, the others in $ each or $
# per minute. The order is that of the documentation.
TOKEN_UNITS = (
    "input",
    "output",
    "cache_read",
    "cache_write",
    "cache_write_1h",
    "reasoning",
    "audio_input",
    "audio_output",
    "image_input",
    "image_output",
)
TEXT_UNITS = (*TOKEN_UNITS, "characters")
# For each use of a vendor's own tools: in $ each, and no factor of a card applies to them.
TOOL_UNITS = ("per_web_search", "per_grounded_answer", "per_file_search", "per_code_session")
UNITS = (*TEXT_UNITS, "request", "per_image", "per_minute", *TOOL_UNITS)
# What vendors call the tier of a call that is nothing special; `auto` leaves the choice to them.
STANDARD_TIERS = frozenset({"", "auto", "default", "standard", "on_demand"})


class Rates(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """Nano-dollars per million of each unit; None where the card has no price for it (0 means free).

    `audio_hour` is per million hours of audio: an hourly price has no exact price per minute.
    """

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    cache_write_1h: int | None = None
    reasoning: int | None = None
    audio_input: int | None = None
    audio_output: int | None = None
    image_input: int | None = None
    image_output: int | None = None
    request: int | None = None
    image: int | None = None
    audio_hour: int | None = None
    characters: int | None = None
    web_search: int | None = None
    grounded_answer: int | None = None
    file_search: int | None = None
    code_session: int | None = None


class Tier(msgspec.Struct, frozen=True, array_like=True):
    """The complete rates of *all* tokens of a call with more than `above_input` input tokens."""

    above_input: int
    rates: Rates


class Variant(msgspec.Struct, frozen=True, array_like=True):
    """The complete rates of batch calls (`batch`) or of one service tier, where a factor cannot say them."""

    batch: bool
    service_tier: str
    rates: Rates
    tiers: tuple[Tier, ...] = ()


class RateCard(msgspec.Struct, frozen=True, array_like=True):
    """A dated, named price list of one model. Tiers ascend by `above_input`; factors are millionths.

    `region_factor` applies to every call made with this card, `batch` and `service_tiers` to the calls that
    say so, unless a variant has rates of its own for them. `inner`: the rates of models that the vendor's tools
    call, by name, where they are said here rather than in the catalogue.
    """

    version: str
    rates: Rates
    tiers: tuple[Tier, ...] = ()
    variants: tuple[Variant, ...] = ()
    batch: int = FACTOR_ONE
    region_factor: int = FACTOR_ONE
    service_tiers: dict[str, int] = {}
    inner: dict[str, Rates] = {}


def has_rates(card: RateCard) -> bool:
    """Whether the card can price anything at all."""
    return card.rates != Rates() or any(tier.rates != Rates() for tier in card.tiers)


def overlaid(base: Rates, override: Rates) -> Rates:
    """`override`, with the gaps filled from `base`: how a tier that names some rates becomes complete."""
    pairs = zip(msgspec.structs.astuple(base), msgspec.structs.astuple(override), strict=True)
    return Rates(*(under if own is None else own for under, own in pairs))
