"""A cost that an answer carries reaches the journal beside ours, raw or translated, whole or streamed."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.testing.gateway import GatewayThread
from tests.clients.plain import send
from tests.gateway.asking import KEY
from tests.translation.upstream import Answer, CannedUpstream, sse

CONFIG = """
version: 1
providers:
  chat: {{kind: openrouter, base_url: "{url}/api/v1", api_key: sk-or-test}}
  x: {{kind: xai, base_url: "{url}/v1", api_key: xai-test}}
keys:
  - {{name: dev, secret: sk-test-gateway, direct: true}}
"""
TEXT = [{"role": "user", "content": "Hello"}]
DOLLARS = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7, "cost": 0.00123}
OWN_KEY = DOLLARS | {"is_byok": True, "cost_details": {"upstream_inference_cost": 0.02}}
OBJECT = DOLLARS | {"cost": {"input_tokens_cost": 0.0, "total_cost": 0.00123}}
TICKS = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7, "cost_in_usd_ticks": 12_300_000}
MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
OUTPUT: list[dict[str, Any]] = [
    MESSAGE | {"content": [{"type": "output_text", "text": "Hi", "annotations": []}]}
]


def chat(usage: dict[str, Any]) -> Answer:
    """A whole chat completion."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hi"}}
    return Answer({"id": "c", "object": "chat.completion", "model": "m", "choices": [choice], "usage": usage})


def chat_stream(usage: dict[str, Any]) -> Answer:
    """The same, streamed; the usage comes last."""
    base = {"id": "c", "object": "chat.completion.chunk", "model": "m"}
    said = {"index": 0, "delta": {"role": "assistant", "content": "Hi"}, "finish_reason": None}
    end: dict[str, Any] = {"index": 0, "delta": {}, "finish_reason": "stop"}
    return sse(
        *(base | {"choices": [said]}, base | {"choices": [end]}, base | {"choices": [], "usage": usage}),
        done=True,
    )


def response(usage: dict[str, Any]) -> dict[str, Any]:
    """A response object."""
    named = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "status": "completed"}
    return named | {"output": OUTPUT, "usage": usage}


def response_stream(usage: dict[str, Any]) -> Answer:
    """A stream of a response's events, as short as one can be."""
    delta = {"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "content_index": 0}
    done = {"type": "response.completed", "response": response(usage)}
    return sse(delta | {"delta": "Hi"}, done, names=True)


CASES: list[tuple[str, str, dict[str, Any], Answer, int | None]] = [
    ("chat/completions", "chat/m", {"messages": TEXT}, chat(DOLLARS), 1_230_000),
    ("chat/completions", "chat/m", {"messages": TEXT}, chat(OBJECT), 1_230_000),
    ("chat/completions", "chat/m", {"messages": TEXT}, chat(OWN_KEY), 21_230_000),
    ("chat/completions", "chat/m", {"messages": TEXT}, chat(DOLLARS | {"cost": "0.1"}), None),
    ("chat/completions", "chat/m", {"messages": TEXT}, chat(DOLLARS | {"cost": -1}), None),
    ("chat/completions", "chat/m", {"messages": TEXT, "stream": True}, chat_stream(DOLLARS), 1_230_000),
    ("chat/completions", "chat/m", {"messages": TEXT, "stream": True}, chat_stream(OWN_KEY), 21_230_000),
    ("responses", "x/m", {"input": "Hello", "store": False}, Answer(response(TICKS)), 1_230_000),
    ("responses", "x/m", {"input": "Hello", "store": False, "stream": True}, response_stream(TICKS), 1_230_000),
    ("messages", "chat/m", {"messages": TEXT, "max_tokens": 9}, chat(DOLLARS), 1_230_000),
    ("messages", "chat/m", {"messages": TEXT, "max_tokens": 9}, chat(OWN_KEY), 21_230_000),
    ("messages", "chat/m", {"messages": TEXT, "max_tokens": 9, "stream": True}, chat_stream(OBJECT), 1_230_000),
    (
        "embeddings",
        "chat/m",
        {"input": "Hello"},
        Answer(
            {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.1]}], "model": "m"}
            | {"usage": {"prompt_tokens": 5, "total_tokens": 5, "cost": 0.00123}}
        ),
        1_230_000,
    ),
]


@pytest.mark.parametrize(("path", "model", "body", "answer", "reported"), CASES)
def test_a_reported_cost_is_written_down(
    path: str, model: str, body: dict[str, Any], answer: Answer, reported: int | None
) -> None:
    """Raw and translated, whole and streamed; our own cost and usage are what they are without it."""
    with CannedUpstream(answer) as upstream, GatewayThread(CONFIG.format(url=upstream.url)) as gateway:
        told = send(f"{gateway.url}/v1/{path}", {"model": model} | body, KEY)
        assert told.status == 200, told.body
        (settled,) = gateway.exchanges(1)
        (attempt,) = settled.attempts
        assert attempt.reported_cost_nanousd == reported
        assert (attempt.usage.input_tokens, attempt.usage_source) == (5, "reported")
        assert attempt.cost_nanousd is None


def test_usage_in_the_event_of_an_error_counts() -> None:
    """A stream that breaks after it consumed something is charged at what it reports, not estimated."""
    broken = {
        "id": "c",
        "object": "chat.completion.chunk",
        "model": "m",
        "error": {"code": 400, "message": "no"},
    }
    said = {"index": 0, "delta": {"role": "assistant", "content": "Hi"}, "finish_reason": None}
    first = {"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [said]}
    answer = sse(first, broken | {"choices": [], "usage": DOLLARS})
    with CannedUpstream(answer) as upstream, GatewayThread(CONFIG.format(url=upstream.url)) as gateway:
        body = {"model": "chat/m", "messages": TEXT, "stream": True}
        send(f"{gateway.url}/v1/chat/completions", body, KEY)
        (settled,) = gateway.exchanges(1)
        (attempt,) = settled.attempts
        assert (attempt.outcome, attempt.usage_source) == ("error", "reported")
        assert (attempt.usage.output_tokens, attempt.reported_cost_nanousd) == (2, 1_230_000)
