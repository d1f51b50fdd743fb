"""Cohere's answers in the pivot, and the pivot's answers in Cohere's words."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from penstock.core.assemble import assemble, tell
from penstock.core.chat import ChatReply, ChatRequest, Choice, Logprobs, ReplyUsage, TokenLogprob
from penstock.core.events import (
    ArgumentsDelta,
    Broke,
    ChoiceFinished,
    Ended,
    Event,
    Frame,
    PartStarted,
    Started,
    TextDelta,
    UsageReported,
)
from penstock.core.parts import Citation, Refused, Signature, Text, Thinking, ToolCall
from penstock.core.seals import from_id
from penstock.core.usage import Usage
from penstock.dialects.cohere.dialect import CohereDialect
from penstock.dialects.cohere.errors import error_body
from penstock.ports.translation import Asked
from penstock.providers.cohere.api import CohereProvider
from penstock.providers.cohere.errors import read_error

ASKED = Asked(ChatRequest(model="m"), "m", "r1", 1)


def answer(**message: Any) -> dict[str, Any]:
    """A reply's body."""
    return {"id": "c-1", "finish_reason": "COMPLETE", "message": {"role": "assistant", **message}}


def test_a_plan_is_thinking_before_the_calls() -> None:
    """The plan is what the model thought, and stands before the calls; `null` arguments are none."""
    call = {"id": "a", "type": "function", "function": {"name": "now", "arguments": "null"}}
    body = {**answer(tool_plan="I will look.", tool_calls=[call]), "finish_reason": "TOOL_CALL"}
    choice = CohereProvider().decode_reply(body).choices[0]
    thought, called = choice.parts
    assert isinstance(thought, Thinking)
    assert isinstance(called, ToolCall)
    assert (thought.text, called.name, called.arguments, choice.finish) == (
        "I will look.",
        "now",
        "{}",
        "tool_calls",
    )


def test_citations_belong_to_their_text() -> None:
    """A citation stands in the text that it is about, with the source's words; one of the plan stays aside."""
    source = {"type": "document", "id": "doc:2", "document": {"title": "News", "text": "It rains.", "url": "u"}}
    cited = {"start": 3, "end": 8, "text": "rains", "sources": [source], "content_index": 1}
    other: dict[str, Any] = {
        "start": 0,
        "end": 1,
        "text": "I",
        "sources": [],
        "type": "PLAN",
        "content_index": 7,
    }
    content = [{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": "It rains."}]
    body = answer(content=content, citations=[other, cited])
    reply = CohereProvider().decode_reply(body)
    text = reply.choices[0].parts[1]
    assert isinstance(text, Text)
    (found,) = text.citations
    assert (found.title, found.url, found.cited, found.start, found.end, found.document) == (
        "News", "u", "It rains.", 3, 8, 2,
    )  # fmt: skip
    assert CohereDialect().encode_reply(reply, ASKED) == body


@pytest.mark.parametrize(
    ("word", "finish"),
    [
        ("COMPLETE", "stop"),
        ("STOP_SEQUENCE", "stop_sequence"),
        ("MAX_TOKENS", "length"),
        ("TOOL_CALL", "tool_calls"),
        ("TIMEOUT", "error"),
        ("LATER_WORD", "other"),
    ],
)
def test_reasons(word: str, finish: str) -> None:
    """Each of Cohere's reasons has its own in the pivot, and comes back."""
    body = {**answer(content=[{"type": "text", "text": "a"}]), "finish_reason": word}
    reply = CohereProvider().decode_reply(body)
    assert (reply.choices[0].finish, reply.choices[0].native) == (finish, word)
    assert CohereDialect().encode_reply(reply, ASKED) == body


def test_what_is_billed_is_what_is_counted() -> None:
    """Billed units are the counts; tokens that Cohere adds itself are not, and cached ones have no price."""
    usage = {
        "billed_units": {"input_tokens": 5, "output_tokens": 7},
        "tokens": {"input_tokens": 505, "output_tokens": 9, "reasoning_tokens": 3},
        "cached_tokens": 400,
    }
    reply = CohereProvider().decode_reply({**answer(), "usage": usage})
    assert reply.usage is not None
    assert reply.usage.counts == Usage(5, 7, reasoning_tokens=3)
    without = CohereProvider().decode_reply(
        {**answer(), "usage": {"tokens": {"input_tokens": 2, "output_tokens": 3}}}
    )
    assert without.usage is not None
    assert without.usage.counts == Usage(2, 3)


def test_log_probabilities() -> None:
    """Each piece of text has its probability; a piece of two tokens has their sum."""
    found = [
        {"text": "a", "token_ids": [1], "logprobs": [-0.5]},
        {"text": "bc", "token_ids": [2, 3], "logprobs": [-1, -2]},
    ]
    body = {**answer(content=[{"type": "text", "text": "abc"}]), "logprobs": found}
    reply = CohereProvider().decode_reply(body)
    logprobs = reply.choices[0].logprobs
    assert logprobs is not None
    assert logprobs.tokens == (TokenLogprob("a", -0.5), TokenLogprob("bc", -3.0))
    assert CohereDialect().encode_reply(reply, ASKED) == body


REPLY = ChatReply(
    id="msg_1",
    model="claude",
    choices=(
        Choice(
            0,
            (
                Thinking("Hm", Signature("anthropic", "seal")),
                Text("Rome is sunny.", (Citation("https://example.com", "T", "Sunny", 0, 4),)),
                Refused("Not that."),
                ToolCall("t1", "weather", '{"place":"Rome"}'),
                ToolCall("t2", "now"),
            ),
            "tool_calls",
        ),
    ),
    usage=ReplyUsage(Usage(10, 5, cache_read_tokens=2, reasoning_tokens=1)),
)


def test_a_foreign_answer_in_coheres_words() -> None:
    """All kinds of part, the seal in the first call's id, and the counts as billed units."""
    body = CohereDialect().encode_reply(REPLY, ASKED)
    sealed = body["message"]["tool_calls"][0]["id"]
    assert from_id(sealed) == ("t1", from_id(sealed)[1])
    assert from_id(sealed)[1].thinking == (Thinking("Hm", Signature("anthropic", "seal")),)
    document = {"id": "https://example.com", "title": "T", "url": "https://example.com", "text": "Sunny"}
    assert body == {
        "id": "r1",
        "finish_reason": "TOOL_CALL",
        "message": {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm"},
                {"type": "text", "text": "Rome is sunny."},
                {"type": "text", "text": "Not that."},
            ],
            "tool_calls": [
                {
                    "id": sealed,
                    "type": "function",
                    "function": {"name": "weather", "arguments": '{"place":"Rome"}'},
                },
                {"id": "t2", "type": "function", "function": {"name": "now", "arguments": "{}"}},
            ],
            "citations": [
                {
                    "start": 0,
                    "end": 4,
                    "text": "Rome",
                    "sources": [{"type": "document", "id": "https://example.com", "document": document}],
                    "type": "TEXT_CONTENT",
                    "content_index": 1,
                }
            ],
        },
        "usage": {
            "billed_units": {"input_tokens": 10, "output_tokens": 5},
            "tokens": {"input_tokens": 10, "output_tokens": 5, "reasoning_tokens": 1},
            "cached_tokens": 2,
        },
    }


def test_a_foreign_log_probability() -> None:
    """Log probabilities of others come without token ids."""
    reply = ChatReply(choices=(Choice(0, (Text("a"),), "stop", logprobs=Logprobs((TokenLogprob("a", -1.0),))),))
    body = CohereDialect().encode_reply(reply, ASKED)
    assert body["logprobs"] == [{"text": "a", "token_ids": [], "logprobs": [-1.0]}]


def streamed(*events: Event) -> list[Any]:
    """What a stream of foreign events is in Cohere's words, decoded again."""
    encoder = CohereDialect().stream(ASKED)
    wire = [event for each in events for event in encoder.write(Frame("", (each,)))] + encoder.end()
    assert encoder.end() == []
    return [json.loads(event.data) if event.data != b"[DONE]" else "DONE" for event in wire]


def test_a_foreign_stream_says_what_the_answer_says() -> None:
    """The fold of the encoded stream is the answer itself, the seal in the first call's id."""
    encoder, decoder = CohereDialect().stream(ASKED), CohereProvider().stream()
    frames = [
        decoder.read(wire.name, wire.data)
        for event in tell(REPLY)
        for wire in encoder.write(Frame("", (event,)))
    ]
    assert encoder.end() == []
    again = assemble([event for frame in frames for event in frame.events])
    (choice,) = again.choices
    thought, text, refused, first, second = choice.parts
    assert isinstance(thought, Thinking)
    assert isinstance(text, Text)
    assert isinstance(refused, Text)
    assert isinstance(first, ToolCall)
    assert (thought.text, text.text, refused.text) == ("Hm", "Rome is sunny.", "Not that.")
    assert text.citations[0].url == "https://example.com"
    assert from_id(first.id)[1].thinking == (Thinking("Hm", Signature("anthropic", "seal")),)
    assert second == ToolCall("t2", "now", "")
    assert choice.finish == "tool_calls"
    assert again.usage is not None
    assert again.usage.counts == Usage(10, 5, reasoning_tokens=1)


def test_a_stream_that_is_left_open_is_closed() -> None:
    """A stream without ends gets them, once."""
    call = PartStarted(0, 1, ToolCall("t", "f"))
    found = streamed(
        Started("x"), PartStarted(0, 0, Text("")), TextDelta(0, 0, "Hi"), call, ArgumentsDelta(0, 1, "{}")
    )
    assert [each if each == "DONE" else each["type"] for each in found] == [
        "message-start", "content-start", "content-delta", "tool-call-start", "tool-call-delta", "content-end",
        "tool-call-end", "message-end", "DONE",
    ]  # fmt: skip
    assert found[-2]["delta"] == {"finish_reason": "TOOL_CALL"}


def test_other_answers_of_a_stream_are_passed_over() -> None:
    """Cohere has one answer: of several, the first is told."""
    found = streamed(
        PartStarted(1, 0, Text("no")), PartStarted(0, 0, Text("yes")), ChoiceFinished(0, "length"), Ended()
    )
    assert [
        each["delta"]["message"]["content"]
        for each in found
        if each != "DONE" and each["type"] == "content-delta"
    ] == [{"text": "yes"}]
    assert found[-2]["delta"]["finish_reason"] == "MAX_TOKENS"


def test_an_error_in_mid_stream() -> None:
    """An error is told at the message's end, and nothing follows; Cohere's own is read so."""
    encoder = CohereDialect().stream(ASKED)
    encoder.write(Frame("", (Started("x"),)))
    (event,) = encoder.fail(Broke("lost", "overloaded"))
    assert (encoder.end(), encoder.fail(Broke("again"))) == ([], [])
    frame = CohereProvider().stream().read(event.name, event.data)
    assert frame.events == (Broke("lost", "ERROR"),)
    own = CohereDialect().stream(ASKED)
    assert msgspec.json.decode(own.write(frame)[0].data) == msgspec.json.decode(event.data)


def test_null_arguments_in_a_stream() -> None:
    """Arguments that come as `null` are an empty object, and come back as they were."""
    start = {"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls": {
        "id": "a", "type": "function", "function": {"name": "now", "arguments": ""}}}}}  # fmt: skip
    more = {
        "type": "tool-call-delta",
        "index": 0,
        "delta": {"message": {"tool_calls": {"function": {"arguments": "null"}}}},
    }
    decoder, encoder = CohereProvider().stream(), CohereDialect().stream(ASKED)
    frames = [decoder.read("", msgspec.json.encode(each)) for each in (start, more)]
    assert [json.loads(encoder.write(frame)[0].data) for frame in frames] == [start, more]
    assert assemble([event for frame in frames for event in frame.events]).choices[0].parts == (
        ToolCall("a", "now", "{}"),
    )


def test_changed_deltas_are_written() -> None:
    """A frame whose events were changed is written with the change."""
    data = b'{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"a"}}},"later":1}'
    frame = CohereProvider().stream().read("content-delta", data)
    changed = Frame(frame.name, (TextDelta(0, 0, "b"),), frame.extras)
    (event,) = CohereDialect().stream(ASKED).write(changed)
    assert json.loads(event.data) == {**json.loads(data), "delta": {"message": {"content": {"text": "b"}}}}


def test_usage_alone_is_told_at_the_end() -> None:
    """Usage that comes before the end waits for it."""
    found = streamed(UsageReported(ReplyUsage(Usage(3, 4))), Ended())
    assert found[-2]["delta"]["usage"]["billed_units"] == {"input_tokens": 3, "output_tokens": 4}


def test_errors_are_read_as_they_are_written() -> None:
    """What a client is told has Cohere's field, and garbage is no error."""
    body = error_body("invalid_key", "authentication", "No such key.", None, "r1")
    assert read_error(body).message == "No such key."
    assert read_error(b"<html>").message is None


ODD: list[dict[str, Any]] = [
    {
        "id": "a",
        "message": {"role": "assistant", "content": None, "tool_calls": None, "citations": None},
        "usage": None,
    },
    {
        "id": "a",
        "message": {"role": "assistant", "content": [], "tool_calls": [], "citations": []},
        "usage": {},
    },
    {
        "id": "a",
        "message": {"content": [{"type": "text", "text": "x", "z": 1}, {"type": "later", "q": 2}]},
        "z": 1,
    },
    {
        "id": "a",
        "message": {"tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "z": 1}}]},
    },
    {"id": "a", "message": {"tool_calls": [{"type": "function", "function": {"name": "f", "arguments": ""}}]}},
    {"id": "a", "message": {"content": "plain", "tool_calls": [{"odd": 1}], "citations": [{"odd": 1}]}},
    {"message": "no message"},
]


@pytest.mark.parametrize("body", ODD)
def test_odd_answers_come_back(body: dict[str, Any]) -> None:
    """Nulls, empty lists, missing fields and unknown ones are given back as they came."""
    assert CohereDialect().encode_reply(CohereProvider().decode_reply(body), ASKED) == body
