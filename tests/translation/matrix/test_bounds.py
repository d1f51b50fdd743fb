"""Two hundred kilobytes of anything cost a bounded number of steps, and nesting is refused or survived."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from penstock.core.parts import Signature, Thinking
from penstock.core.seals import into_id
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
