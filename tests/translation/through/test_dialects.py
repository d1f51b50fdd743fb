"""Gemini, Converse and Responses clients in front of vendors that speak something else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from penstock.wire.aws_events import AwsEventDecoder
from tests.translation.through.conftest import Doors
from tests.translation.upstream import Answer, sse

_CHUNK: dict[str, Any] = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "llama"}
_STREAM: list[dict[str, Any]] = [
    {
        **_CHUNK,
        "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hi "}, "finish_reason": None}],
    },
    {**_CHUNK, "choices": [{"index": 0, "delta": {"content": "you"}, "finish_reason": None}]},
    {**_CHUNK, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    {**_CHUNK, "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}},
]
_WHOLE: dict[str, Any] = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "llama",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "t1", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}
                ],
            },
            "finish_reason": "tool_calls",
        }
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}
_CONTENTS = [{"role": "user", "parts": [{"text": "Hello"}]}]
_TURNS = [{"role": "user", "content": [{"text": "Hello"}]}]


def test_a_gemini_client_gets_a_function_call(doors: Doors) -> None:
    """Google's API in front of an OpenAI-compatible server: the call's arguments are an object."""
    door = doors.open("vllm")
    door.upstream.answer = Answer(_WHOLE)
    wish: dict[str, Any] = {
        "contents": _CONTENTS,
        "tools": [
            {"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT", "properties": {}}}]}
        ],
        "generationConfig": {"maxOutputTokens": 9},
    }
    told = door.post("/v1beta/models/up/llama:generateContent", wish)
    assert told.status == 200, told.text
    (part,) = told.json()["candidates"][0]["content"]["parts"]
    assert part["functionCall"]["name"] == "f"
    assert part["functionCall"]["args"] == {"x": 1}
    assert told.json()["usageMetadata"]["promptTokenCount"] == 3
    (asked,) = door.upstream.asked
    assert (asked.body["model"], asked.body["max_tokens"]) == ("llama", 9)
    assert asked.body["tools"][0]["function"]["name"] == "f"


@pytest.mark.parametrize("query", ["?alt=sse", ""])
def test_a_gemini_client_streams_as_it_asked(doors: Doors, query: str) -> None:
    """With alt=sse events, without it one JSON array that grows."""
    door = doors.open("vllm")
    door.upstream.answer = sse(*_STREAM, done=True)
    told = door.post(f"/v1beta/models/up/llama:streamGenerateContent{query}", {"contents": _CONTENTS})
    assert told.status == 200, told.text
    if query:
        pieces = [json.loads(line[6:]) for line in told.text.splitlines() if line.startswith("data: ")]
    else:
        assert told.headers["content-type"] == "application/json"
        pieces = told.json()
    said = "".join(
        part.get("text", "")
        for piece in pieces
        for candidate in piece.get("candidates", [])
        for part in candidate.get("content", {}).get("parts", [])
    )
    assert said == "Hi you"
    assert pieces[-1]["candidates"][0]["finishReason"] == "STOP"
    assert door.upstream.asked[0].body["stream"] is True


@pytest.mark.parametrize("query", ["?alt=sse", ""])
def test_a_gemini_client_of_gemini_gets_either_framing(doors: Doors, query: str) -> None:
    """Google is asked for SSE whatever the client wants, and usage is read on the way."""
    door = doors.open("google")
    piece = {
        "candidates": [
            {"content": {"role": "model", "parts": [{"text": "Hi"}]}, "finishReason": "STOP", "index": 0}
        ],
        "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5},
        "novel": 1,
    }
    door.upstream.answer = sse(piece)
    told = door.post(f"/v1beta/models/up/gemini-x:streamGenerateContent{query}", {"contents": _CONTENTS})
    assert told.status == 200, told.text
    assert (told.raw == door.upstream.answer.body()) if query else (told.json() == [piece])
    (asked,) = door.upstream.asked
    assert asked.path == "/base/models/gemini-x:streamGenerateContent?alt=sse"
    assert asked.headers["x-goog-api-key"] == "upstream-secret"
    (settled,) = door.gateway.exchanges(1)
    assert settled.attempts[-1].usage.output_tokens == 2


_SAID_AGAIN: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "batchEmbedContents",
        {"requests": [{"model": "models/up/e", "x": 1}, {"model": "models/other"}, {"content": {}}]},
        {"requests": [{"model": "models/e", "x": 1}, {"model": "models/e"}, {"content": {}}]},
    ),
    ("embedContent", {"model": "models/up/e", "x": 1}, {"model": "models/e", "x": 1}),
    ("embedContent", {"model": "up/e"}, {"model": "e"}),
    (
        "countTokens",
        {"generateContentRequest": {"model": "models/other", "contents": []}},
        {"generateContentRequest": {"model": "models/e", "contents": []}},
    ),
]


@pytest.mark.parametrize(("method", "given", "sent"), _SAID_AGAIN)
def test_googles_bodies_name_the_model_of_the_path(
    doors: Doors, method: str, given: dict[str, Any], sent: dict[str, Any]
) -> None:
    """What is authorised is what is sent, wherever a body says the model again."""
    door = doors.open("google")
    door.upstream.answer = Answer({"totalTokens": 1, "embedding": {"values": [1]}, "embeddings": []})
    told = door.post(f"/v1beta/models/up/e:{method}", given)
    assert told.status == 200, told.text
    assert door.upstream.asked[0].body == sent


def test_a_converse_client_streams_from_an_openai_server(doors: Doors) -> None:
    """ConverseStream's binary messages carry text, stop reason and usage."""
    door = doors.open("vllm")
    door.upstream.answer = sse(*_STREAM, done=True)
    told = door.post("/model/up%2Fllama/converse-stream", {"messages": _TURNS})
    assert told.status == 200, told.text
    assert told.headers["content-type"] == "application/vnd.amazon.eventstream"
    messages = AwsEventDecoder().feed(told.raw)
    names = [message.text(":event-type") for message in messages]
    assert names[0] == "messageStart"
    assert {"contentBlockDelta", "messageStop", "metadata"} <= set(names)
    said = [
        json.loads(m.payload)["delta"]["text"] for m in messages if m.text(":event-type") == "contentBlockDelta"
    ]
    assert "".join(said) == "Hi you"
    assert json.loads(messages[-1].payload)["usage"]["inputTokens"] == 3


def test_a_responses_client_streams_from_an_openai_chat_server(doors: Doors) -> None:
    """A server that knows chat alone answers the Responses API with its typed events."""
    door = doors.open("moonshot")
    door.upstream.answer = sse(*_STREAM, done=True)
    told = door.post("/v1/responses", {"model": "up/llama", "input": "Hello", "stream": True})
    assert told.status == 200, told.text
    events = [json.loads(line[6:]) for line in told.text.splitlines() if line.startswith("data: ")]
    assert [events[0]["type"], events[-1]["type"]] == ["response.created", "response.completed"]
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == "Hi you"
    assert events[-1]["response"]["usage"]["input_tokens"] == 3
    assert [event["sequence_number"] for event in events] == list(range(len(events)))


def test_a_converse_client_passes_to_bedrock(doors: Doors) -> None:
    """Same API on both sides: bytes pass, the model stands in the path."""
    door = doors.open("bedrock")
    reply = {
        "output": {"message": {"role": "assistant", "content": [{"text": "Hi"}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5},
        "metrics": {"latencyMs": 5},
        "novel": [1],
    }
    door.upstream.answer = Answer(reply)
    told = door.post("/model/up%2Fsome.model-v1%3A0/converse", {"messages": _TURNS, "unheard": 1})
    assert told.json() == reply
    (asked,) = door.upstream.asked
    assert asked.path == "/base/model/some.model-v1%3A0/converse"
    assert asked.headers["authorization"] == "Bearer upstream-secret"
    assert asked.body == {"messages": _TURNS, "unheard": 1}
    (settled,) = door.gateway.exchanges(1)
    assert settled.attempts[-1].usage.input_tokens == 3


_RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "status": "completed",
    "model": "gpt-6-astra",
    "output": [
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "c2VhbA=="},
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "{}"},
    ],
    "usage": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5},
}


@pytest.mark.parametrize(
    ("kind", "model", "path"),
    [
        ("azure", "gpt-6-astra", "/base/responses"),
        ("azure", "gpt-5.4-mini", "/base/responses"),
        ("azure", "gpt-5.2", "/base/chat/completions"),
        ("azure-deployments", "gpt-6-astra", "/base/chat/completions?api-version=2024-10-21"),
        ("openai", "gpt-6-astra", "/base/chat/completions"),  # another server than OpenAI's
    ],
)
def test_models_that_chat_does_not_serve_are_asked_for_responses(
    doors: Doors, kind: str, model: str, path: str
) -> None:
    """Whose newer models call tools by the other API alone; thinking comes back to it with its seal."""
    door = doors.open(kind)
    chat = not path.startswith("/base/responses")
    door.upstream.answer = Answer(_WHOLE if chat else _RESPONSE)
    tool: Any = {"name": "f", "input_schema": {"type": "object", "properties": {}}}
    wish: dict[str, Any] = {
        "model": f"up/{model}",
        "max_tokens": 99,
        "temperature": 0.5,
        "tools": [tool],
        "messages": [{"role": "user", "content": "Hello"}],
    }
    told = door.post("/v1/messages", wish)
    assert told.status == 200, told.text
    assert door.upstream.asked[0].path == path
    assert told.json()["stop_reason"] == "tool_use"
    (attempt,) = door.gateway.exchanges(1)[0].attempts
    assert (attempt.usage.input_tokens, attempt.usage.output_tokens) == (3, 2)
    if chat:
        return
    asked = door.upstream.asked[0].body
    assert (asked["store"], asked["max_output_tokens"]) == (False, 99)
    if model == "gpt-6-astra":
        assert "temperature" not in asked
        assert "temperature" in told.headers["x-penstock-warning"]
    content = told.json()["content"]
    result = {"type": "tool_result", "tool_use_id": "call_1", "content": "seen"}
    turns = [{"role": "assistant", "content": content}, {"role": "user", "content": [result]}]
    assert door.post("/v1/messages", {**wish, "messages": wish["messages"] + turns}).status == 200
    kinds = [item.get("type", item.get("role")) for item in door.upstream.asked[-1].body["input"]]
    assert kinds == ["user", "reasoning", "function_call", "function_call_output"]
    assert door.upstream.asked[-1].body["input"][1]["encrypted_content"] == "c2VhbA=="
