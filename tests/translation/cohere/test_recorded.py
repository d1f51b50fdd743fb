"""Recorded chats with Cohere, decoded into the pivot and encoded back, are what they were."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from penstock.core.assemble import Assembler
from penstock.core.chat import ChatReply, ChatRequest
from penstock.core.losses import Losses
from penstock.core.parts import Text, Thinking, ToolCall
from penstock.dialects.cohere.dialect import CohereDialect
from penstock.ports.translation import Addressee, Asked
from penstock.providers.cohere.api import CohereProvider
from penstock.providers.cohere.errors import read_error
from penstock.providers.cohere.profile import DEFAULT
from penstock.wire.sse import SseDecoder, data_of, name_of
from tests.translation.recordings import Exchange, cut, difference, exchanges

DIALECT = CohereDialect()
PROVIDER = CohereProvider()


def asked(request: ChatRequest | None = None) -> Asked:
    """What an encoder is told."""
    return Asked(request or ChatRequest(model="m"), "m", "1", 1)


@dataclass
class Told:
    """What a recorded stream says, read without the decoder."""

    text: str = ""
    thinking: str = ""
    arguments: str = ""
    billed: tuple[int, ...] = ()

    def add(self, event: dict[str, Any]) -> None:
        """One event."""
        delta = event.get("delta", {})
        message = delta.get("message", {})
        if event["type"] == "content-delta":
            self.text += message["content"].get("text", "")
            self.thinking += message["content"].get("thinking", "")
        elif event["type"] == "tool-plan-delta":
            self.thinking += message["tool_plan"]
        elif event["type"] == "tool-call-delta":
            self.arguments += message["tool_calls"]["function"]["arguments"].replace("null", "{}")
        elif event["type"] == "message-end":
            self.billed = tuple(delta["usage"]["billed_units"].values())


def folded(reply: ChatReply) -> Told:
    """What the pivot says of the same stream."""
    told = Told()
    for part in reply.choices[0].parts:
        if isinstance(part, Text):
            told.text += part.text
        elif isinstance(part, Thinking):
            told.thinking += part.text
        elif isinstance(part, ToolCall):
            told.arguments += part.arguments
    if reply.usage is not None:
        told.billed = (reply.usage.counts.input_tokens, reply.usage.counts.output_tokens)
    return told


def stream_of(each: Exchange) -> str:
    """Decode and encode a recorded stream; where it first differs, or its fold does."""
    decoder, encoder, assembler = PROVIDER.stream(), DIALECT.stream(asked()), Assembler()
    framer, told = SseDecoder(), Told()
    for event in [event for piece in cut(each.body, each.id) for event in framer.feed(piece)]:
        data, name = data_of(event), name_of(event).decode()
        frame = decoder.read(name, data)
        for one in frame.events:
            assembler.add(one)
        (back,) = encoder.write(frame)
        if back.name != name or (data == b"[DONE]") is not (back.data == data == b"[DONE]"):
            return f"{back} is not {event!r}"
        if data != b"[DONE]":
            if missed := difference(json.loads(data), json.loads(back.data)):
                return missed
            told.add(json.loads(data))
    if encoder.end():
        return "an end that was not there"
    return "" if folded(assembler.reply()) == told else "the fold differs"


def test_chats_come_back() -> None:
    """Every reply, stream and request comes back equal, and what is billed is what is counted."""
    failures: list[str] = []
    found = exchanges("cohere.chat_v2")
    for each in found:
        if each.as_sent:
            request = DIALECT.decode_request(
                each.request, each.request["model"], stream=each.request.get("stream", False)
            )
            again = PROVIDER.encode_request(request, Addressee(each.request["model"], DEFAULT, Losses("error")))
            if missed := difference(each.request, again):
                failures.append(f"{each.id} request: {missed}")
        if each.status != 200:
            assert read_error(each.body).message == each.json["message"]
            continue
        if each.streaming:
            if missed := stream_of(each):
                failures.append(f"{each.id} stream: {missed}")
            continue
        reply = PROVIDER.decode_reply(each.json)
        if missed := difference(each.json, DIALECT.encode_reply(reply, asked())):
            failures.append(f"{each.id} reply: {missed}")
        assert reply.usage is not None
        counts, billed = reply.usage.counts, each.json["usage"]["billed_units"]
        assert (counts.input_tokens, counts.output_tokens) == (billed["input_tokens"], billed["output_tokens"])
    assert not failures, f"{len(failures)} of {len(found)}:\n" + "\n".join(failures[:8])


@pytest.mark.parametrize("field", ["text", "usage", "tool"])
def test_what_the_pivot_says_is_written(field: str) -> None:
    """A changed text, count or tool name stands in what is encoded: nothing kept aside shadows it."""
    body = {
        "id": "a",
        "finish_reason": "TOOL_CALL",
        "message": {
            "role": "assistant",
            "content": [{"type": "text", "text": "Before"}],
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "before", "arguments": "{}"}}],
        },
        "usage": {"billed_units": {"input_tokens": 3, "output_tokens": 4}, "tokens": {"input_tokens": 9}},
    }
    changed = json.loads(
        json.dumps(body).replace(
            {"text": "Before", "usage": ": 4", "tool": "before"}[field],
            {"text": "After", "usage": ": 5", "tool": "after"}[field],
        )
    )
    reply = PROVIDER.decode_reply(body)
    other = PROVIDER.decode_reply(changed)
    mixed = type(reply)(id=reply.id, choices=other.choices, usage=other.usage, extras=reply.extras)
    assert DIALECT.encode_reply(mixed, asked()) == changed
