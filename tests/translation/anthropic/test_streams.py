"""Streams of other vendors in front of Anthropic's clients."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from penstock.core.assemble import assemble
from penstock.core.chat import ChatReply, Choice, ReplyUsage
from penstock.core.events import (
    ArgumentsDelta,
    AudioDelta,
    Broke,
    ChoiceFinished,
    CitationAdded,
    Ended,
    Event,
    Frame,
    PartEnded,
    PartStarted,
    SignatureDelta,
    Started,
    TextDelta,
    UsageReported,
)
from penstock.core.parts import (
    Audio,
    Citation,
    Image,
    Inline,
    Opaque,
    Part,
    Refused,
    Signature,
    Text,
    Thinking,
    ToolCall,
)
from penstock.core.seals import from_id, wrap
from penstock.core.usage import Usage
from penstock.ports.translation import WireEvent
from penstock.shapes.anthropic import NO_SEAL, SHAPE
from tests.translation.anthropic.speaking import ASKED, DIALECT, PROVIDER, blocks_of, told


def test_a_whole_stream_in_order() -> None:
    """Start, one block after the other, the finish with the whole usage, the stop."""
    usage = ReplyUsage(Usage(10, 4, 3))
    events = told(
        (Started("x", "gpt"),),
        (PartStarted(0, 0, Text("")), TextDelta(0, 0, "He")),
        (TextDelta(0, 0, "llo"),),
        (ChoiceFinished(0, "stop"),),
        (UsageReported(usage),),
        (Ended(),),
    )
    assert events == [
        {
            "type": "message_start",
            "message": {
                "id": "msg_abc",
                "type": "message",
                "role": "assistant",
                "model": "gpt",
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": {
                    "input_tokens": 0,
                    "output_tokens": 0,
                    "cache_creation_input_tokens": 0,
                    "cache_read_input_tokens": 0,
                },
            },
        },
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "He"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "llo"}},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {
                "input_tokens": 7,
                "output_tokens": 4,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 3,
            },
        },
        {"type": "message_stop"},
    ]


def test_a_stream_that_says_nothing_is_still_a_message() -> None:
    """No frame at all, or none with content, gives an empty message."""
    for frames in ((), ((Started("x", "m"), Ended()),)):
        assert [each["type"] for each in told(*frames)] == ["message_start", "message_delta", "message_stop"]


def test_usage_that_is_known_at_once_stands_in_the_start() -> None:
    """A client that shows input tokens early sees them, and no output before there is one."""
    start = told((Started("x", "m"), UsageReported(ReplyUsage(Usage(10, 4)))))[0]
    assert (start["message"]["usage"]["input_tokens"], start["message"]["usage"]["output_tokens"]) == (10, 0)


def test_pieces_of_parallel_calls_wait_for_their_turn() -> None:
    """Interleaved arguments come out call by call; the first call's are not held back."""
    frames: list[tuple[Event, ...]] = [
        (PartStarted(0, 0, ToolCall("a", "f")), ArgumentsDelta(0, 0, '{"n"')),
        (PartStarted(0, 1, ToolCall("b", "g")), ArgumentsDelta(0, 1, "{")),
        (ArgumentsDelta(0, 0, ":1}"),),
        (ArgumentsDelta(0, 1, "}"),),
    ]
    assert blocks_of(told(*frames)) == [("tool_use", '{"n"', ":1}"), ("tool_use", "{", "}")]
    assert [each["type"] for each in told(*frames, end=False)].count("content_block_start") == 1
    closed = [*frames, (PartEnded(0, 0),)]
    assert [each["type"] for each in told(*closed, end=False)].count("content_block_start") == 2


def test_text_gives_way_and_goes_on_in_a_further_block() -> None:
    """A text that comes back after a call is a block of its own after it."""
    frames: list[tuple[Event, ...]] = [
        (PartStarted(0, 0, Text("")), TextDelta(0, 0, "a")),
        (PartStarted(0, 1, ToolCall("a", "f")), ArgumentsDelta(0, 1, "{}")),
        (TextDelta(0, 0, "b"),),
        (PartStarted(0, 2, Thinking("")), TextDelta(0, 2, "c")),
    ]
    assert blocks_of(told(*frames)) == [
        ("text", "a"),
        ("tool_use", "{}"),
        ("text", "b"),
        ("thinking", "c", NO_SEAL),
    ]


def test_blocks_without_content_are_not_opened() -> None:
    """An empty text would be refused when the client sends it back."""
    assert (
        blocks_of(told((PartStarted(0, 0, Text("")),), (PartStarted(0, 1, Thinking("")),), (PartEnded(0, 1),)))
        == []
    )


def test_parts_that_come_whole_are_told_whole() -> None:
    """In the start, or repeated at the end where nothing came between."""
    whole = [
        (PartStarted(0, 0, Text("Hi", (Citation("https://x.test"),))),),
        (PartStarted(0, 1, Refused("")), PartEnded(0, 1, Refused("No."))),
        (PartStarted(0, 2, ToolCall("a", "f", '{"n":1}')), PartEnded(0, 2)),
        (PartStarted(0, 3, Audio(None, "wav")), AudioDelta(0, 3, "AA"), TextDelta(0, 3, "spoken")),
        (PartStarted(0, 4, Image(Inline("image/png", "AA"))), PartStarted(0, 5, Opaque("gemini", {}))),
        (PartStarted(1, 0, Text("another choice")),),
    ]
    found = blocks_of(told(*whole))
    assert [each[0] for each in found] == ["text", "text", "tool_use", "text"]
    assert found[0][2]["url"] == "https://x.test"
    assert found[1:] == [("text", "No."), ("tool_use", '{"n":1}'), ("text", "spoken")]


def test_citations_follow_their_text() -> None:
    """A source that is found while the text streams is one more delta of it."""
    found = blocks_of(
        told(
            (PartStarted(0, 0, Text("")), TextDelta(0, 0, "a")),
            (CitationAdded(0, 0, Citation("https://x.test", "T", "q")), CitationAdded(0, 0, Citation())),
        )
    )
    assert found == [
        (
            "text",
            "a",
            {
                "type": "web_search_result_location",
                "url": "https://x.test",
                "title": "T",
                "cited_text": "q",
                "encrypted_index": NO_SEAL,
            },
        )
    ]


def test_seals_of_others_on_a_stream() -> None:
    """Thinking is closed with its seal, sealed thinking is a block of its own, a call's seal is in its id."""
    seal = Signature("gemini", "sig")
    events = told(
        (PartStarted(0, 0, Thinking("")), TextDelta(0, 0, "hm")),
        (SignatureDelta(0, 0, Signature("gemini", "s")), SignatureDelta(0, 0, Signature("gemini", "ig"))),
        (SignatureDelta(0, 0, Signature("openai.responses", "enc"), sealed=True),),
        (PartStarted(0, 1, ToolCall("call", "f")), SignatureDelta(0, 1, seal), ArgumentsDelta(0, 1, "{}")),
    )
    assert blocks_of(events) == [
        ("thinking", "hm", wrap(seal, SHAPE)),
        ("redacted_thinking",),
        ("tool_use", "{}"),
    ]
    starts = [each["content_block"] for each in events if each["type"] == "content_block_start"]
    assert starts[0] == {"type": "thinking", "thinking": "", "signature": ""}
    assert starts[1]["data"] == wrap(Signature("openai.responses", "enc"), SHAPE)
    assert from_id(starts[2]["id"])[1].signature == seal


@pytest.mark.parametrize(
    ("parts", "finish", "reason"),
    [
        ((Text("a"),), None, "end_turn"),
        ((ToolCall("a", "f"),), None, "tool_use"),
        ((ToolCall("a", "f"),), ChoiceFinished(0, "stop"), "tool_use"),
        ((Text("a"),), ChoiceFinished(0, "length"), "max_tokens"),
        ((Text("a"),), ChoiceFinished(0, "stop_sequence", stop_sequence="END"), "stop_sequence"),
    ],
)
def test_the_end_that_a_vendor_leaves_out(
    parts: tuple[Part, ...], finish: ChoiceFinished | None, reason: str
) -> None:
    """What is open is closed, and a reason is found."""
    frames: list[tuple[Event, ...]] = [(PartStarted(0, at, part),) for at, part in enumerate(parts)]
    frames += [(finish,)] if finish is not None else []
    delta = told(*frames)[-2]["delta"]
    assert delta == {
        "stop_reason": reason,
        "stop_sequence": finish.stop_sequence if finish is not None else None,
    }


def test_nothing_follows_an_error() -> None:
    """A failure in mid-stream is told in the API's own event, and is the last one."""
    encoder = DIALECT.stream(ASKED)
    encoder.write(Frame("", (PartStarted(0, 0, Text("")), TextDelta(0, 0, "a"))))
    (event,) = encoder.write(Frame("", (Broke("too busy", "overloaded_error"),)))
    assert event.name == "error"
    assert json.loads(event.data) == {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "too busy"},
    }
    assert encoder.write(Frame("", (TextDelta(0, 0, "b"),))) == []
    assert encoder.end() == []


_part = st.sampled_from([Text(""), Thinking(""), ToolCall("a", "f"), Refused(""), Audio(None), Opaque("x", {})])
_event = st.one_of(
    st.builds(PartStarted, st.just(0), st.integers(0, 3), _part),
    st.builds(TextDelta, st.just(0), st.integers(0, 3), st.sampled_from(["", "x"])),
    st.builds(ArgumentsDelta, st.just(0), st.integers(0, 3), st.sampled_from(["", "{", "}"])),
    st.builds(SignatureDelta, st.just(0), st.integers(0, 3), st.just(Signature("g", "s")), st.booleans()),
    st.builds(PartEnded, st.just(0), st.integers(0, 3)),
    st.builds(ChoiceFinished, st.just(0), st.sampled_from(["stop", "tool_calls"])),
)


@given(st.lists(st.lists(_event, max_size=3).map(tuple), max_size=12))
def test_whatever_comes_the_sequence_is_valid(frames: list[tuple[Event, ...]]) -> None:
    """Blocks never overlap, indexes rise by one, and the message is begun and ended once."""
    events = told(*frames)
    assert [each["type"] for each in events].count("message_start") == 1
    assert events[0]["type"] == "message_start"
    assert [each["type"] for each in events[-2:]] == ["message_delta", "message_stop"]
    blocks_of(events)


def test_a_told_reply_is_the_whole_reply() -> None:
    """What a stream adds up to for the client is what the whole answer would have been."""
    parts = (Thinking("hm", Signature("gemini", "s")), Text("Hi"), ToolCall("a", "f", '{"n":1}'))
    reply = ChatReply(model="m", choices=(Choice(0, parts, "tool_calls"),), usage=ReplyUsage(Usage(3, 4)))
    whole = DIALECT.encode_reply(reply, ASKED)
    frames: list[tuple[Event, ...]] = [
        (PartStarted(0, at, part), PartEnded(0, at)) for at, part in enumerate(parts)
    ]
    events = told(
        (Started(model="m"),),
        *frames,
        (ChoiceFinished(0, "tool_calls"), UsageReported(ReplyUsage(Usage(3, 4)))),
    )
    again = PROVIDER.stream()
    wire = [WireEvent(each["type"], json.dumps(each).encode()) for each in events]
    folded = assemble([event for each in wire for event in again.read(each.name, each.data).events])
    (choice,) = folded.choices
    (expected,) = PROVIDER.decode_reply(whole).choices
    assert [replace(part, extras=None) for part in choice.parts if not isinstance(part, Opaque)] == [
        *expected.parts
    ]
    assert (choice.finish, choice.native) == (expected.finish, expected.native)
    assert folded.usage is not None
    assert folded.usage.counts == Usage(3, 4)
