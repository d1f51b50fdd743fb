"""Streams of other vendors in front of Anthropic's clients, and Anthropic's own through the pivot."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from penstock.core.assemble import assemble
from penstock.core.chat import ChatReply, Choice, ReplyUsage
from penstock.core.errors import ShapeError
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
from penstock.wire.sse import SseDecoder, data_of, name_of
from tests.translation.anthropic.speaking import ASKED, DIALECT, PROVIDER, blocks_of, told


def test_a_whole_stream_in_order() -> None:
    """Start, one block after the other, the finish with the whole usage, the stop."""
    usage = ReplyUsage(Usage(10, 4, 3))
    events = told(
        (Started("x", "gpt"),),
        (PartStarted(0, 0, Text("")), TextDelta(0, 0, "Hel")),
        (TextDelta(0, 0, "lo"),),
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
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hel"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "lo"}},
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


_OWN: list[dict[str, Any]] = [
    {
        "type": "message_start",
        "message": {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {
                "input_tokens": 5,
                "cache_read_input_tokens": 2,
                "output_tokens": 1,
                "service_tier": "standard",
            },
        },
    },
    {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "thinking", "thinking": "", "signature": ""},
    },
    {"type": "ping"},
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "thinking_delta", "thinking": "hm", "estimate": 3},
    },
    {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "sig"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": "", "citations": []}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Grüße"}},
    {
        "type": "content_block_delta",
        "index": 1,
        "delta": {
            "type": "citations_delta",
            "citation": {
                "type": "page_location",
                "cited_text": "q",
                "document_index": 0,
                "document_title": None,
                "start_page_number": 1,
                "end_page_number": 2,
            },
        },
    },
    {"type": "content_block_delta", "index": 1, "delta": {"type": "not_known_yet", "x": 1}},
    {"type": "content_block_stop", "index": 1, "new": True},
    {
        "type": "content_block_start",
        "index": 2,
        "content_block": {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
    },
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '{"q"'}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": ':"x"}'}},
    {"type": "content_block_stop", "index": 2},
    {
        "type": "content_block_start",
        "index": 3,
        "content_block": {"type": "tool_use", "id": "t", "name": "f", "input": {}},
    },
    {"type": "content_block_delta", "index": 3, "delta": {"type": "input_json_delta", "partial_json": ""}},
    {
        "type": "content_block_delta",
        "index": 3,
        "delta": {"type": "input_json_delta", "partial_json": '{"a":1}'},
    },
    {"type": "content_block_stop", "index": 3},
    {"type": "content_block_start", "index": 4, "content_block": {"type": "compaction", "content": None}},
    {"type": "content_block_delta", "index": 4, "delta": {"type": "compaction_delta", "content": "sum"}},
    {"type": "content_block_stop", "index": 4},
    {"type": "not_known_yet", "y": [1]},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use", "stop_sequence": None, "container": {"id": "c"}},
        "usage": {"output_tokens": 9},
        "context_management": {},
    },
    {"type": "message_stop", "metrics": {}},
]


def _frames(values: list[dict[str, Any]]) -> list[Frame]:
    decoder = PROVIDER.stream()
    return [decoder.read(value["type"], json.dumps(value).encode()) for value in values]


def _written(frames: list[Frame], *, end: bool = True) -> list[dict[str, Any]]:
    encoder = DIALECT.stream(ASKED)
    out = [event for frame in frames for event in encoder.write(frame)]
    return [json.loads(event.data) for event in [*out, *(encoder.end() if end else [])]]


def test_the_apis_own_events_come_back() -> None:
    """Each event, known or not, is the one that the vendor sent, and nothing is added."""
    assert _written(_frames(_OWN)) == _OWN


def test_the_apis_own_events_in_the_pivot() -> None:
    """Their fold is the message: sealed thinking, text, a vendor tool's whole input, the call, the totals."""
    reply = assemble([event for frame in _frames(_OWN) for event in frame.events])
    (choice,) = reply.choices
    thinking, text, search, call, compaction = choice.parts
    assert isinstance(thinking, Thinking)
    assert (thinking.text, thinking.signature) == ("hm", Signature("anthropic", "sig"))
    assert isinstance(text, Text)
    assert (text.text, text.citations[0].cited, text.citations[0].document) == ("Grüße", "q", 0)
    assert isinstance(search, Opaque)
    assert search.value["input"] == {"q": "x"}
    assert isinstance(call, ToolCall)
    assert (call.id, call.arguments) == ("t", '{"a":1}')
    assert compaction == Opaque(SHAPE, {"type": "compaction", "content": "sum"})
    assert (choice.finish, choice.native) == ("tool_calls", "tool_use")
    assert reply.usage is not None
    assert reply.usage.counts == Usage(7, 9, 2)


def _changed(event: Event) -> Event:
    if isinstance(event, TextDelta):
        return replace(event, text=event.text.upper())
    if isinstance(event, PartStarted) and isinstance(event.part, ToolCall):
        return replace(event, part=replace(event.part, name="g"))
    if isinstance(event, ArgumentsDelta):
        return replace(event, text=event.text.replace("1", "2"))
    if isinstance(event, UsageReported):
        return replace(event, usage=replace(event.usage, counts=Usage(20, 30)))
    if isinstance(event, ChoiceFinished):
        return replace(event, finish="length")
    return event


def test_changes_in_the_pivot_reach_the_client() -> None:
    """A guard that replaces text, a name, arguments, counts or the finish is seen by the client."""
    frames = [replace(frame, events=tuple(map(_changed, frame.events))) for frame in _frames(_OWN)]
    values = _written(frames)
    assert values[3]["delta"] == {"type": "thinking_delta", "thinking": "HM", "estimate": 3}
    assert values[7]["delta"]["text"] == "GRÜSSE"
    assert values[15]["content_block"]["name"] == "g"
    assert values[17]["delta"]["partial_json"] == '{"a":2}'
    assert values[0]["message"]["usage"]["input_tokens"] == 20
    assert values[-2]["usage"]["output_tokens"] == 30
    assert values[-2]["delta"]["stop_reason"] == "max_tokens"


def test_a_stream_of_ours_that_breaks_off_is_closed() -> None:
    """An open block is closed, and the message ended; an error of the vendor ends it as it is."""
    values = _written(_frames(_OWN[:8]))
    assert values[:8] == _OWN[:8]
    assert [each["type"] for each in values[8:]] == ["content_block_stop", "message_delta", "message_stop"]
    assert values[8]["index"] == 1
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded", "x": 1}}
    frames = _frames([*_OWN[:8], error])
    assert isinstance(frames[-1].events[0], Broke)
    assert frames[-1].events[0].status == 529
    assert _written(frames) == [*_OWN[:8], error]


def test_frames_whose_events_no_longer_fit_one_event_are_told_anew() -> None:
    """A frame that was made into two parts of text becomes blocks in order."""
    frames = _frames(_OWN[:1])
    frames.append(Frame("", (PartStarted(0, 0, Text("")), TextDelta(0, 0, "a"), PartEnded(0, 0))))
    frames += _frames([_OWN[0], *_OWN[15:19]])[1:]
    values = _written(frames)
    assert [each.get("index") for each in values if each["type"] == "content_block_start"] == [0, 3]


@pytest.mark.parametrize("data", [b"", b"[]", b"nonsense", b"[" * 5000, b"\xff", b'"x"'])
def test_what_is_no_event_is_refused(data: bytes) -> None:
    """Only an object is an event."""
    with pytest.raises(ShapeError):
        PROVIDER.stream().read("message_start", data)


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


@given(st.lists(st.integers(0, 4000), max_size=12))
def test_where_a_stream_is_cut_does_not_matter(places: list[int]) -> None:
    """The same frames come out of the bytes, however they arrive."""
    body = b"".join(
        [
            b"event: %s\ndata: %s\n\n" % (each["type"].encode(), json.dumps(each, ensure_ascii=False).encode())
            for each in _OWN
        ]
    )
    cutter, decoder = SseDecoder(), PROVIDER.stream()
    ends = [0, *sorted(place % len(body) for place in places), len(body)]
    events = [event for start, end in pairwise(ends) for event in cutter.feed(body[start:end])]
    frames = [decoder.read(name_of(event).decode(), data_of(event)) for event in events]
    assert frames == _frames(_OWN)


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
