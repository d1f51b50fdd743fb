"""Streams that break in the middle, on routes with `on_break: resume`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.routing.broken import ANTHROPIC, OPENAI, Play, chunks_of, play

ASK: dict[str, Any] = {"messages": [{"role": "user", "content": "Tell me."}], "max_tokens": 500}


def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    """One chunk of OpenAI's."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: %b\n\n" % json.dumps({"id": "x", "model": "m", "choices": [choice]}).encode()


def said(*words: str) -> list[bytes]:
    """A stream that says these words, up to its end."""
    return [
        chunk({"role": "assistant", "content": ""}),
        *[chunk({"content": word}) for word in words],
        chunk({}, "stop"),
        b'data: {"id":"x","model":"m","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":4}}\n\n',
        b"data: [DONE]\n\n",
    ]


def text_of(body: bytes) -> str:
    """All content of a stream of chunks."""
    deltas = [choice["delta"] for each in chunks_of(body) for choice in each.get("choices", ())]
    return "".join(delta.get("content") or "" for delta in deltas)


def test_a_stream_goes_on_at_the_next_target() -> None:
    """One stream for the client: one role, one end, all words in order, with a comment where it was joined."""
    got = play([Play(said("One, ", "two, ")[:3], cut=True), Play(said("three", "."))], ASK)
    assert text_of(got.body) == "One, two, three."
    assert got.body.count(b"[DONE]") == 1
    assert got.body.count(b'"role":"assistant"') == 1
    assert got.body.count(b'"finish_reason":"stop"') == 1
    assert b": x-penstock-resumed: t1\n\n" in got.body
    assert len({each["id"] for each in got.chunks}) == 1
    assert got.ports == [0, 1]


def test_the_ledger_has_both_attempts() -> None:
    """The broken one with its cause and its cost, the one that went on, and a note that it did."""
    got = play([Play(said("One, ", "two, ")[:3], cut=True), Play(said("three."))], ASK)
    assert [(each.target, each.outcome, each.cause) for each in got.settled.attempts] == [
        ("t0", "error", "cut"),
        ("t1", "ok", ""),
    ]
    assert got.settled.outcome == "ok"
    assert got.settled.attempts[0].cost_nanousd
    assert got.settled.notes["resumed"] == "1 after t0"


def test_a_model_without_prefill_is_told_to_go_on() -> None:
    """The partial answer stands in the conversation, and an instruction after it; the bound is what is left."""
    got = play([Play(said("One, ", "two, ")[:3], cut=True), Play(said("three."))], ASK)
    assistant, told = got.sent[1]["messages"][-2:]
    assert (assistant["role"], assistant["content"]) == ("assistant", "One, two, ")
    assert told["role"] == "user"
    assert "Go on exactly where it stops" in json.dumps(told)
    assert 400 < got.sent[1]["max_tokens"] < 500


def test_a_model_with_prefill_gets_the_partial_answer_last() -> None:
    """Claude goes on from its own last message, whose white space at the end it does not take."""
    events: list[tuple[str, dict[str, Any]]] = [
        ("message_start", {"message": {"id": "m", "type": "message", "role": "assistant", "model": "c",
                                       "content": [], "usage": {"input_tokens": 3, "output_tokens": 1}}}),
        ("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
        ("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": " three."}}),
        ("content_block_stop", {"index": 0}),
        ("message_delta", {"delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}}),
        ("message_stop", {}),
    ]  # fmt: skip
    pieces = [
        b"event: %b\ndata: %b\n\n" % (name.encode(), json.dumps({"type": name, **data}).encode())
        for name, data in events
    ]
    got = play([Play(said("One, ", "two, ")[:3], cut=True), Play(pieces)], ASK, second=ANTHROPIC)
    assert got.sent[1]["messages"][-1]["role"] == "assistant"
    assert "One, two," in json.dumps(got.sent[1]["messages"][-1])
    assert 'two, "' not in json.dumps(got.sent[1]["messages"][-1])
    assert text_of(got.body) == "One, two, three."


@pytest.mark.parametrize(
    "again",
    [
        ["of the mountain, the river", " turns."],
        ["of the ", "mountain, the", " river turns."],
        ["The snow melts at the top of the mountain, the river turns."],
        ["The snow", " melts at the top of the mountain", ", the river turns."],
    ],
)
def test_no_word_comes_twice(again: list[str]) -> None:
    """A model that says its last words, or everything, again is cut to what is new."""
    first = ["The snow melts ", "at the top of the mountain, the river"]
    got = play([Play(said(*first)[:3], cut=True), Play(said(*again))], ASK)
    assert text_of(got.body) == "The snow melts at the top of the mountain, the river turns."


def test_words_that_only_look_alike_are_kept() -> None:
    """A repetition shorter than a dozen characters is the model's own."""
    got = play([Play(said("ha ", "ha ")[:3], cut=True), Play(said("ha ", "ha."))], ASK)
    assert text_of(got.body) == "ha ha ha ha."


def test_it_goes_on_twice_and_no_more() -> None:
    """Three targets' worth of breaks: two splices, then an error in the stream."""
    broken = [Play(said(word)[:2], cut=True) for word in ("a ", "b ", "c ", "d ")]
    got = play(broken, ASK)
    assert text_of(got.body) == "a b c "
    assert got.chunks[-1]["error"]["code"] == "upstream_error"
    assert len(got.sent) == 3


def test_without_any_other_target_that_answers_the_stream_ends_with_an_error() -> None:
    """The next target refuses: the client hears of it inside the stream."""
    got = play([Play(said("One, ")[:2], cut=True), Play([b'{"error":{"message":"no"}}'], status=400)], ASK)
    assert text_of(got.body) == "One, "
    assert "error" in got.chunks[-1]
    assert got.settled.outcome == "error"


CALL = {
    "tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a'}}]
}
PATHS = {
    "anthropic": ("/v1/messages", {"messages": ASK["messages"], "max_tokens": 500}),
    "gemini": (
        "/v1beta/models/chat:streamGenerateContent",
        {"contents": [{"role": "user", "parts": [{"text": "Tell me."}]}]},
    ),
    "converse": ("/model/chat/converse-stream", {"messages": [{"role": "user", "content": [{"text": "Go."}]}]}),
}


@pytest.mark.parametrize(("path", "request_body"), PATHS.values(), ids=PATHS.keys())
def test_each_dialect_has_its_one_stream(path: str, request_body: dict[str, Any]) -> None:
    """Clients of other APIs see one stream in their own words, with each word once."""
    plays = [Play(said("Uno, ", "dos, ")[:3], cut=True), Play(said("tres", "."))]
    got = play(plays, request_body, path=path, keeps_body=True)
    places = [got.body.find(word) for word in (b"Uno, ", b"dos, ", b"tres")]
    assert -1 not in places
    assert places == sorted(places)
    assert [got.body.count(word) for word in (b"Uno, ", b"dos, ", b"tres")] == [1, 1, 1]
    assert got.settled.outcome == "ok"
    assert got.ports == [0, 1]


HALF: dict[str, dict[str, Any]] = {"tool call": CALL, "thinking": {"reasoning_content": "Let me see"}}


@pytest.mark.parametrize("delta", HALF.values(), ids=HALF.keys())
def test_where_no_splice_is_valid_the_error_is_clean(delta: dict[str, Any]) -> None:
    """Half a tool call, or half a thought, is nobody else's to finish: one error, no second request."""
    got = play([Play([chunk({"role": "assistant"}), chunk(delta)], cut=True)], ASK)
    assert len(got.sent) == 1
    assert got.chunks[-1]["error"]["code"] == "upstream_error"
    assert "not gone on with elsewhere" in got.chunks[-1]["error"]["message"]


def test_a_route_that_does_not_resume_passes_bytes() -> None:
    """Without `on_break: resume` the vendor's bytes go to the client as they came."""
    pieces = said("One.")
    got = play([Play(pieces)], {**ASK, "stream_options": {"include_usage": True}}, resumes=False)
    assert got.body == b"".join(pieces)


def test_several_answers_are_not_gone_on_with() -> None:
    """With n=2 nobody knows which one is where."""
    got = play([Play(said("One, ")[:2], cut=True)], {**ASK, "n": 2}, first=OPENAI)
    assert len(got.sent) == 1
    assert "error" in got.chunks[-1]
