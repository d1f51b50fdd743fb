"""Recorded exchanges with Mistral, behind a client of OpenAI's chat."""

from __future__ import annotations

import copy
from typing import Any

from penstock.core.assemble import assemble
from penstock.core.chat import ChatReply
from penstock.dialects.openai_chat.dialect import OpenaiChatDialect
from penstock.providers.mistral.api import MistralProvider
from penstock.providers.mistral.errors import read_error
from penstock.providers.openai_chat.api import OpenaiChatProvider
from tests.translation.recordings import Exchange, difference, exchanges
from tests.translation.replay import (
    ASKED,
    Tally,
    request_difference,
    stream_events,
    through,
    told,
    wire_events,
)

_CHAT, _CLIENT, _MISTRAL = OpenaiChatProvider(), OpenaiChatDialect(), MistralProvider()


def test_a_recorded_request_is_equal_after_decoding_and_encoding() -> None:
    """A client of Mistral's own SDK loses nothing on the way to Mistral."""
    tally = Tally()
    for exchange in exchanges("mistral.chat"):
        if exchange.as_sent and isinstance(exchange.request, dict):
            tally.add(exchange, request_difference(exchange, _CLIENT, _MISTRAL))
    tally.check(60)


def test_a_recorded_reply_says_the_same_to_a_client_of_openais_chat() -> None:
    """Text, thinking, tool calls, finish reason and usage are equal, read again from what the client gets."""
    tally = Tally()
    for exchange in exchanges("mistral.chat"):
        if exchange.status == 200 and "choices" in (exchange.json or {"choices": ()}):
            ours, theirs = _streamed(exchange) if exchange.streaming else _whole(exchange)
            tally.add(exchange, difference(told(ours), told(theirs)) or _marks(exchange, ours))
    tally.check(80)


def _whole(exchange: Exchange) -> tuple[ChatReply, ChatReply]:
    reply = _MISTRAL.decode_reply(copy.deepcopy(exchange.json))
    return reply, _CHAT.decode_reply(_CLIENT.encode_reply(reply, ASKED))


def _streamed(exchange: Exchange) -> tuple[ChatReply, ChatReply]:
    reply = assemble(stream_events(exchange.body, exchange.id, _MISTRAL))
    written = through(list(wire_events(exchange.body, exchange.id)), _MISTRAL, _CLIENT.stream(ASKED))
    decoder = _CHAT.stream()
    return reply, assemble([event for each in written for event in decoder.read(each.name, each.data).events])


def _marks(exchange: Exchange, reply: ChatReply) -> str:
    body: dict[str, Any] = exchange.json or {}
    usage: dict[str, Any] | None = body.get("usage")
    if usage is None or reply.usage is None:
        return ""
    counts = reply.usage.counts
    seen, said = (
        (counts.input_tokens, counts.output_tokens),
        (usage["prompt_tokens"], usage["completion_tokens"]),
    )
    return "" if seen == said else f"{seen} is not {said}"


def test_mistrals_error_bodies_are_read() -> None:
    """The three forms that Mistral documents give their sentences."""
    assert (
        read_error(b'{"object":"error","message":"no such model","type":"invalid_model","code":"1500"}').code
        == "1500"
    )
    assert read_error(b'{"message":"Unauthorized","request_id":"x"}').message == "Unauthorized"
    detail = b'{"detail":[{"loc":["body","temperature"],"msg":"too hot","type":"value_error"}]}'
    assert read_error(detail).message == "body.temperature: too hot"
