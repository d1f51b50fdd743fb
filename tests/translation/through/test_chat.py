"""Conversations in every client's words, answered by vendors who use others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.translation.through.conftest import Doors
from tests.translation.upstream import Answer, sse

_MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x",
    "content": [{"type": "text", "text": "Good day."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 11, "output_tokens": 4, "cache_read_input_tokens": 5},
}
_STREAM: list[dict[str, Any]] = [
    {"type": "message_start", "message": {**_MESSAGE, "content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Good "}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "day."}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 4},
    },
    {"type": "message_stop"},
]
_HELLO = [{"role": "user", "content": "Hello"}]


def test_a_chat_client_is_answered_by_anthropic(doors: Doors) -> None:
    """The request reaches Anthropic in its words, the answer comes back as a chat completion."""
    door = doors.open("anthropic")
    door.upstream.answer = Answer(_MESSAGE)
    told = door.post(
        "/v1/chat/completions", {"model": "up/claude-x", "messages": _HELLO, "logit_bias": {"1": 2}}
    )
    assert told.status == 200, told.text
    body = told.json()
    assert body["choices"][0]["message"]["content"] == "Good day."
    assert body["choices"][0]["finish_reason"] == "stop"
    assert body["usage"]["prompt_tokens"] == 16
    assert body["usage"]["prompt_tokens_details"]["cached_tokens"] == 5
    assert "logit_bias" in told.headers["x-penstock-warning"]
    (asked,) = door.upstream.asked
    assert asked.path == "/base/messages"
    assert asked.headers["x-api-key"] == "upstream-secret"
    assert asked.headers["anthropic-version"] == "2023-06-01"
    assert asked.body["messages"] == [{"role": "user", "content": "Hello"}]
    (settled,) = door.gateway.exchanges(1)
    usage = settled.attempts[-1].usage
    assert (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens) == (16, 4, 5)


def test_a_chat_clients_stream_comes_from_anthropic(doors: Doors) -> None:
    """Chunks, then the end mark; usage only where it was asked for."""
    door = doors.open("anthropic")
    door.upstream.answer = sse(*_STREAM, names=True)
    told = door.post("/v1/chat/completions", {"model": "up/claude-x", "messages": _HELLO, "stream": True})
    assert told.headers["content-type"].startswith("text/event-stream")
    lines = [line[6:] for line in told.text.splitlines() if line.startswith("data: ")]
    assert lines[-1] == "[DONE]"
    chunks = [json.loads(line) for line in lines[:-1]]
    said = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk["choices"])
    assert said == "Good day."
    assert all("usage" not in chunk or chunk["usage"] is None for chunk in chunks)
    (settled,) = door.gateway.exchanges(1)
    assert settled.attempts[-1].usage.output_tokens == 4


def test_an_anthropic_client_passes_to_anthropic_untouched(doors: Doors) -> None:
    """Same API on both sides: unknown fields survive both ways, only the model's name is patched."""
    door = doors.open("anthropic")
    door.upstream.answer = Answer({**_MESSAGE, "novel": {"x": [1]}})
    wish = {"model": "up/claude-x", "max_tokens": 5, "messages": _HELLO, "unheard": [1, {"of": None}]}
    told = door.post("/v1/messages", wish, **{"anthropic-beta": "b1"})
    assert told.json() == {**_MESSAGE, "novel": {"x": [1]}}
    (asked,) = door.upstream.asked
    assert asked.body == {**wish, "model": "claude-x"}
    assert asked.headers["anthropic-beta"] == "b1"
    (settled,) = door.gateway.exchanges(1)
    assert settled.request.dialect == "anthropic"
    assert settled.attempts[-1].usage.input_tokens == 16


def test_an_anthropic_stream_passes_byte_for_byte(doors: Doors) -> None:
    """The client sees the vendor's own events; usage is read on the way."""
    door = doors.open("anthropic")
    door.upstream.answer = sse(*_STREAM, names=True)
    wish = {"model": "up/claude-x", "max_tokens": 5, "messages": _HELLO, "stream": True}
    told = door.post("/v1/messages", wish)
    assert told.raw == door.upstream.answer.body()
    (settled,) = door.gateway.exchanges(1)
    assert settled.attempts[-1].usage.input_tokens == 16
    assert settled.attempts[-1].finish_reason == "stop"


def test_an_anthropic_client_is_answered_by_an_openai_server(doors: Doors) -> None:
    """Claude's SDK in front of any OpenAI-compatible server, streamed."""
    door = doors.open("vllm")
    chunk = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "llama"}
    door.upstream.answer = sse(
        {
            **chunk,
            "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hi"}, "finish_reason": None}],
        },
        {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {**chunk, "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}},
        done=True,
    )
    wish = {"model": "up/llama", "max_tokens": 5, "system": "Be brief.", "messages": _HELLO, "stream": True}
    told = door.post("/v1/messages", wish)
    assert told.status == 200, told.text
    names = [line[7:] for line in told.text.splitlines() if line.startswith("event: ")]
    assert names[0] == "message_start"
    assert names[-2:] == ["message_delta", "message_stop"]
    assert '"text":"Hi"' in told.text
    (asked,) = door.upstream.asked
    assert asked.path == "/base/chat/completions"
    assert asked.body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert asked.body["stream_options"] == {"include_usage": True}


def test_a_vendors_refusal_comes_in_the_clients_words(doors: Doors) -> None:
    """The status and the sentence are the vendor's, the shape is the client's."""
    door = doors.open("anthropic")
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": "max_tokens: too many"}}
    door.upstream.answer = Answer(error, status=400)
    told = door.post("/v1/chat/completions", {"model": "up/claude-x", "messages": _HELLO})
    assert told.status == 400
    assert "max_tokens: too many" in told.json()["error"]["message"]
    assert told.json()["error"]["code"] == "upstream_rejected"
    told = door.post("/v1/messages", {"model": "up/claude-x", "max_tokens": 1, "messages": _HELLO})
    assert told.json() == error


def test_on_unsupported_error_refuses_before_anything_is_sent(doors: Doors) -> None:
    """With `error` a parameter that the target lacks is a 400 that names it."""
    door = doors.open("anthropic", policy="error")
    wish = {"model": "up/claude-x", "messages": _HELLO, "logit_bias": {"1": 2}}
    told = door.post("/v1/chat/completions", wish)
    assert (told.status, told.json()["error"]["code"]) == (400, "unsupported_parameter")
    assert "logit_bias" in told.json()["error"]["message"]
    assert door.upstream.asked == []


def test_two_answers_are_two_requests_where_a_vendor_gives_one(doors: Doors) -> None:
    """Asking for two is a fan-out: two choices, the usage of both, one attempt in the ledger."""
    door = doors.open("anthropic")
    door.upstream.answer = Answer(_MESSAGE)
    told = door.post("/v1/chat/completions", {"model": "up/claude-x", "messages": _HELLO, "n": 2})
    assert told.status == 200, told.text
    assert [choice["index"] for choice in told.json()["choices"]] == [0, 1]
    assert told.json()["usage"]["completion_tokens"] == 8
    assert len(door.upstream.asked) == 2
    (settled,) = door.gateway.exchanges(1)
    assert (len(settled.attempts), settled.attempts[0].usage.output_tokens) == (1, 8)


def test_two_answers_stream_side_by_side(doors: Doors) -> None:
    """Both legs' pieces reach the client as choices 0 and 1, with one end."""
    door = doors.open("anthropic")
    door.upstream.answer = sse(*_STREAM, names=True)
    wish = {"model": "up/claude-x", "messages": _HELLO, "n": 2, "stream": True}
    told = door.post("/v1/chat/completions", {**wish, "stream_options": {"include_usage": True}})
    lines = [line[6:] for line in told.text.splitlines() if line.startswith("data: ")]
    assert lines.count("[DONE]") == 1
    said = {0: "", 1: ""}
    usages: list[Any] = []
    for line in lines[:-1]:
        chunk = json.loads(line)
        usages += [chunk["usage"]] if chunk.get("usage") else []
        for choice in chunk["choices"]:
            said[choice["index"]] += choice["delta"].get("content") or ""
    assert said == {0: "Good day.", 1: "Good day."}
    assert usages[-1]["completion_tokens"] == 8


_TOOLS: list[dict[str, Any]] = [
    {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
]


def _thinking(number: int, *, stream: bool) -> Answer:
    """An answer that thinks, seals its thought, and calls a tool."""
    thought = {"type": "thinking", "thinking": f"Thought {number}.", "signature": f"c2VhbA{number}="}
    call: dict[str, Any] = {"type": "tool_use", "id": f"toolu_{number}", "name": "look", "input": {}}
    if not stream:
        return Answer({**_MESSAGE, "content": [thought, call], "stop_reason": "tool_use"})
    told = {"thinking": thought["thinking"], "signature": thought["signature"]}
    deltas = [{"type": f"{name}_delta", name: value} for name, value in told.items()]
    events: list[dict[str, Any]] = [
        _STREAM[0],
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {**thought, "thinking": "", "signature": ""},
        },
        *[{"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas],
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": call},
        {"type": "content_block_stop", "index": 1},
        {**_STREAM[-2], "delta": {"stop_reason": "tool_use", "stop_sequence": None}},
        _STREAM[-1],
    ]
    return sse(*events, names=True)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_each_of_several_answers_keeps_its_own_seal(doors: Doors, stream: bool) -> None:
    """Whichever answer a client goes on with, the vendor gets that answer's thought back with its seal."""
    door = doors.open("anthropic")
    left = [0, 1, 2]
    door.upstream.answer = lambda _asked: _thinking(left.pop(), stream=stream)
    wish: dict[str, Any] = {
        "model": "up/claude-sonnet-4-5",
        "messages": _HELLO,
        "tools": _TOOLS,
        "reasoning_effort": "low",
    }
    told = door.post("/v1/chat/completions", {**wish, "n": 3, "stream": stream})
    ids: dict[int, str] = {}
    bodies = [told.json()] if not stream else [json.loads(x[6:]) for x in told.text.split("\n\n") if "{" in x]
    for choice in [choice for body in bodies for choice in body["choices"]]:
        for call in choice["delta" if stream else "message"].get("tool_calls") or ():
            ids[choice["index"]] = call["id"]
    assert sorted(ids) == [0, 1, 2]
    for call_id in ids.values():
        door.upstream.asked.clear()
        door.upstream.answer = Answer(_MESSAGE)
        call = {"id": call_id, "type": "function", "function": {"name": "look", "arguments": "{}"}}
        answered = [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": call_id, "content": "seen"},
        ]
        assert door.post("/v1/chat/completions", {**wish, "messages": [*_HELLO, *answered]}).status == 200
        thought, use = door.upstream.asked[0].body["messages"][1]["content"]
        number = use["id"].removeprefix("toolu_")
        assert call_id.startswith(f"toolu_{number}")
        assert (thought["thinking"], thought["signature"]) == (f"Thought {number}.", f"c2VhbA{number}=")


def test_a_leg_that_fails_fails_the_attempt(doors: Doors) -> None:
    """One of two requests refused: the client gets that refusal, not half an answer."""
    door = doors.open("anthropic")
    answers = [Answer(_MESSAGE), Answer({"type": "error", "error": {"type": "x", "message": "no"}}, status=400)]
    door.upstream.answer = lambda _asked: answers.pop()
    told = door.post("/v1/chat/completions", {"model": "up/claude-x", "messages": _HELLO, "n": 2})
    assert told.status == 400


def test_errors_of_ours_come_in_each_dialects_shape(doors: Doors) -> None:
    """A wrong key, an unknown model and bad JSON look to each SDK like its vendor's own errors."""
    door = doors.open("anthropic")
    told = door.post("/v1/messages", {}, Authorization="Bearer wrong")
    assert (told.status, told.json()["type"], told.json()["error"]["type"]) == (
        401,
        "error",
        "authentication_error",
    )
    assert told.headers["request-id"].startswith("req_")
    told = door.post("/v1beta/models/gemini-x:generateContent", {}, Authorization="Bearer wrong")
    assert (told.status, told.json()["error"]["status"]) == (401, "UNAUTHENTICATED")
    told = door.post("/model/some.model/converse", {}, Authorization="Bearer wrong")
    assert told.status == 403  # as AWS answers a wrong key
    assert told.headers["x-amzn-errortype"]


def test_tokens_are_counted_by_the_vendor_or_estimated(doors: Doors) -> None:
    """Anthropic counts for itself; for a target that cannot, the number is ours and says so."""
    door = doors.open("anthropic")
    door.upstream.answer = Answer({"input_tokens": 42})
    wish = {"model": "up/claude-x", "messages": _HELLO}
    told = door.post("/v1/messages/count_tokens", wish)
    assert told.json() == {"input_tokens": 42}
    assert door.upstream.asked[0].path == "/base/messages/count_tokens"
    door = doors.open("vllm")
    told = door.post("/v1/messages/count_tokens", {**wish, "model": "up/llama"})
    assert told.status == 200
    assert 5 < told.json()["input_tokens"] < 20
    assert told.headers["x-penstock-warning"] == "estimated=input_tokens"
    told = door.post("/v1beta/models/up/llama:countTokens", {"contents": [{"parts": [{"text": "Hello you"}]}]})
    assert told.json()["totalTokens"] > 5
    assert door.upstream.asked == []


def test_a_schema_is_emulated_by_a_forced_tool(doors: Doors) -> None:
    """Where a model has no structured output, a tool that it must call carries the answer, and is unwrapped."""
    door = doors.open("anthropic")
    door.upstream.answer = Answer(
        {
            **_MESSAGE,
            "content": [{"type": "tool_use", "id": "t1", "name": "answer", "input": {"x": 1}}],
            "stop_reason": "tool_use",
        }
    )
    schema = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
    told = door.post(
        "/v1/chat/completions",
        {
            "model": "up/claude-3-haiku",
            "messages": _HELLO,
            "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}},
        },
    )
    choice = told.json()["choices"][0]
    assert json.loads(choice["message"]["content"]) == {"x": 1}
    assert choice["finish_reason"] == "stop"
    assert "tool_calls" not in choice["message"] or not choice["message"]["tool_calls"]
    (asked,) = door.upstream.asked
    assert asked.body["tool_choice"]["name"] == asked.body["tools"][0]["name"] == "answer"
    assert asked.body["tools"][0]["input_schema"]["required"] == ["x"]
    assert "output.schema" in told.headers["x-penstock-warning"]


@pytest.mark.parametrize("stream", [False, True])
def test_what_binds_thoughts_to_a_conversation_goes_through(doors: Doors, *, stream: bool) -> None:
    """A Messages client says what becomes of a thought whose history changed, and hears what was dropped."""
    door = doors.open("anthropic")
    dropped = [{"type": "thinking_dropped", "message_index": 1}]
    start = {**_STREAM[0], "message": {**_STREAM[0]["message"], "input_transformations": dropped}}
    door.upstream.answer = (
        sse(start, *_STREAM[1:], names=True)
        if stream
        else Answer({**_MESSAGE, "input_transformations": dropped})
    )
    thinking = {"type": "adaptive", "block_binding": {"prefix_mismatch_behavior": "drop_block"}}
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "c2VhbA=="}
    said = {"role": "assistant", "content": [thought, {"type": "text", "text": "Hello."}]}
    messages = [*_HELLO, said, {"role": "user", "content": "More"}]
    told = door.post(
        "/v1/messages",
        {
            "model": "up/claude-fable-5-1",
            "max_tokens": 99,
            "messages": messages,
            "thinking": thinking,
            "stream": stream,
        },
        **{"anthropic-beta": "thinking-binding-controls-2026-08-01"},
    )
    assert told.status == 200, told.text
    assert '"thinking_dropped"' in told.text
    (asked,) = door.upstream.asked
    assert asked.headers["anthropic-beta"] == "thinking-binding-controls-2026-08-01"
    assert asked.body["thinking"] == thinking
    assert asked.body["messages"][1]["content"][0] == thought
