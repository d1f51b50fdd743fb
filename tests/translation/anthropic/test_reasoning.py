"""Thinking and sampling, by what each family of models accepts."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.core.chat import ChatRequest, FunctionTool, Message, Reasoning, ToolChoice
from penstock.core.parts import Signature, Text, Thinking, ToolCall, ToolResult
from tests.translation.anthropic.speaking import sent, to

_HI = (Message("user", (Text("Hi"),)),)


def _body(model: str, reasoning: Reasoning | None, **fields: Any) -> tuple[dict[str, Any], str]:
    target = to(model)
    body = sent(ChatRequest(model="gpt", messages=_HI, reasoning=reasoning, **fields), target)
    known = {name: body[name] for name in ("thinking", "output_config", "max_tokens") if name in body}
    return known, target.losses.warning()


@pytest.mark.parametrize(
    ("model", "reasoning", "expected"),
    [
        ("claude-sonnet-4-5", Reasoning("low"), {"thinking": {"type": "enabled", "budget_tokens": 2048}}),
        (
            "claude-sonnet-4-5",
            Reasoning(budget_tokens=5),
            {"thinking": {"type": "enabled", "budget_tokens": 1024}},
        ),
        ("claude-sonnet-4-5", Reasoning("none"), {}),
        ("claude-sonnet-4-5", Reasoning(enabled=False), {}),
        (
            "us.anthropic.claude-opus-4-5-20251101-v1:0",
            Reasoning("xhigh"),
            {"thinking": {"type": "enabled", "budget_tokens": 24576}, "output_config": {"effort": "high"}},
        ),
        (
            "claude-opus-4-6",
            Reasoning("xhigh", summary="auto"),
            {"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "high"}},
        ),
        (
            "claude-opus-4-6",
            Reasoning("minimal"),
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
        ),
        ("claude-opus-4-6", Reasoning(enabled=True), {"thinking": {"type": "adaptive"}}),
        ("claude-opus-4-8", Reasoning("none"), {"thinking": {"type": "disabled"}}),
        ("claude-sonnet-5-5", Reasoning("none"), {"thinking": {"type": "between_tools"}}),
        ("claude-opus-5-5", Reasoning("max"), {"output_config": {"effort": "max"}}),
        (
            "claude-fable-5",
            Reasoning(summary="detailed"),
            {"thinking": {"type": "adaptive", "display": "summarized"}},
        ),
        (
            "claude-opus-7",
            Reasoning("medium"),
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "medium"}},
        ),
        ("claude-3-5-haiku-latest", None, {}),
    ],
)
def test_each_family_is_told_in_its_own_way(model: str, reasoning: Reasoning, expected: dict[str, Any]) -> None:
    """Budgets, adaptive thinking and efforts, each where the family has it, without any loss."""
    known, lost = _body(model, reasoning, max_output_tokens=64_000)
    assert known == {**expected, "max_tokens": 64_000}
    assert lost == ""


@pytest.mark.parametrize(
    ("model", "reasoning", "expected", "lost"),
    [
        ("claude-3-haiku-20240307", Reasoning("low"), {}, "dropped=reasoning"),
        (
            "claude-opus-4-6",
            Reasoning(budget_tokens=20_000),
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}},
            "mapped=reasoning.budget_tokens",
        ),
        ("claude-fable-5", Reasoning("none"), {"output_config": {"effort": "low"}}, "mapped=reasoning"),
    ],
)
def test_what_a_family_cannot_do_is_said(
    model: str, reasoning: Reasoning, expected: dict[str, Any], lost: str
) -> None:
    """The nearest thing is sent, or nothing, and the warning names it."""
    known, warning = _body(model, reasoning, max_output_tokens=64_000)
    assert known == {**expected, "max_tokens": 64_000}
    assert warning == lost


@pytest.mark.parametrize(
    ("cap", "budget", "max_tokens"), [(None, 16_384, 20_480), (4000, 2000, 4000), (20_000, 16_384, 20_000)]
)
def test_a_budget_leaves_room_for_the_answer(cap: int | None, budget: int, max_tokens: int) -> None:
    """It is below the bound; where none was given the bound grows by it."""
    known, _ = _body("claude-sonnet-4-5", Reasoning("high"), max_output_tokens=cap)
    assert known == {"thinking": {"type": "enabled", "budget_tokens": budget}, "max_tokens": max_tokens}


def test_a_bound_too_small_for_thinking_wins() -> None:
    """The least budget does not fit below it, so there is no thinking, and that is said."""
    assert _body("claude-sonnet-4-5", Reasoning("high"), max_output_tokens=1000) == (
        {"max_tokens": 1000},
        "dropped=reasoning",
    )


def test_thinking_does_not_go_with_a_forced_tool() -> None:
    """The tool that the caller insists on wins, and the loss is said; Opus 4.6 takes both."""
    tools = {"tools": (FunctionTool("f"),), "tool_choice": ToolChoice("required")}
    for model in ("claude-sonnet-4-5", "claude-opus-4-5", "claude-opus-4-8", "claude-sonnet-5"):
        assert _body(model, Reasoning("low"), **tools) == ({"max_tokens": 4096}, "dropped=reasoning")
    known, lost = _body("claude-opus-5-5", Reasoning("low"), **tools)
    assert (known["output_config"], lost) == ({"effort": "low"}, "mapped=tool_choice")
    known, lost = _body("claude-opus-4-6", Reasoning("low"), **tools)
    assert known["thinking"] == {"type": "adaptive"}
    assert lost == ""


def test_an_answer_that_is_to_go_on_is_not_thought_about() -> None:
    """With a budget, the beginning of an answer would have to begin with a thought: it goes on without one."""
    target = to("claude-sonnet-4-5")
    messages = (*_HI, Message("assistant", (Text("Once"),)))
    body = sent(ChatRequest(model="gpt", messages=messages, reasoning=Reasoning("low")), target)
    assert "thinking" not in body
    assert body["messages"][-1] == {"role": "assistant", "content": "Once"}
    assert target.losses.warning() == "dropped=reasoning"


def test_calls_whose_thinking_is_lost_are_answered_without_thinking() -> None:
    """With a budget the API wants the thinking before the calls that are answered; clients may drop it."""
    call, result = ToolCall("a", "f"), Message("user", (ToolResult("a", content=(Text("r"),)),))
    for parts, expected in [
        ((call,), "dropped=reasoning"),
        ((Thinking("hm", Signature("gemini", "s")), call), "dropped=reasoning"),
        ((Thinking("hm", Signature("anthropic", "s")), call), ""),
    ]:
        target = to()
        messages = (*_HI, Message("assistant", parts), result)
        body = sent(ChatRequest(model="gpt", messages=messages, reasoning=Reasoning("low")), target)
        assert ("thinking" in body) is (expected == "")
        assert target.losses.warning() == expected


@pytest.mark.parametrize(
    ("model", "fields", "expected", "lost"),
    [
        (
            "claude-3-haiku",
            {"temperature": 1.6, "top_p": 0.5},
            {"temperature": 1.0, "top_p": 0.5},
            "mapped=temperature",
        ),
        ("claude-sonnet-4-5", {"temperature": 0.2, "top_p": 0.5}, {"temperature": 0.2}, "dropped=top_p"),
        ("claude-sonnet-4-5", {"temperature": 0.2, "top_p": 1}, {"temperature": 0.2}, ""),
        ("claude-sonnet-4-5", {"top_p": 0.5, "top_k": 3}, {"top_p": 0.5, "top_k": 3}, ""),
        ("claude-opus-4-7", {"temperature": 0.2, "top_k": 3}, {}, "dropped=temperature,top_k"),
        ("claude-opus-4-7", {"temperature": 1, "top_p": 1}, {}, ""),
        (
            "claude-sonnet-4-5",
            {"temperature": 0.2, "top_k": 3, "reasoning": Reasoning("low")},
            {},
            "dropped=temperature,top_k",
        ),
    ],
)
def test_sampling_by_family(model: str, fields: dict[str, Any], expected: dict[str, Any], lost: str) -> None:
    """Some take temperature or top_p but not both, some neither, and none while they think."""
    target = to(model)
    body = sent(ChatRequest(model="gpt", messages=_HI, **fields), target)
    assert {name: body[name] for name in ("temperature", "top_p", "top_k") if name in body} == expected
    assert target.losses.warning() == lost
