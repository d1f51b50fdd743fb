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


class InnerPrice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a model costs that a vendor's own tool calls, in dollars per million tokens.

    Attributes:
        input: Dollars per million input tokens.
        output: Dollars per million output tokens.
        cache_read: Dollars per million tokens read from the vendor's prompt cache.
        cache_write: Dollars per million tokens written to it.
        cache_write_1h: Dollars per million tokens written to it for an hour.
        reasoning: Dollars per million reasoning tokens.
        image_input: Dollars per million image input tokens.
        image_output: Dollars per million image output tokens.
        per_image: Dollars per generated image.
    """

    input: Usd | None = None
    output: Usd | None = None
    cache_read: Usd | None = None
    cache_write: Usd | None = None
    cache_write_1h: Usd | None = None
    reasoning: Usd | None = None
    image_input: Usd | None = None
    image_output: Usd | None = None
    per_image: Usd | None = None


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
        characters: Dollars per million characters of text that is spoken.
        per_web_search: Dollars for each web search of the vendor's own tool. No factor applies to such fees.
        per_grounded_answer: Dollars for each answer for which the vendor searched, where it bills those and not
            the searches (Google up to Gemini 2.5).
        per_file_search: Dollars for each search of files or collections by the vendor's own tool.
        per_code_session: Dollars for each sandbox in which the vendor ran code for an answer, or for each run
            where it bills those.
        inner: Prices of models that the vendor's tools call, by name: an advisor, a model that draws. Without
            one the catalogue's price of that model holds.
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
    characters: Usd | None = None
    per_web_search: Usd | None = None
    per_grounded_answer: Usd | None = None
    per_file_search: Usd | None = None
    per_code_session: Usd | None = None
    inner: dict[str, InnerPrice] = {}
    tiers: tuple[PriceTier, ...] = ()
    batch: Factor | None = None
    service_tier: dict[str, Factor] = {}
    region_factor: Factor | None = None
