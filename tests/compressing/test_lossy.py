"""Long material is cut down to what bears on the question, and only where it may be."""

from __future__ import annotations

import json
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from penstock.core.chat import ChatRequest, Message
from penstock.core.extracting import LEAST_CHARS, extracted, shortened
from penstock.core.parts import Document, Plain, Text, ToolResult

FILLER = " ".join([f"On day {number} nothing of interest happened to anybody in town." for number in range(60)])
NEEDLE = "The harbour master of Lisbon keeps the key in a blue box."


def _asked(question: str, text: str) -> ChatRequest:
    parts = (Document(Plain(text)), Text(question))
    return ChatRequest(model="m", messages=(Message("user", parts),))


def _document(chat: ChatRequest) -> str:
    part = chat.messages[0].parts[0]
    assert isinstance(part, Document)
    assert isinstance(part.source, Plain)
    return part.source.text


def test_what_bears_on_the_question_is_kept() -> None:
    """Whatever its endings, wherever it stands; the gaps are marked, and the beginning stays."""
    half = len(FILLER) // 2
    text = f"{FILLER[:half]} {NEEDLE} {FILLER[half:]}"
    chat, lost = extracted(_asked("Where do harbour masters keep their keys?", text), 0.2)
    kept = _document(chat)
    assert NEEDLE in kept
    assert kept.startswith("On day 0 ")
    assert "[…]" in kept
    assert len(kept) < 0.3 * len(text)
    assert lost == len(text) - len(kept)


def test_only_long_words_that_are_given_are_cut() -> None:
    """Short texts, JSON, what people and models say themselves: as they are."""
    for part in (
        Text(FILLER),
        ToolResult("1", content=(Text(json.dumps([FILLER])),)),
        Document(Plain("Short.")),
    ):
        chat = ChatRequest(model="m", messages=(Message("user", (part, Text("What happened in town?"))),))
        assert extracted(chat, 0.1) == (chat, 0)
    silent = ChatRequest(model="m", messages=(Message("user", (Document(Plain(FILLER)),)),))
    assert extracted(silent, 0.1) == (silent, 0)


def test_results_of_tools_are_cut_too() -> None:
    """Searches give more than was asked for."""
    result = ToolResult("1", content=(Text(f"{FILLER} {NEEDLE}"),))
    chat = ChatRequest(
        model="m", messages=(Message("user", (Text("Who keeps the key?"),)), Message("tool", (result,)))
    )
    short, lost = extracted(chat, 0.3)
    assert lost > 0
    part = short.messages[1].parts[0]
    assert isinstance(part, ToolResult)
    assert isinstance(part.content[0], Text)
    assert NEEDLE in part.content[0].text


@given(st.lists(st.text(max_size=60), max_size=80).map("".join), st.floats(0.1, 0.95))
def test_what_is_left_stood_there_before(text: str, keep: float) -> None:
    """In its order, with nothing added but the marks."""
    padded = text + "x. " * LEAST_CHARS
    out = shortened(padded, Counter(["x"]), keep)
    at = 0
    for piece in out.split("[…]"):
        for line in piece.strip().split("\n"):
            found = padded.find(line.strip(), at)
            assert found >= at or not line.strip()
            at = max(at, found)
