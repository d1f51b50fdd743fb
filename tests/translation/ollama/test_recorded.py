"""Recorded chats with Ollama, decoded into the pivot and encoded back, are what they were."""

from __future__ import annotations

import json
from typing import Any

import pytest

from penstock.core.assemble import Assembler
from penstock.core.chat import ChatRequest
from penstock.core.losses import Losses
from penstock.core.parts import Text, Thinking, ToolCall
from penstock.dialects.ollama.dialect import OllamaDialect
from penstock.ports.translation import Addressee, Asked
from penstock.providers.ollama.api import OllamaProvider
from penstock.providers.ollama.errors import read_error
from penstock.providers.ollama.profile import DEFAULT
from penstock.wire.ndjson import NdjsonDecoder, text_of
from tests.translation.recordings import Exchange, cut, difference, exchanges

DIALECT = OllamaDialect()
PROVIDER = OllamaProvider()
APIS = ("ollama.chat", "ollama.generate")


def asked() -> Asked:
    """What an encoder is told."""
    return Asked(ChatRequest(model="m"), "m", "1", 1)


def stream_of(each: Exchange) -> str:
    """Decode and encode a recorded stream; where it first differs from itself, or its fold from its lines."""
    decoder, encoder, assembler = PROVIDER.stream(), DIALECT.stream(asked()), Assembler()
    framer = NdjsonDecoder()
    lines = [line for piece in cut(each.body, each.id) for line in framer.feed(piece)] + framer.finish()
    assert b"".join(lines) == each.body
    text, thinking, calls = "", "", 0
    last: dict[str, Any] = {}
    for line in lines:
        data = text_of(line)
        frame = decoder.read("", data)
        for told in frame.events:
            assembler.add(told)
        if not data:
            continue
        (back,) = encoder.write(frame)
        last = json.loads(data)
        if missed := difference(last, json.loads(back.data)):
            return missed
        message = last.get("message", last)
        text += message.get("content", message.get("response", ""))
        thinking += message.get("thinking", "")
        calls += len(message.get("tool_calls", []))
    if encoder.end():
        return "an end that was not there"
    reply = assembler.reply()
    parts = reply.choices[0].parts
    assert text == "".join([part.text for part in parts if isinstance(part, Text)]), each.id
    assert thinking == "".join([part.text for part in parts if isinstance(part, Thinking)]), each.id
    assert calls == len([part for part in parts if isinstance(part, ToolCall)]), each.id
    assert reply.choices[0].finish == ("tool_calls" if calls else last["done_reason"]), each.id
    if "eval_count" in last:
        assert reply.usage is not None
        counts = reply.usage.counts
        assert (counts.input_tokens, counts.output_tokens) == (
            last.get("prompt_eval_count", 0),
            last["eval_count"],
        )
    return ""


def test_chats_come_back() -> None:
    """Every reply, stream and request comes back equal, and the counts are Ollama's."""
    failures: list[str] = []
    found = exchanges(*APIS)
    for each in found:
        if each.as_sent and each.api == "ollama.chat":
            request = DIALECT.decode_request(each.request, each.request["model"], stream=each.streaming)
            again = PROVIDER.encode_request(request, Addressee(each.request["model"], DEFAULT, Losses("error")))
            if missed := difference(each.request, again):
                failures.append(f"{each.id} request: {missed}")
        if each.status != 200:
            assert read_error(each.body).message == each.json["error"]
        elif each.streaming:
            if missed := stream_of(each):
                failures.append(f"{each.id} stream: {missed}")
        else:
            reply = PROVIDER.decode_reply(each.json)
            if missed := difference(each.json, DIALECT.encode_reply(reply, asked())):
                failures.append(f"{each.id} reply: {missed}")
            if "eval_count" in each.json:
                assert reply.usage is not None
                assert reply.usage.counts.input_tokens == each.json["prompt_eval_count"]
                assert reply.usage.counts.output_tokens == each.json["eval_count"]
    assert not failures, f"{len(failures)} of {len(found)}:\n" + "\n".join(failures[:8])


@pytest.mark.parametrize(("before", "after"), [("Before", "After"), (": 4", ": 5"), ("before", "after")])
def test_what_the_pivot_says_is_written(before: str, after: str) -> None:
    """A changed text, count or tool name stands in what is encoded: nothing kept aside shadows it."""
    body = {
        "model": "m",
        "created_at": "2026-01-02T03:04:05.678901Z",
        "message": {
            "role": "assistant",
            "content": "Before",
            "tool_calls": [{"id": "c", "function": {"index": 0, "name": "before", "arguments": {"a": 1}}}],
        },
        "done": True,
        "done_reason": "stop",
        "prompt_eval_count": 3,
        "eval_count": 4,
    }
    changed = json.loads(json.dumps(body).replace(before, after))
    reply, other = PROVIDER.decode_reply(body), PROVIDER.decode_reply(changed)
    mixed = type(reply)(
        model=reply.model,
        created_s=reply.created_s,
        choices=other.choices,
        usage=other.usage,
        extras=reply.extras,
    )
    assert DIALECT.encode_reply(mixed, asked()) == changed
