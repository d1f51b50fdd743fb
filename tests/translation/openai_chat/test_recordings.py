"""Every recorded exchange of OpenAI's chat API and its compatible vendors comes back as it was."""

from __future__ import annotations

import json
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, cast

import pytest

from penstock.core.chat import ReplyUsage
from penstock.core.events import UsageReported
from penstock.dialects.openai_chat.dialect import OpenaiChatDialect
from penstock.dialects.openai_completions.dialect import OpenaiCompletionsDialect
from penstock.ports.translation import ChatDialect, ChatProvider
from penstock.providers.openai_chat.api import OpenaiChatProvider
from penstock.providers.openai_chat.errors import read_error
from penstock.providers.openai_completions.api import OpenaiCompletionsProvider
from tests.translation.recordings import Exchange, exchanges
from tests.translation.replay import (
    Tally,
    reply_difference,
    request_difference,
    stream_difference,
    stream_events,
    wire_events,
)

_SIDES: dict[str, tuple[ChatDialect, ChatProvider, int]] = {
    "openai.chat": (OpenaiChatDialect(), OpenaiChatProvider(), 900),
    "openai.completions": (OpenaiCompletionsDialect(), OpenaiCompletionsProvider(), 25),
}
_APIS = pytest.mark.parametrize("api", list(_SIDES))


@_APIS
def test_a_recorded_request_is_equal_after_decoding_and_encoding(api: str) -> None:
    """What a client asked is what its own kind of vendor is asked, to the last field."""
    dialect, provider, least = _SIDES[api]
    tally = Tally()
    for exchange in exchanges(api):
        if exchange.as_sent and isinstance(exchange.request, dict) and not _untranslatable(exchange):
            tally.add(exchange, request_difference(exchange, dialect, provider))
    tally.check(least)


def _untranslatable(exchange: Exchange) -> bool:
    """Prompts that only a completions API can take; such requests never leave their own shape."""
    prompt: Any = exchange.request.get("prompt")
    items = cast("list[Any]", prompt) if isinstance(prompt, list) else ["one"]
    return len(items) != 1 or not isinstance(items[0], str)


@_APIS
def test_a_recorded_reply_is_equal_after_decoding_and_encoding(api: str) -> None:
    """What a vendor answered is what a client of the same shape gets, unknown fields included."""
    dialect, provider, least = _SIDES[api]
    tally = Tally()
    for exchange in exchanges(api):
        if exchange.status == 200 and not exchange.streaming and isinstance(exchange.json, dict):
            tally.add(exchange, reply_difference(exchange, dialect, provider))
    tally.check(least - 200 if least > 200 else least)


@_APIS
def test_a_recorded_stream_is_equal_event_for_event(api: str) -> None:
    """Each wire event comes out again, wherever the bytes of the stream were cut."""
    dialect, provider, _ = _SIDES[api]
    tally = Tally()
    for exchange in exchanges(api):
        if exchange.status == 200 and exchange.streaming:
            tally.add(exchange, stream_difference(exchange, dialect, provider))
    tally.check(7)


@_APIS
def test_usage_and_cost_are_what_the_vendor_reported(api: str) -> None:
    """Counts are equal to the token and costs to the nano-dollar, whole replies and streams."""
    _, provider, _ = _SIDES[api]
    tally = Tally()
    for exchange in exchanges(api):
        if exchange.status != 200:
            continue
        reported = _reported(exchange)
        if reported is not None:
            tally.add(exchange, _compare(reported, _read(exchange, provider)))
    tally.check(20)


def _reported(exchange: Exchange) -> dict[str, Any] | None:
    if not exchange.streaming:
        body: Any = exchange.json
        return cast("dict[str, Any]", body).get("usage") if isinstance(body, dict) else None
    found: dict[str, Any] | None = None
    for _, data in wire_events(exchange.body, exchange.id):
        if data.startswith(b"{"):
            chunk: dict[str, Any] = json.loads(data)
            groq: dict[str, Any] = chunk.get("x_groq") or {}
            usage: Any = chunk.get("usage") or groq.get("usage")
            found = cast("dict[str, Any]", usage) if isinstance(usage, dict) else found
    return found


def _read(exchange: Exchange, provider: ChatProvider) -> ReplyUsage | None:
    if not exchange.streaming:
        return provider.decode_reply(json.loads(json.dumps(exchange.json))).usage
    events = stream_events(exchange.body, exchange.id, provider)
    return next((event.usage for event in reversed(events) if isinstance(event, UsageReported)), None)


def _compare(said: dict[str, Any], usage: ReplyUsage | None) -> str:
    if usage is None:
        return "no usage"
    inside: dict[str, Any] = said.get("prompt_tokens_details") or {}
    outside: dict[str, Any] = said.get("completion_tokens_details") or {}
    given, made = said["prompt_tokens"], said.get("completion_tokens") or 0
    thought: int = outside.get("reasoning_tokens") or 0
    cached: int = inside.get("cached_tokens") or 0
    for name in ("prompt_cache_hit_tokens", "cached_tokens", "cache_read_input_tokens"):
        cached = cached or said.get(name) or 0
    # xAI's total tells of reasoning beside the completion; Vercel's and Azure's Grok a part above the whole.
    if said.get("total_tokens") == given + made + thought or thought > made:
        made += thought
    if cached > given or (cached and "audio_prompt_tokens" in said):
        given += cached
    counts = usage.counts
    seen = [counts.input_tokens, counts.output_tokens, counts.reasoning_tokens, counts.cache_read_tokens]
    if seen != [given, made, thought, cached]:
        return f"{seen} is not {[given, made, thought, cached]}"
    cost = said.get("cost")
    dollars: Any = cast("dict[str, Any]", cost)["total_cost"] if isinstance(cost, dict) else cost
    if "cost_in_usd_ticks" in said:
        dollars = Decimal(said["cost_in_usd_ticks"]) / 10**10
    if said.get("is_byok") is True:  # OpenRouter's fee; the vendor charges the customer's own key beside it
        dollars = Decimal(str(dollars)) + Decimal(str(said["cost_details"]["upstream_inference_cost"]))
    nanos = None
    if dollars is not None:
        nanos = int((Decimal(str(dollars)) * 10**9).to_integral_value(ROUND_HALF_UP))
    return "" if usage.cost_nanousd == nanos else f"cost {usage.cost_nanousd} is not {nanos}"


@_APIS
def test_recorded_errors_are_read(api: str) -> None:
    """Each error body gives its sentence, whichever vendor wrote it."""
    tally = Tally()
    for exchange in exchanges(api):
        if exchange.status >= 400:
            tally.add(exchange, "" if read_error(exchange.body).message else exchange.body[:200].decode())
    tally.check(1)
