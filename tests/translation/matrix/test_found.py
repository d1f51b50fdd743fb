"""What the matrix has found once, each in its smallest form."""

from __future__ import annotations

import json
from typing import Any

import pytest

from penstock.core.assemble import tell
from penstock.core.chat import ChatReply, ChatRequest, Choice
from penstock.core.events import ArgumentsDelta, Frame, PartStarted, TextDelta
from penstock.core.losses import Losses
from penstock.core.parts import Part, Signature, Text, Thinking, ToolCall
from penstock.dialects.registry import chat_dialect
from penstock.ports.translation import Addressee
from penstock.providers.profiles import profiles_of
from penstock.providers.registry import chat_provider
from penstock.providers.vendors.row import Vendor
from penstock.shapes.gemini.seals import with_carried
from tests.translation.matrix.sides import asked, folded, profile_of, retold


@pytest.mark.parametrize("shape", ["anthropic", "converse", "gemini"])
@pytest.mark.parametrize("text", ['say "hi"\n', "", "é"])
def test_a_custom_tools_text_streams_as_an_object(shape: str, text: str) -> None:
    """APIs whose arguments are objects get the text as its member `input`, whatever is in it."""
    call = ToolCall("call_1", "shell", text, "custom")
    reply = ChatReply(id="r", model="m", choices=(Choice(0, (call, Text("So.")), "tool_calls"),))
    back = folded(retold([Frame("", (event,)) for event in tell(reply)], shape, asked()))
    (again,) = [part for part in back.choices[0].parts if isinstance(part, ToolCall)]
    assert json.loads(again.arguments) in ({"input": text}, {} if not text else None)


def test_thoughts_that_were_shown_beside_a_seal_stay() -> None:
    """Thinking that comes back in a seal replaces what was shown of it, and no other thought."""
    sealed = Thinking("Two.", Signature("anthropic", "c2VhbA=="))
    for shown, kept in (("One.Two.", ["One.", "Two."]), ("Two.", ["Two."]), ("Changed.", ["Two."])):
        parts: list[Part] = [Thinking(shown)]
        with_carried(parts, (sealed,))
        assert [part.text for part in parts if isinstance(part, Thinking)] == kept
    parts = [Thinking("One.")]
    with_carried(parts, (Thinking("", None, Signature("xai", "c2VhbA==")),))
    assert [part.text for part in parts if isinstance(part, Thinking)] == ["One.", ""]


def test_bedrocks_stream_tells_its_service_tier() -> None:
    """It stands in the last message, and prices depend on it."""
    decoder = chat_provider("converse").stream()
    data = {"usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}, "serviceTier": {"type": "flex"}}
    assert folded([decoder.read("metadata", json.dumps(data).encode())]).service_tier == "flex"


@pytest.mark.parametrize("shape", ["openai.chat", "anthropic", "mistral"])
def test_a_service_tier_that_is_lost_is_told(shape: str) -> None:
    """A tier changes the price and the wait; the usual one says nothing."""
    for tier, told in (("flex", "dropped=service_tier"), ("default", ""), ("standard_only", "")):
        losses = Losses()
        request = ChatRequest(model="m", max_output_tokens=5, service_tier=tier)
        chat_provider(shape).encode_request(request, Addressee("m", profile_of(shape), losses))
        assert losses.warning() == told


def test_the_responses_api_has_its_profiles() -> None:
    """Without them reasoning would be dropped, and several answers never fanned out."""
    rows, default = profiles_of(Vendor(kind="x", title="X", api="openai.responses"))
    assert rows
    assert default.thinking == "effort"
    assert "choices" in default.lacks


def test_spoken_words_are_text_in_a_completion() -> None:
    """The legacy API has nothing but text."""
    from_chat = {"id": "audio_1", "data": "AAAA", "transcript": "Hello.", "expires_at": 1}
    message = {"role": "assistant", "content": None, "audio": from_chat}
    reply = chat_provider("openai.chat").decode_reply(
        {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    )
    assert chat_dialect("openai.completions").encode_reply(reply, asked())["choices"][0]["text"] == "Hello."


@pytest.mark.parametrize(
    "item", [{"type": "message", "role": "user", "content": []}, {"content": []}, {"role": 1}]
)
@pytest.mark.parametrize("named", [True, False])
def test_items_without_content_or_type_break_no_stream(item: dict[str, object], *, named: bool) -> None:
    """A vendor's event may say less than its documentation, and still goes to every client."""
    kind = "response.output_item.done"
    event = {**({"type": kind} if named else {}), "output_index": 0, "item": item}
    frame = chat_provider("openai.responses").stream().read(kind, json.dumps(event).encode())
    for shape in ("openai.responses", "openai.chat", "anthropic"):
        chat_dialect(shape).stream(asked()).write(frame)


@pytest.mark.parametrize(
    "delta",
    [
        {"content": {"a": 1}, "annotations": [{"type": "url_citation", "url_citation": {"url": "u"}}]},
        {"reasoning_details": [7, {"type": "reasoning.text", "text": "a"}], "reasoning": "a"},
        {"tool_calls": None, "content": "a"},
    ],
)
def test_a_chunk_of_odd_members_is_given_back(delta: dict[str, Any]) -> None:
    """Two choices of one index, and values where texts belong, harm nobody."""
    call = {"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f"}}]}}
    chunk = {"choices": [call, {"index": 0, "delta": delta}]}
    decoder, encoder = chat_provider("openai.chat").stream(), chat_dialect("openai.chat").stream(asked())
    (wire,) = encoder.write(decoder.read("", json.dumps(chunk).encode()))
    assert [each["index"] for each in json.loads(wire.data)["choices"]] == [0, 0]


def test_a_block_that_begins_twice_is_the_last_of_both() -> None:
    """An index that was a call, and is a text now, takes no arguments."""
    frames = [
        Frame("", (PartStarted(0, 0, ToolCall("a", "f")),)),
        Frame("", (PartStarted(0, 0, Text("")), ArgumentsDelta(0, 0, "{}"), TextDelta(0, 0, "So."))),
    ]
    back = folded(retold(frames, "openai.chat", asked()))
    assert [part.text for part in back.choices[0].parts if isinstance(part, Text)] == ["So."]


def test_a_number_that_no_float_holds_is_the_largest() -> None:
    """Log probabilities of a vendor that has lost its mind."""
    body: dict[str, Any] = {
        "message": {},
        "logprobs": [{"token_ids": [1], "text": "a", "logprobs": [10**400, -(10**400)]}],
    }
    (choice,) = chat_provider("cohere").decode_reply(body).choices
    assert choice.logprobs is not None
    assert [each.token for each in choice.logprobs.tokens] == ["a"]
