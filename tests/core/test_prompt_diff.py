"""Where two prompts part, and what of a cached prefix that costs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.chat import ChatRequest, FunctionTool, Message
from penstock.core.parts import Document, Plain, Text
from penstock.core.prompt_diff import STEP_TOKENS, prompt_difference, segments

RULES = "Be kind. " * 800


def _chat(system: str, *turns: str, tools: tuple[FunctionTool, ...] = ()) -> ChatRequest:
    said = [Message(("user", "assistant")[index % 2], (Text(text),)) for index, text in enumerate(turns)]
    return ChatRequest(model="m", messages=(Message("system", (Text(system),)), *said), tools=tools)


def test_another_question_loses_nothing() -> None:
    """Only what is meant to stay counts, and the last question is not."""
    found = prompt_difference(_chat(RULES, "Hi"), _chat(RULES, "Hello"))
    assert (found.where, found.lost_tokens) == ("turn 1 (user)[0], character 1", 0)
    assert found.cached_tokens == found.stable_tokens == 1800


def test_a_conversation_that_goes_on_loses_nothing() -> None:
    """The second prompt begins with the first."""
    found = prompt_difference(_chat(RULES, "Hi"), _chat(RULES, "Hi", "Hello", "And?"))
    assert found.lost_tokens == 0
    assert found.where == "turn 2 (assistant)[0] stands in one of them only"


def test_a_change_in_front_loses_everything_behind_it() -> None:
    """A new tool comes before the system prompt, in the order in which vendors read."""
    tool = FunctionTool("clock")
    found = prompt_difference(_chat(RULES, "Hi"), _chat(RULES, "Hi", tools=(tool,)))
    assert found.where == "system[0] / tools[0]"
    assert (found.cached_tokens, found.lost_tokens) == (0, 1800)


def test_blocks_are_lost_whole_and_steps_up_to_the_change() -> None:
    """Anthropic's cache ends with a block, OpenAI's with 128 tokens."""
    one, other = _chat(f"{RULES}2026-11-20", "Hi"), _chat(f"{RULES}2026-11-21", "Hi")
    whole = prompt_difference(one, other)
    assert (whole.common_blocks, whole.cached_tokens, whole.lost_tokens) == (0, 0, 1802)
    steps = prompt_difference(one, other, blocks=False)
    assert (steps.common_tokens, steps.cached_tokens, steps.lost_tokens) == (1802, 1792, 10)
    assert (steps.before[-10:], steps.after[-10:]) == ("2026-11-20", "2026-11-21")


def test_what_is_too_short_to_be_cached_cannot_be_lost() -> None:
    """A prefix below the vendor's least length was never cached."""
    found = prompt_difference(_chat("Be kind.", "Hi"), _chat("Be brief.", "Hi"))
    assert (found.cached_tokens, found.lost_tokens, found.stable_tokens) == (0, 0, 2)


def test_documents_in_front_of_the_question_stay() -> None:
    """They are asked about again."""
    paper = Document(Plain(RULES))
    chat = ChatRequest(model="m", messages=(Message("user", (paper, Text("Why?"))),))
    assert [each.stable for each in segments(chat)] == [True, False]


@given(st.lists(st.text(max_size=40), min_size=1, max_size=6), st.lists(st.text(max_size=40), max_size=6))
@pytest.mark.parametrize("blocks", [True, False])
def test_numbers_agree_with_each_other(blocks: bool, before: list[str], after: list[str]) -> None:
    """Equal prompts differ nowhere; nothing is lost that was not there, and kept and lost make what stays."""
    one, other = _chat("", *before), _chat("", *after)
    assert prompt_difference(one, one, min_tokens=0, blocks=blocks).where == ""
    found = prompt_difference(one, other, chars_per_token=1, min_tokens=0, blocks=blocks)
    assert bool(found.where) == (before != after)
    assert 0 <= found.lost_tokens <= found.stable_tokens
    assert found.cached_tokens <= min(found.common_tokens, found.stable_tokens)
    assert blocks or found.cached_tokens % STEP_TOKENS == 0 or found.cached_tokens == found.stable_tokens
