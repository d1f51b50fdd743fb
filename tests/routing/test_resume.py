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


def called(*calls: tuple[str, str], pieces: int = 7, ends: bool = True) -> list[bytes]:
    """A stream that calls tools by name and arguments, in pieces of so many characters."""
    out = [chunk({"role": "assistant"})]
    for at, (name, text) in enumerate(calls):
        head = {"index": at, "id": f"call_{name}{at}", "type": "function"}
        out.append(chunk({"tool_calls": [{**head, "function": {"name": name, "arguments": ""}}]}))
        for start in range(0, len(text), pieces):
            piece = {"index": at, "function": {"arguments": text[start : start + pieces]}}
            out.append(chunk({"tool_calls": [piece]}))
    return [*out, chunk({}, "tool_calls"), b"data: [DONE]\n\n"] if ends else out


def calls_of(body: bytes) -> list[tuple[str, str]]:
    """Names and arguments of a stream's calls, put together by their indices as SDKs do."""
    found: dict[int, list[str]] = {}
    for each in chunks_of(body):
        for choice in each.get("choices", ()):
            for call in choice["delta"].get("tool_calls", ()):
                name, text = found.setdefault(call["index"], ["", ""])
                function = call["function"]
                found[call["index"]] = [
                    name + (function.get("name") or ""),
                    text + function.get("arguments", ""),
                ]
    return [(name, text) for name, text in found.values()]


WEATHER = '{"city": "Paris", "days": 12}'


@pytest.mark.parametrize("cut", range(2, 8))
@pytest.mark.parametrize(
    "again", [WEATHER, '{"city":"Paris","days":12}', '{ "city" : "Paris" ,\n "days" : 12 }']
)
def test_a_call_that_is_made_again_is_finished(cut: int, again: str) -> None:
    """Wherever its arguments broke off, the client has them once; white space is the model's own affair."""
    first = called(("weather", WEATHER), pieces=5, ends=False)
    got = play([Play(first[:cut], cut=True), Play(called(("weather", again)))], ASK)
    ((name, text),) = calls_of(got.body)
    assert (name, json.loads(text)) == ("weather", {"city": "Paris", "days": 12})
    assert got.body.count(b'"finish_reason":"tool_calls"') == 1
    assert got.body.count(b"[DONE]") == 1
    assert got.settled.outcome == "ok"
    assert "weather with arguments that begin" in json.dumps(got.sent[1]["messages"][-1])


def test_calls_beside_it_follow() -> None:
    """One call was whole and one had begun: both are matched, and a third comes after them."""
    first = called(("a", '{"x":1}'), ("b", '{"y":2'), ends=False)
    again = called(("a", '{"x": 1}'), ("b", '{"y": 22}'), ("c", "{}"))
    got = play([Play(first, cut=True), Play(again)], ASK)
    assert [(name, json.loads(text)) for name, text in calls_of(got.body)] == [
        ("a", {"x": 1}),
        ("b", {"y": 22}),
        ("c", {}),
    ]


def test_words_before_a_call_stay_and_those_of_the_other_model_are_left_out() -> None:
    """The client has its words already; the other model's would come in the middle of its call."""
    first = [*said("Let me look. ")[:2], *called(("weather", '{"ci'), ends=False)[1:]]
    again = [*said("I look it up.")[:2], *called(("weather", WEATHER))[1:]]
    got = play([Play(first, cut=True), Play(again)], ASK)
    assert text_of(got.body) == "Let me look. "
    assert [json.loads(text) for _, text in calls_of(got.body)] == [json.loads(WEATHER)]


OTHERS = {
    "another tool": called(("time", WEATHER)),
    "other arguments": called(("weather", '{"city": "Rome"}')),
    "another number": called(("weather", '{"city": "Paris", "days": 1}')),
    "no call": said("It is warm."),
    "no JSON": called(("weather", '{"city": "Paris", "days": 12')),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
def test_another_call_is_no_splice(other: list[bytes]) -> None:
    """Nothing of it reaches the client: one clean error, and no health lost by the target that answered."""
    first = called(("weather", '{"city": "Paris", "days": 12'), pieces=50, ends=False)
    got = play([Play(first, cut=True), Play(other), Play(other)], ASK)
    assert calls_of(got.body) == [("weather", '{"city": "Paris", "days": 12')]
    assert text_of(got.body) == ""
    assert [("error" in each) for each in got.chunks].count(True) == 1
    assert "error" in got.chunks[-1]
    assert got.settled.attempts[1].cause == "apart"


def thought(text: str, seal: str = "") -> list[bytes]:
    """A Claude that thinks, to the seal if there is one."""
    events: list[tuple[str, dict[str, Any]]] = [
        ("message_start", {"message": {"id": "m", "type": "message", "role": "assistant", "model": "c",
                                       "content": [], "usage": {"input_tokens": 3, "output_tokens": 1}}}),
        ("content_block_start", {"index": 0, "content_block": {"type": "thinking", "thinking": ""}}),
        ("content_block_delta", {"index": 0, "delta": {"type": "thinking_delta", "thinking": text}}),
    ]  # fmt: skip
    if seal:
        delta = {"type": "signature_delta", "signature": seal}
        events.append(("content_block_delta", {"index": 0, "delta": delta}))
    return wired(events)


def wired(events: list[tuple[str, dict[str, Any]]]) -> list[bytes]:
    """Events as Anthropic sends them."""
    return [
        b"event: %b\ndata: %b\n\n" % (name.encode(), json.dumps({"type": name, **data}).encode())
        for name, data in events
    ]


ENDING = wired(
    [
        ("content_block_stop", {"index": 0}),
        ("content_block_start", {"index": 1, "content_block": {"type": "text", "text": ""}}),
        ("content_block_delta", {"index": 1, "delta": {"type": "text_delta", "text": "Four."}}),
        ("content_block_stop", {"index": 1}),
        ("message_delta", {"delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}}),
        ("message_stop", {}),
    ]
)


@pytest.mark.parametrize("seal", ["", "half-a-se"])
def test_a_thought_that_broke_off_is_closed_and_the_next_model_thinks_anew(seal: str) -> None:
    """The client sees both; on its next turn the vendor gets only the thought that it sealed, unchanged."""
    plays = [Play(thought("Two and ", seal), cut=True), Play([*thought("Two and two.", "whole-seal"), *ENDING])]
    got = play(plays, ASK, path="/v1/messages", first=ANTHROPIC, second=ANTHROPIC)
    assert got.settled.outcome == "ok"
    assert len(got.sent[1]["messages"]) == 1, "nothing was said that could be gone on from"
    content = blocks_of(got.chunks)
    assert [block["type"] for block in content] == ["thinking", "thinking", "text"]
    assert [block.get("thinking") for block in content[:2]] == ["Two and ", "Two and two."]
    assert content[1]["signature"] == "whole-seal"
    turns = [*ASK["messages"], {"role": "assistant", "content": content}, {"role": "user", "content": "Why?"}]
    again = play(
        [Play([*thought("Because.", "s"), *ENDING])],
        {"messages": turns, "max_tokens": 500},
        path="/v1/messages",
        first=ANTHROPIC,
        resumes=False,
    )
    sent: list[dict[str, Any]] = again.sent[0]["messages"][1]["content"]
    assert [(block["type"], block.get("signature")) for block in sent] == [
        ("thinking", "whole-seal"),
        ("text", None),
    ]


def blocks_of(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The content of a message that came as events, as Anthropic's SDK puts it together."""
    found: list[dict[str, Any]] = []
    for each in events:
        if each["type"] == "content_block_start":
            begun: dict[str, Any] = each["content_block"]
            found.append({**begun})
        elif each["type"] == "content_block_delta":
            index: int = each["index"]
            block = found[index]
            delta: dict[str, Any] = each["delta"]
            for name in ("text", "thinking", "signature"):
                if name in delta:
                    block[name] = block.get(name, "") + delta[name]
    return found


def test_half_a_thought_of_openai_goes_on_as_well() -> None:
    """Models whose thoughts are plain text think anew; the client has one answer after two thoughts."""
    pieces = [chunk({"role": "assistant"}), chunk({"reasoning_content": "Let me see"})]
    got = play([Play(pieces, cut=True), Play(said("Four."))], ASK)
    assert text_of(got.body) == "Four."
    assert got.body.count(b"Let me see") == 1


AUDIO = {"audio": {"id": "a", "data": "AAAA"}}
HALF: dict[str, dict[str, Any]] = {"sound": AUDIO, "a refusal": {"refusal": "I can"}}


@pytest.mark.parametrize("delta", HALF.values(), ids=HALF.keys())
def test_where_no_splice_is_valid_the_error_is_clean(delta: dict[str, Any]) -> None:
    """Half a sound, or half a refusal, is nobody else's to finish: one error, no second request."""
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
