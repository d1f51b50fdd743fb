"""Configured prices. A configured price wins over the catalogue."""

from __future__ import annotations

import msgspec

from penstock.config.document.fields import Count, Factor, Usd


class PriceTier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rates that hold for all tokens of a request whose input is longer than a threshold.

    Attributes:
        above_input: Input tokens above which the tier holds.
        input: Dollars per million input tokens.
        output: Dollars per million output tokens.
        cache_read: Dollars per million tokens read from the vendor's prompt cache.
        cache_write: Dollars per million tokens written to it.
        cache_write_1h: Dollars per million tokens written to it for an hour.
        reasoning: Dollars per million reasoning tokens.
        audio_input: Dollars per million audio input tokens.
        audio_output: Dollars per million audio output tokens.
        image_input: Dollars per million image input tokens.
        image_output: Dollars per million image output tokens.
    """

    above_input: Count
    input: Usd | None = None
    output: Usd | None = None
    cache_read: Usd | None = None
    cache_write: Usd | None = None
    cache_write_1h: Usd | None = None
    reasoning: Usd | None = None
    audio_input: Usd | None = None
    audio_output: Usd | None = None
    image_input: Usd | None = None
    image_output: Usd | None = None


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a deployment costs, in dollars per million tokens, then factors.

    A free model says `input: 0, output: 0`: a price without any unit is an error.

    Attributes:
        input: Dollars per million input tokens.
        output: Dollars per million output tokens.
        cache_read: Dollars per million tokens read from the vendor's prompt cache.
        cache_write: Dollars per million tokens written to it.
        cache_write_1h: Dollars per million tokens written to it for an hour.
        reasoning: Dollars per million reasoning tokens; without it they cost what output costs.
        audio_input: Dollars per million audio input tokens.
        audio_output: Dollars per million audio output tokens.
        image_input: Dollars per million image input tokens.
        image_output: Dollars per million image output tokens.
        request: Dollars per request.
        per_image: Dollars per generated image.
        per_minute: Dollars per minute of audio.
        tiers: Other rates for long inputs, in ascending order of `above_input`.
        batch: Factor for batch requests, such as 0.5.
        service_tier: Factor for each service tier of the vendor, such as `{flex: 0.5, priority: 2}`. A call in
            a tier that is not named here has no price; `default`, `standard` and `on_demand` need no factor.
        region_factor: Factor for the region of this deployment, such as 1.1.
    """

    input: Usd | None = None
    output: Usd | None = None
    cache_read: Usd | None = None
    cache_write: Usd | None = None
    cache_write_1h: Usd | None = None
    reasoning: Usd | None = None
    audio_input: Usd | None = None
    audio_output: Usd | None = None
    image_input: Usd | None = None
    image_output: Usd | None = None
    request: Usd | None = None
    per_image: Usd | None = None
    per_minute: Usd | None = None
    tiers: tuple[PriceTier, ...] = ()
    batch: Factor | None = None
    service_tier: dict[str, Factor] = {}
    region_factor: Factor | None = None
