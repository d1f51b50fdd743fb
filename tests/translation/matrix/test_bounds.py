"""Two hundred kilobytes of anything cost a bounded number of steps, and nesting is refused or survived."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
import pytest

from penstock.core.errors import ShapeError
from penstock.core.parts import Signature, Thinking
from penstock.core.seals import into_id
from penstock.dialects.registry import chat_dialect
from penstock.providers.registry import chat_provider
from tests.translation.matrix.attack import attack_reply, attack_request

SIZE = 200_000


def _nested(depth: int) -> Any:
    value: Any = {"type": "string"}
    for _ in range(depth):
        value = {"type": "object", "properties": {"a": value}}
    return value


def _calls(count: int, call_id: str = "") -> list[dict[str, Any]]:
    return [
        {"id": call_id or f"c{at}", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        for at in range(count)
    ]


def _sealed_id() -> str:
    thinking = tuple([Thinking("x" * 50, Signature("anthropic", f"{at}" * 40)) for at in range(400)])
    return into_id("call_1", thinking, None)


def messages(count: int) -> list[dict[str, Any]]:
    """Inputs that grow with `count`, which is proportional to their size."""
    return [
        {"messages": [{"role": "user", "content": ""}] * count},
        {"messages": [{"role": "user", "content": "x" * (count * 25)}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": ""}] * count}]},
        {"messages": [{"role": "assistant", "content": None, "tool_calls": _calls(count // 3)}]},
        {"messages": [{"role": "user", "content": "a"}], **{f"m{at}": at for at in range(count)}},
        {
            "messages": [],
            "tools": [{"type": "function", "function": {"name": f"f{at}"}} for at in range(count // 2)],
        },
        {"messages": [{"role": "system" if at % 2 else "user", "content": "a"} for at in range(count)]},
    ]


def _steps(run: Callable[[], object]) -> int:
    """How many Python functions are called: a measure of work that does not depend on the machine."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        run()
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize("at", range(7))
def test_work_grows_with_the_input_and_no_faster(at: int) -> None:
    """Four times the input takes at most five times the steps, through every target."""
    small, large = messages(250)[at], messages(1000)[at]
    attack_request("openai.chat", small)  # what is loaded once
    assert _steps(lambda: attack_request("openai.chat", large)) < 5 * _steps(
        lambda: attack_request("openai.chat", small)
    )


def _grounded(parts: int, supports: int) -> dict[str, Any]:
    """Segments whose offsets do not fit, so that their text is looked for."""
    support = {"segment": {"text": "c"}, "groundingChunkIndices": [0]}
    grounding: dict[str, Any] = {"groundingChunks": [{"web": {}}], "groundingSupports": [support] * supports}
    content = {"parts": [{"text": "a"}] * parts}
    return {"candidates": [{"content": content, "groundingMetadata": grounding}]}


def _answered(count: int) -> dict[str, Any]:
    """Calls, and their results in the opposite order."""
    calls = [{"functionCall": {"name": "f", "id": f"{at}"}} for at in range(count)]
    results: list[dict[str, Any]] = [
        {"functionResponse": {"name": "f", "id": f"{at}", "response": {}}} for at in range(count)
    ]
    return {"contents": [{"role": "model", "parts": calls}, {"parts": results[::-1]}]}


# The smallest things that cost the most, as many as 200 kB hold. A step is a call of a function; a machine on
# which as many of them as this take 50 ms is slower than any that it has run on.
MOST_STEPS = 800_000
TINY_REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "empty contents": ("gemini", {"contents": [{}] * 66_000}),
    "empty parts": ("gemini", {"contents": [{"parts": [{}] * 66_000}]}),
    "texts": ("gemini", {"contents": [{"parts": [{"text": ""}] * 18_000}]}),
    "snake": ("gemini", {"contents": [{"parts": [{"inline_data": {}}] * 9_500}]}),
    "calls": ("gemini", {"contents": [{"parts": [{"functionCall": {"name": "f"}}] * 6_000}]}),
    "results": ("gemini", _answered(2_500)),
    "tools": ("gemini", {"contents": [], "tools": [{}] * 66_000}),
    "functions": ("gemini", {"contents": [], "tools": [{"functionDeclarations": [{"name": "f"}] * 14_000}]}),
    "blocks": ("converse", {"messages": [{"role": "user", "content": [{}] * 66_000}]}),
    "messages": ("openai.chat", {"messages": [{"role": "user", "content": ""}] * 6_400}),
    "items": ("openai.responses", {"input": [{"type": "x"}] * 14_000}),
    "message blocks": (
        "anthropic",
        {"max_tokens": 1, "messages": [{"role": "user", "content": [{"type": "x"}] * 14_000}]},
    ),
}
TINY_REPLIES: dict[str, tuple[str, dict[str, Any]]] = {
    "candidates": ("gemini", {"candidates": [{}] * 66_000}),
    "parts": ("gemini", {"candidates": [{"content": {"parts": [{}] * 66_000}}]}),
    "grounding": ("gemini", _grounded(8_000, 1_200)),
    "choices": ("openai.chat", {"choices": [{}] * 66_000}),
    "completions": ("openai.completions", {"choices": [{}] * 66_000}),
    "citations": ("mistral", {"citations": [""] * 66_000, "choices": [{"message": {"content": "a"}}]}),
    "converse": ("converse", {"output": {"message": {"role": "assistant", "content": [{}] * 66_000}}}),
    "cohere": ("cohere", {"message": {"content": [{"type": "text", "text": ""}] * 6_800}}),
}


@pytest.mark.parametrize("name", TINY_REQUESTS)
def test_a_request_of_many_tiny_things_is_read_or_refused_at_once(name: str) -> None:
    """Lists of what costs most to read for its size."""
    shape, body = TINY_REQUESTS[name]

    def decode() -> None:
        with suppress(ShapeError):
            chat_dialect(shape).decode_request(body, "m", stream=False)

    assert _steps(decode) < MOST_STEPS


@pytest.mark.parametrize("name", TINY_REPLIES)
def test_a_reply_of_many_tiny_things_is_read_or_refused_at_once(name: str) -> None:
    """The same whole, and as one event of a stream."""
    shape, body = TINY_REPLIES[name]
    event = msgspec.json.encode(body)

    def decode() -> None:
        with suppress(ShapeError):
            chat_provider(shape).decode_reply(body)

    def read() -> None:
        with suppress(ShapeError):
            chat_provider(shape).stream().read("", event)

    assert _steps(decode) < MOST_STEPS
    assert _steps(read) < MOST_STEPS


@pytest.mark.parametrize("depth", [15, 100, 200, 400])
def test_deep_values_are_refused_or_sent(depth: int) -> None:
    """In arguments, in schemas and in fields that nobody knows; nothing but our own error is raised."""
    deep = _nested(depth)
    tool = {"type": "function", "function": {"name": "f", "parameters": deep}}
    call = {"type": "tool_use", "id": "c", "name": "f", "input": deep}
    attack_request("openai.chat", {"messages": [], "tools": [tool]})
    attack_request("openai.chat", {"messages": [{"role": "user", "content": "a"}], "future": deep})
    attack_request("anthropic", {"max_tokens": 9, "messages": [{"role": "assistant", "content": [call]}]})
    attack_request("gemini", {"contents": [{"parts": [{"functionCall": {"name": "f", "args": deep}}]}]})
    attack_request("gemini", {"contents": [], "generationConfig": {"responseSchema": deep}})
    attack_reply(
        "gemini", {"candidates": [{"content": {"parts": [{"functionCall": {"name": "f", "args": deep}}]}}]}
    )


def test_huge_ids_with_seals_are_unpacked_once() -> None:
    """A hundred calls that all carry a large seal do not become more than a bounded amount of thinking."""
    body = {"messages": [{"role": "assistant", "content": None, "tool_calls": _calls(100, _sealed_id())}]}
    attack_request("openai.chat", body)
