"""Streams of Google as events, and events of others as Google's stream."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from penstock.core.assemble import assemble, tell
from penstock.core.chat import ChatReply, Choice, Reasoning, ReplyUsage
from penstock.core.errors import ShapeError
from penstock.core.events import (
    ArgumentsDelta,
    AudioDelta,
    Broke,
    ChoiceFinished,
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
from penstock.core.parts import Audio, Citation, Inline, Signature, Text, Thinking, ToolCall
from penstock.core.usage import Usage
from penstock.ports.translation import WireEvent
from tests.translation.gemini.replay import DIALECT, PROVIDER, asked, replayed


def _event(*parts: dict[str, Any], **candidate: Any) -> bytes:
    content = {"content": {"parts": list(parts), "role": "model"}} if parts else {}
    return json.dumps(
        {"candidates": [{**content, **candidate}], "responseId": "r1", "modelVersion": "g"}
    ).encode()


def _said(out: list[WireEvent]) -> list[Any]:
    return [json.loads(each.data) for each in out]


def test_texts_go_on_and_other_parts_come_whole() -> None:
    """Pieces of text and of thought add up; a call ends what was open."""
    payloads = [
        _event({"text": "Let me ", "thought": True}),
        _event({"text": "see.", "thought": True}),
        _event({"text": "It "}),
        _event({"text": "is"}, {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "S"}),
        _event({"text": "", "thoughtSignature": "T"}, finishReason="STOP"),
        b'{"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":2},"responseId":"r1"}',
    ]
    events, out = replayed(payloads)
    assert _said(out) == [json.loads(each) for each in payloads]
    reply = assemble(events)
    (choice,) = reply.choices
    assert [type(each) for each in choice.parts] == [Thinking, Text, ToolCall, Text]
    thought, text, call, last = choice.parts
    assert (thought, text) == (Thinking("Let me see."), Text("It is"))
    assert isinstance(call, ToolCall)
    assert (call.arguments, call.signature) == ('{"a":1}', Signature("gemini", "S"))
    assert last == Text("", signature=Signature("gemini", "T"))
    assert (choice.finish, reply.id, reply.model) == ("tool_calls", "r1", "g")
    assert reply.usage is not None
    assert reply.usage.counts.output_tokens == 2
    starts = [each.index for each in events if isinstance(each, PartStarted)]
    ends = [each.index for each in events if isinstance(each, PartEnded)]
    assert starts == ends == [0, 1, 2, 3]


def test_arguments_in_pieces_are_put_together() -> None:
    """Each piece names the place of its value; the whole is told when the call ends."""
    pieces: list[dict[str, Any]] = [
        {"name": "f", "willContinue": True},
        {
            "partialArgs": [{"jsonPath": "$.a[0].b", "stringValue": "x", "willContinue": True}],
            "willContinue": True,
        },
        {"partialArgs": [{"jsonPath": "$.a[0].b", "stringValue": "y"}], "willContinue": True},
        {"partialArgs": [{"jsonPath": "$['c d']", "numberValue": 2}], "willContinue": True},
        {
            "partialArgs": [
                {"jsonPath": "$.n", "nullValue": "NULL_VALUE"},
                {"jsonPath": "$.t", "boolValue": True},
            ]
        },
        {"name": "g", "willContinue": True},
        {},
    ]
    payloads = [_event({"functionCall": each}) for each in pieces]
    payloads.append(_event({"text": ""}, finishReason="STOP"))
    events, out = replayed(payloads)
    assert _said(out) == [json.loads(each) for each in payloads]
    calls = [each for each in assemble(events).choices[0].parts if isinstance(each, ToolCall)]
    assert [(each.name, json.loads(each.arguments)) for each in calls] == [
        ("f", {"a": [{"b": "xy"}], "c d": 2, "n": None, "t": True}),
        ("g", {}),
    ]


def test_sound_arrives_in_pieces() -> None:
    """Pieces of one type of sound are one part."""
    kind = "audio/L16;codec=pcm;rate=24000"
    payloads = [_event({"inlineData": {"mimeType": kind, "data": each}}) for each in ("AAAA", "BBBB")]
    events, out = replayed(payloads)
    assert _said(out) == [json.loads(each) for each in payloads]
    assert [each.data for each in events if isinstance(each, AudioDelta)] == ["AAAA", "BBBB"]
    assert assemble(events).choices[0].parts == (Audio(Inline("audio/pcm16", "AAAABBBB"), "pcm16"),)


def test_an_error_in_the_stream_is_told() -> None:
    """Google sends its error object as an event."""
    error = {"error": {"code": 503, "message": "Overloaded.", "status": "UNAVAILABLE"}}
    frame = PROVIDER.stream().read("", json.dumps(error).encode())
    (event,) = frame.events
    assert isinstance(event, Broke)
    assert (event.message, event.type, event.status) == ("Overloaded.", "UNAVAILABLE", 503)
    assert _said(DIALECT.stream(asked()).write(frame)) == [error]
    out = DIALECT.stream(asked()).fail(Broke("gone", "overloaded_error", "", 529))
    assert _said(out) == [{"error": {"code": 529, "message": "gone", "status": "INTERNAL"}}]


@pytest.mark.parametrize("data", [b"[", b"[]", b"3", b'"x"', b"\xff", b"[" * 100_000])
def test_what_is_no_object_is_refused(data: bytes) -> None:
    """A garbled event has the decoder's own error."""
    with pytest.raises(ShapeError):
        PROVIDER.stream().read("", data)


def test_a_change_in_the_pivot_reaches_the_stream() -> None:
    """A guard that replaces text changes what the client sees."""
    decoder, encoder = PROVIDER.stream(), DIALECT.stream(asked())
    frame = decoder.read("", _event({"text": "secret"}, finishReason="STOP"))
    changed = tuple(
        [replace(each, text="***") if isinstance(each, TextDelta) else each for each in frame.events]
    )
    (body,) = _said(encoder.write(replace(frame, events=changed)))
    assert body["candidates"][0]["content"]["parts"] == [{"text": "***"}]


USAGE = ReplyUsage(Usage(input_tokens=3, output_tokens=4))


def _streamed(*frames: tuple[Event, ...], ended: bool = False, **fields: Any) -> list[Any]:
    encoder = DIALECT.stream(asked(**fields))
    out = [each for events in frames for each in encoder.write(Frame("", events))]
    if ended:
        out += encoder.write(Frame("", (Ended(),)))
    return _said(out + encoder.end())


def test_foreign_frames_become_whole_replies() -> None:
    """Text at once, calls when they are complete, the end and the usage together."""
    said = _streamed(
        (Started("chatcmpl-1", "m-1"),),
        (PartStarted(0, 0, Text("")), TextDelta(0, 0, "Sun")),
        (TextDelta(0, 0, "day"),),
        (PartStarted(0, 1, ToolCall("c1", "f")), ArgumentsDelta(0, 1, '{"a"')),
        (PartStarted(0, 2, ToolCall("c2", "g")),),
        (ArgumentsDelta(0, 1, ":1}"),),
        (ChoiceFinished(0, "tool_calls"),),
        (UsageReported(USAGE),),
    )
    head = {"modelVersion": "m-1", "responseId": "req_1"}

    def chunk(*parts: Any) -> Any:
        return {"candidates": [{"content": {"parts": list(parts), "role": "model"}, "index": 0}], **head}

    first = {
        "functionCall": {"id": "c1", "name": "f", "args": {"a": 1}},
        "thoughtSignature": "skip_thought_signature_validator",
    }
    last = chunk({"text": ""})
    last["candidates"][0]["finishReason"] = "STOP"
    last["usageMetadata"] = {"promptTokenCount": 3, "candidatesTokenCount": 4, "totalTokenCount": 7}
    assert said == [
        chunk({"text": "Sun"}),
        chunk({"text": "day"}),
        chunk(first, {"functionCall": {"id": "c2", "name": "g", "args": {}}}),
        last,
    ]


def test_a_foreign_stream_that_was_cut_still_ends() -> None:
    """What was gathered is written, without a reason that nobody gave."""
    said = _streamed((PartStarted(0, 0, ToolCall("c1", "f")), ArgumentsDelta(0, 0, '{"a":')))
    (only,) = said
    (part,) = only["candidates"][0]["content"]["parts"]
    assert part["functionCall"]["args"] == {"input": '{"a":'}
    assert "finishReason" not in only["candidates"][0]


@pytest.mark.parametrize("shown", [False, True])
def test_foreign_thinking_is_shown_on_request_and_its_seal_always_kept(*, shown: bool) -> None:
    """The seal rides on the first part that follows."""
    said = _streamed(
        (PartStarted(0, 0, Thinking()), TextDelta(0, 0, "hm")),
        (SignatureDelta(0, 0, Signature("anthropic", "s")),),
        (PartStarted(0, 1, Text("")), TextDelta(0, 1, "So"), TextDelta(0, 1, "!")),
        (ChoiceFinished(0, "stop"),),
        ended=True,
        reasoning=Reasoning(summary="auto" if shown else None),
    )
    parts = [part for each in said for part in each["candidates"][0]["content"]["parts"]]
    assert [each["text"] for each in parts] == ([*["hm"] * shown, "So", "!", ""])
    assert ["thoughtSignature" in each for each in parts] == [*[False] * shown, True, False, False]
    contents = [each["candidates"][0]["content"] for each in said]
    messages = DIALECT.decode_request({"contents": contents}, "m", stream=False).messages
    assert Thinking("hm", Signature("anthropic", "s")) in [part for each in messages for part in each.parts]


def test_a_break_inside_a_foreign_stream_ends_it() -> None:
    """What is ready comes first, then the error; nothing follows."""
    encoder = DIALECT.stream(asked())
    out = encoder.write(Frame("", (PartStarted(0, 0, Text("a")), Broke("boom", status=500))))
    assert [next(iter(each)) for each in _said(out)] == ["candidates", "error"]
    assert encoder.end() == []


REPLY = ChatReply(
    id="r",
    model="m",
    choices=(
        Choice(
            0,
            (
                Text("Grüße", citations=(Citation("https://example.org", start=0, end=5),)),
                ToolCall("c1", "f", '{"a":1}'),
            ),
            "tool_calls",
        ),
        Choice(1, (Text("other"),), "length"),
    ),
    usage=USAGE,
)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=8))
def test_a_told_reply_is_the_same_however_it_is_framed(sizes: list[int]) -> None:
    """Events may share a frame or not: text, calls, ends and usage are equal."""
    events = list(tell(REPLY))
    encoder = DIALECT.stream(asked())
    out: list[WireEvent] = []
    at = turn = 0
    while at < len(events):
        size = sizes[turn % len(sizes)]
        out += encoder.write(Frame("", tuple(events[at : at + size])))
        at, turn = at + size, turn + 1
    out += encoder.end()
    decoder = PROVIDER.stream()
    back = assemble([event for each in out for event in decoder.read("", each.data).events])
    for came, went in zip(REPLY.choices, back.choices, strict=True):
        assert came.finish == went.finish
        texts = [each for each in went.parts if isinstance(each, Text) and each.text]
        assert [each.text for each in came.parts if isinstance(each, Text)] == [each.text for each in texts]
        calls = [(each.id, each.name, each.arguments) for each in went.parts if isinstance(each, ToolCall)]
        assert [
            (each.id, each.name, each.arguments) for each in came.parts if isinstance(each, ToolCall)
        ] == calls
    assert back.usage is not None
    assert back.usage.counts == USAGE.counts
    cited = [each for part in back.choices[0].parts if isinstance(part, Text) for each in part.citations]
    assert [(each.url, each.start, each.end) for each in cited] == [("https://example.org", 0, 5)]


def test_a_text_that_is_repeated_in_full_is_completed() -> None:
    """What the deltas did not tell is there at the part's end."""
    said = _streamed(
        (PartStarted(0, 0, Text("")), TextDelta(0, 0, "Sun")),
        (PartEnded(0, 0, Text("Sunday")),),
    )
    parts = [part for each in said for part in each["candidates"][0]["content"]["parts"]]
    assert [each["text"] for each in parts] == ["Sun", "day", ""]


def test_more_thought_than_output_does_not_change_the_total() -> None:
    """Vendors that count thoughts beside the output still have their sum reported."""
    usage = ReplyUsage(Usage(input_tokens=1, output_tokens=10, reasoning_tokens=11))
    (last,) = _streamed((PartStarted(0, 0, Text("")),), (UsageReported(usage),))
    assert last["usageMetadata"]["totalTokenCount"] == 11
    assert last["usageMetadata"]["thoughtsTokenCount"] == 10
