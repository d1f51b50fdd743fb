"""Recorded answers of Cohere and of Ollama, told in each other's words, say the same."""

from __future__ import annotations

from typing import Any

from penstock.core.assemble import assemble
from penstock.core.chat import ChatReply, ChatRequest, FinishReason
from penstock.core.events import Event, Frame
from penstock.core.parts import Extras, Text, Thinking, ToolCall
from penstock.dialects.cohere.dialect import CohereDialect
from penstock.dialects.ollama.dialect import OllamaDialect
from penstock.ports.translation import Asked
from penstock.providers.cohere.api import CohereProvider
from penstock.providers.ollama.api import OllamaProvider
from penstock.shapes.ollama.calls import object_of
from penstock.wire.ndjson import NdjsonDecoder, text_of
from penstock.wire.sse import SseDecoder, data_of
from tests.translation.recordings import Exchange, exchanges

ASKED = Asked(ChatRequest(model="m"), "m", "r", 1)
COHERE = (CohereProvider(), CohereDialect())
OLLAMA = (OllamaProvider(), OllamaDialect())
# Words that the other has nothing for.
SAME: dict[FinishReason | None, FinishReason] = {"stop_sequence": "stop", "other": "stop", None: "stop"}


def said(reply: ChatReply) -> tuple[Any, ...]:
    """What matters to whoever reads the answer."""
    (choice,) = reply.choices
    text = "".join([part.text for part in choice.parts if isinstance(part, Text)])
    thinking = "".join([part.text for part in choice.parts if isinstance(part, Thinking)])
    calls = [
        (part.id, part.name, object_of(part.arguments)) for part in choice.parts if isinstance(part, ToolCall)
    ]
    counts = reply.usage.counts if reply.usage is not None else None
    usage = (counts.input_tokens, counts.output_tokens) if counts is not None else None
    return text, thinking, calls, SAME.get(choice.finish, choice.finish), usage


def events_of(each: Exchange) -> list[Frame]:
    """A recorded stream, decoded."""
    if each.api == "cohere.chat_v2":
        decoder = CohereProvider().stream()
        return [decoder.read("", data_of(event)) for event in SseDecoder().feed(each.body)]
    lines = NdjsonDecoder()
    reader = OllamaProvider().stream()
    return [reader.read("", text_of(line)) for line in lines.feed(each.body) + lines.finish()]


def test_each_says_the_same_in_the_others_words() -> None:
    """Text, thinking, calls, reason and counts survive the other's shape, whole and streamed."""
    count = 0
    for each in exchanges("cohere.chat_v2", "ollama.chat"):
        own, (provider, dialect) = (COHERE, OLLAMA) if each.api == "cohere.chat_v2" else (OLLAMA, COHERE)
        if each.status != 200 or (not each.streaming and "message" not in each.json):
            continue
        count += 1
        if not each.streaming:
            reply = own[0].decode_reply(each.json)
            assert said(provider.decode_reply(dialect.encode_reply(reply, ASKED))) == said(reply), each.id
            continue
        frames = events_of(each)
        whole = assemble([event for frame in frames for event in frame.events])
        encoder, decoder = dialect.stream(ASKED), provider.stream()
        told: list[Event] = []
        for frame in frames:
            kept = frame.extras if frame.extras is None else Extras("elsewhere", {})
            for wire in encoder.write(Frame(frame.name, frame.events, kept)):
                told += decoder.read(wire.name, wire.data).events
        for wire in encoder.end():
            told += decoder.read(wire.name, wire.data).events
        assert said(assemble(told)) == said(whole), each.id
    assert count
