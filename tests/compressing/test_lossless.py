"""Whatever is taken out of a prompt can be put back to the letter."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.chat import ChatRequest, Message
from penstock.core.compressing import LEAST_CHARS, compressed, restored
from penstock.core.parts import Text, ToolCall, ToolResult
from penstock.core.turns import text_of
from penstock.dialects.registry import chat_dialect
from tests.translation.recordings import exchanges

PASSAGE = "\n".join([f"{number}. The rule with the number {number} of this house." for number in range(20)])


def _chat(*texts: str) -> ChatRequest:
    """Texts of a user, with answers of a model between them."""
    messages: list[Message] = []
    for text in texts:
        messages += [Message("user", (Text(text),)), Message("assistant", (Text("I see."),))]
    return ChatRequest(model="m", messages=tuple(messages))


def _texts(chat: ChatRequest) -> list[str]:
    return [text_of(message.parts) for message in chat.messages if message.role == "user"]


def test_a_passage_that_stood_before_is_referred_to() -> None:
    """With how it begins and ends, so that a model can find it; what is around it stays."""
    chat = _chat(f"Rules:\n{PASSAGE}", f"Again:\n{PASSAGE}\nWhich is the last?")
    made = compressed(chat)
    first, second = _texts(made.chat)
    assert first == _texts(chat)[0]
    assert second.startswith('Again:\n[Here the passage above is repeated that begins "0. The rule')
    assert second.endswith("\nWhich is the last?")
    assert made.saved == len(_texts(chat)[1]) - len(second) > 700
    assert restored(made.chat, made.styles) == chat


def test_a_tools_result_that_came_before_is_referred_to() -> None:
    """Also where it is JSON in one line."""
    result = json.dumps([{"id": number, "name": f"item {number}"} for number in range(40)])
    parts = [ToolResult(str(number), content=(Text(result),)) for number in range(2)]
    messages = [
        message
        for part in parts
        for message in (Message("assistant", (ToolCall(part.call_id, "list"),)), Message("tool", (part,)))
    ]
    chat = ChatRequest(model="m", messages=tuple(messages))
    made = compressed(chat)
    assert made.saved > len(result) * 0.9
    assert restored(made.chat, made.styles) == chat


@pytest.mark.parametrize("indent", [None, 1, 2, 4])
def test_json_loses_its_formatting(indent: int | None) -> None:
    """Values and their order stay, and it can be written as it was."""
    value: dict[str, Any] = {
        "b": [1, 2.5, None, True, 'ä \u2028 "x"'],
        "a": {"nested": {}},
        "text": "one\n two" * 20,
    }
    chat = _chat(json.dumps(value, indent=indent, ensure_ascii=False))
    made = compressed(chat)
    (text,) = _texts(made.chat)
    assert text == json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert restored(made.chat, made.styles) == chat


def test_json_that_could_not_be_written_again_stays() -> None:
    """Numbers with zeros, keys that stand twice, tabs: nobody knows what they are for."""
    for text in ('{"a": 1.50, "b": "' + "x" * 200 + '"}', '{"a": 1,  "a": 2, "b": "' + "x" * 200 + '"}'):
        made = compressed(_chat(text))
        assert (_texts(made.chat), made.saved) == ([text], 0)


def test_short_repetitions_stay() -> None:
    """A reference is longer than what it would save, and distracts."""
    line = "a line of some length\n" * (LEAST_CHARS // 30)
    made = compressed(_chat(line, line))
    assert made.saved == 0


def test_what_looks_like_a_reference_is_left_alone() -> None:
    """A client that writes one itself gets it through."""
    chat = _chat(
        PASSAGE, f'{PASSAGE}\n[Here the passage above is repeated that begins "a" and ends "b", 5 characters]'
    )
    made = compressed(chat)
    assert made.chat == chat
    assert restored(made.chat, made.styles) == chat


def test_earlier_turns_do_not_depend_on_later_ones() -> None:
    """So that a prefix that a vendor has cached stays the same."""
    short, long = _chat(PASSAGE, PASSAGE), _chat(PASSAGE, PASSAGE, PASSAGE + PASSAGE)
    assert compressed(long).chat.messages[:4] == compressed(short).chat.messages


_LINES = st.lists(
    st.sampled_from(["", "x", "same line of text here " * 8, PASSAGE, '"quoted" \\ ]', "ä\t"]), max_size=6
)


@given(st.lists(_LINES.map("\n".join), max_size=5))
def test_nothing_is_ever_lost(texts: list[str]) -> None:
    """Any texts, repeated in any way."""
    chat = _chat(*texts)
    made = compressed(chat)
    assert restored(made.chat, made.styles) == chat
    assert made.saved == sum(map(len, _texts(chat))) - sum(map(len, _texts(made.chat))) >= 0


def test_recorded_prompts_come_back_as_they_were() -> None:
    """Every recorded request of two APIs; some of them are shorter."""
    saved = 0
    for api, shape in (("openai.chat", "openai.chat"), ("anthropic.messages", "anthropic")):
        for exchange in exchanges(api):
            request: Any = exchange.request
            if not exchange.as_sent or not isinstance(request, dict):
                continue
            try:
                chat = chat_dialect(shape).decode_request(cast("dict[str, Any]", request), "m", stream=False)
            except ValueError:
                continue  # recorded as a mistake
            made = compressed(chat)
            assert restored(made.chat, made.styles) == chat, exchange.id
            saved += made.saved
    assert saved > 0
