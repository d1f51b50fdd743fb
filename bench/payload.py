"""What every contender relays: one 1 kB chat request, one 1.4 kB answer, and the events of a metered stream."""

from __future__ import annotations

import json
import re

MODEL = "chat"
KEY = "sk-bench"
REQUEST_BYTES = 1024
ANSWER_BYTES = 1400
WORDS = "the gate measures the flow that leaves the reservoir for the turbine and nothing is lost on the way "
STAMP = re.compile(rb"t=(\d+)")


def _text(length: int) -> str:
    return (WORDS * (length // len(WORDS) + 1))[:length]


def request_body(*, stream: bool = False, max_tokens: int = 200) -> bytes:
    """A chat completion request of exactly REQUEST_BYTES."""
    document: dict[str, object] = {
        "model": MODEL,
        "messages": [{"role": "system", "content": "You are helpful."}, {"role": "user", "content": ""}],
        "max_tokens": max_tokens,
    }
    if stream:
        document["stream"] = True
    missing = REQUEST_BYTES - len(json.dumps(document))
    document["messages"] = [
        {"role": "system", "content": "You are helpful."},
        {"role": "user", "content": _text(missing)},
    ]
    return json.dumps(document).encode()


def answer_body() -> bytes:
    """The canned chat completion, exactly ANSWER_BYTES, with the usage block that OpenAI sends."""
    message: dict[str, object] = {"role": "assistant", "content": "", "refusal": None, "annotations": []}
    document: dict[str, object] = {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1760000000,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": 220,
            "completion_tokens": 160,
            "total_tokens": 380,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
        "service_tier": "default",
        "system_fingerprint": "fp_bench",
    }
    message["content"] = _text(ANSWER_BYTES - len(json.dumps(document)))
    return json.dumps(document).encode()


def _event(delta: str, finish: str, usage: str = "") -> bytes:
    return (
        'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1760000000,'
        '"model":"gpt-4o-mini-2024-07-18","system_fingerprint":"fp_bench","choices":[{"index":0,'
        f'"delta":{delta},"logprobs":null,"finish_reason":{finish}}}]{usage}}}\n\n'
    ).encode()


def stamped_event(at_ns: int) -> bytes:
    """One content event that carries the monotonic instant at which it was sent."""
    return _event(f'{{"content":" t={at_ns}"}}', "null")


def closing_events(*, with_usage: bool, events: int) -> bytes:
    """The end of a stream: finish reason, the usage chunk if it was asked for, and [DONE]."""
    usage = (
        b'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1760000000,'
        b'"model":"gpt-4o-mini-2024-07-18","choices":[],"usage":{"prompt_tokens":220,'
        b'"completion_tokens":%d,"total_tokens":%d}}\n\n' % (events, 220 + events)
    )
    return _event("{}", '"stop"') + (usage if with_usage else b"") + b"data: [DONE]\n\n"
