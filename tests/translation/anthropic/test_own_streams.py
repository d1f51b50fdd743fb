"""Anthropic's own streams: into the pivot, and back to its clients."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from penstock.core.assemble import assemble
from penstock.core.errors import ShapeError
from penstock.core.events import (
    ArgumentsDelta,
    Broke,
    ChoiceFinished,
    Event,
    Frame,
    PartEnded,
    PartStarted,
    TextDelta,
    UsageReported,
)
from penstock.core.parts import (
    Opaque,
    Signature,
    Text,
    Thinking,
    ToolCall,
)
from penstock.core.usage import Usage
from penstock.shapes.anthropic import SHAPE
from penstock.wire.sse import SseDecoder, data_of, name_of
from tests.translation.anthropic.speaking import ASKED, DIALECT, PROVIDER

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
