"""Ollama's answers in the pivot, and the pivot's answers in Ollama's words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from penstock.core.assemble import assemble, tell
from penstock.core.chat import ChatReply, ChatRequest, Choice, ReplyUsage
from penstock.core.events import (
    ArgumentsDelta,
    Broke,
    ChoiceFinished,
    Event,
    Frame,
    PartStarted,
    Started,
    TextDelta,
)
from penstock.core.parts import Refused, Signature, Text, Thinking, ToolCall
from penstock.core.seals import from_id
from penstock.core.usage import Usage
from penstock.dialects.ollama.dialect import OllamaDialect
from penstock.dialects.ollama.errors import error_body
from penstock.ports.translation import Asked
from penstock.providers.ollama.api import OllamaProvider
from penstock.providers.ollama.errors import read_error

ASKED = Asked(ChatRequest(model="m"), "m", "r1", 1_700_000_000)
LINE: dict[str, Any] = {"model": "q", "created_at": "2026-01-02T03:04:05.5Z"}


def test_calls_without_ids_get_the_same_id_each_time() -> None:
    """A call's id depends on the answer alone, calls of one answer differ, and the reason is the calls."""
    call = {"function": {"name": "now", "arguments": {"a": [1, {"b": None}]}}}
    body = {
        **LINE,
        "message": {"role": "assistant", "content": "", "tool_calls": [call, call]},
        "done_reason": "stop",
    }
    first, second = (OllamaProvider().decode_reply(body).choices[0] for _ in range(2))
    assert first.parts == second.parts
    one, two = first.parts
    assert isinstance(one, ToolCall)
    assert isinstance(two, ToolCall)
    assert one.id.startswith("call_")
    assert one.id != two.id
    assert one.arguments == '{"a":[1,{"b":null}]}'
    assert first.finish == "tool_calls"
    assert OllamaDialect().encode_reply(OllamaProvider().decode_reply(body), ASKED) == body


def test_counts_and_time() -> None:
    """Counts are Ollama's, a cached prompt has none, and the time is the timestamp's."""
    body = {**LINE, "message": {"role": "assistant", "content": "a"}, "done": True, "done_reason": "length"}
    reply = OllamaProvider().decode_reply({**body, "eval_count": 4, "total_duration": 9})
    assert reply.usage is not None
    assert reply.usage.counts == Usage(0, 4)
    assert (reply.created_s, reply.choices[0].finish) == (1767323045, "length")
    assert OllamaProvider().decode_reply(body).usage is None


REPLY = ChatReply(
    id="msg_1",
    model="claude",
    created_s=1,
    choices=(
        Choice(
            0,
            (
                Thinking("Hm", Signature("anthropic", "seal")),
                Text("Sunny. "),
                Refused("Not that."),
                ToolCall("t1", "weather", '{"place":"Rome"}'),
                ToolCall("t2", "free", "no object"),
            ),
            "tool_calls",
        ),
    ),
    usage=ReplyUsage(Usage(10, 5)),
)


def test_a_foreign_answer_in_ollamas_words() -> None:
    """All kinds of part, the seal in the first call's id, and the counts."""
    body = OllamaDialect().encode_reply(REPLY, ASKED)
    sealed = body["message"]["tool_calls"][0]["id"]
    assert from_id(sealed)[1].thinking == (Thinking("Hm", Signature("anthropic", "seal")),)
    assert body == {
        "model": "claude",
        "created_at": "1970-01-01T00:00:01Z",
        "message": {
            "role": "assistant",
            "content": "Sunny. Not that.",
            "thinking": "Hm",
            "tool_calls": [
                {"id": sealed, "function": {"name": "weather", "arguments": {"place": "Rome"}}},
                {"id": "t2", "function": {"name": "free", "arguments": {"input": "no object"}}},
            ],
        },
        "done": True,
        "done_reason": "stop",
        "prompt_eval_count": 10,
        "eval_count": 5,
    }


def streamed(*events: Event) -> list[Any]:
    """The lines of a stream of foreign events."""
    encoder = OllamaDialect().stream(ASKED)
    wire = [line for each in events for line in encoder.write(Frame("", (each,)))] + encoder.end()
    assert encoder.end() == []
    return [json.loads(line.data) for line in wire]


def test_a_foreign_stream_says_what_the_answer_says() -> None:
    """The fold of the encoded stream is the answer itself."""
    encoder, decoder = OllamaDialect().stream(ASKED), OllamaProvider().stream()
    lines = [line for event in tell(REPLY) for line in encoder.write(Frame("", (event,)))]
    assert encoder.end() == []
    again = assemble([event for line in lines for event in decoder.read("", line.data).events])
    thought, text, first, second = again.choices[0].parts
    assert thought == Thinking("Hm")
    assert text == Text("Sunny. Not that.")
    assert isinstance(first, ToolCall)
    assert isinstance(second, ToolCall)
    assert from_id(first.id)[0] == "t1"
    assert (first.arguments, second.arguments) == ('{"place":"Rome"}', '{"input":"no object"}')
    assert again.choices[0].finish == "tool_calls"
    assert again.usage is not None
    assert again.usage.counts == Usage(10, 5)


def test_a_stream_that_is_left_open_is_closed() -> None:
    """A call whose end never came is told at the end, and the last line says that it is done."""
    call = PartStarted(0, 1, ToolCall("t", "f", '{"a"'))
    found = streamed(
        Started("x", "big"),
        PartStarted(0, 0, Text("Hi")),
        TextDelta(0, 0, " you"),
        call,
        ArgumentsDelta(0, 1, ":1}"),
    )
    assert [each["message"] for each in found] == [
        {"role": "assistant", "content": "Hi"},
        {"role": "assistant", "content": " you"},
        {"role": "assistant", "content": "", "tool_calls": [
            {"id": "t", "function": {"name": "f", "arguments": {"a": 1}}}]},
        {"role": "assistant", "content": ""},
    ]  # fmt: skip
    assert [each["done"] for each in found] == [False, False, False, True]
    assert {each["model"] for each in found} == {"big"}
    assert streamed(PartStarted(1, 0, Text("no")), ChoiceFinished(0, "length"))[-1]["done_reason"] == "length"


def test_text_before_and_after_calls() -> None:
    """What comes after a call is a part of its own."""
    decoder = OllamaProvider().stream()
    call: dict[str, Any] = {"function": {"name": "f", "arguments": {}}}
    lines: list[dict[str, Any]] = [
        {**LINE, "message": {"role": "assistant", "content": "a", "thinking": "t"}, "done": False},
        {**LINE, "message": {"role": "assistant", "content": "b", "tool_calls": [call]}, "done": False},
        {**LINE, "message": {"role": "assistant", "content": "c"}, "done": True, "done_reason": "stop"},
    ]
    events = [event for line in lines for event in decoder.read("", json.dumps(line).encode()).events]
    kinds = [(type(part).__name__, getattr(part, "text", "")) for part in assemble(events).choices[0].parts]
    assert kinds == [("Thinking", "t"), ("Text", "ab"), ("ToolCall", ""), ("Text", "c")]


def test_an_error_in_mid_stream() -> None:
    """An error is a line of its own, nothing follows, and Ollama's own is read so."""
    encoder = OllamaDialect().stream(ASKED)
    encoder.write(Frame("", (Started("x"),)))
    (line,) = encoder.fail(Broke("out of memory"))
    assert (encoder.end(), encoder.fail(Broke("again"))) == ([], [])
    assert json.loads(line.data) == {"error": "out of memory"}
    assert OllamaProvider().stream().read("", line.data).events == (Broke("out of memory"),)


def test_errors_are_read_as_they_are_written() -> None:
    """What a client is told has Ollama's field, and garbage is no error."""
    assert (
        read_error(error_body("invalid_key", "authentication", "No such key.", None, "r1")).message
        == "No such key."
    )
    assert read_error(b"[]").message is None


ODD: list[dict[str, Any]] = [
    {
        "model": "m",
        "created_at": "bad",
        "message": {"role": "assistant", "content": None, "tool_calls": []},
        "done": True,
    },
    {
        "model": "m",
        "message": {"content": "x", "images": ["a"], "later": 1},
        "done_reason": "unload",
        "eval_count": 0,
    },
    {
        "model": "m",
        "message": {"tool_calls": [{"function": {"name": "f"}}, {"id": "", "function": {"name": "g"}}]},
    },
    {
        "model": "m",
        "message": {"content": "", "tool_calls": [{"function": {"name": "f", "arguments": None, "z": 1}}]},
    },
    {
        "model": "m",
        "message": {"content": "", "tool_calls": [{"function": {"name": "f", "arguments": "text"}}]},
    },
    {"model": "m", "message": {"content": "q"}, "logprobs": [{"token": "a", "logprob": -1, "bytes": [1]}]},
    {"model": "m", "response": "", "thinking": "", "done": True, "done_reason": "load"},
    {"error": "x"},
]


@pytest.mark.parametrize("body", ODD)
def test_odd_answers_come_back(body: dict[str, Any]) -> None:
    """Nulls, empty lists, missing fields and unknown ones are given back as they came."""
    assert OllamaDialect().encode_reply(OllamaProvider().decode_reply(body), ASKED) == body
