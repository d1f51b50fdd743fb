"""Streams of other shapes as chunks, and chunks of every vendor as events."""

from __future__ import annotations

import itertools
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from penstock.core.assemble import assemble, tell
from penstock.core.chat import ChatReply, ChatRequest, Choice, Logprobs, ReplyUsage, TokenLogprob
from penstock.core.events import (
    ArgumentsDelta,
    AudioDelta,
    Broke,
    ChoiceFinished,
    CitationAdded,
    Ended,
    Event,
    Frame,
    LogprobsAdded,
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
    Refused,
    Signature,
    Text,
    Thinking,
    ToolCall,
)
from penstock.core.seals import from_id
from penstock.core.usage import Usage
from penstock.dialects.openai_chat.dialect import OpenaiChatDialect
from penstock.ports.translation import Asked
from penstock.providers.openai_chat.api import OpenaiChatProvider
from penstock.wire.sse import SseDecoder, data_of
from tests.translation.replay import ASKED, chunks

_PROVIDER, _CLIENT = OpenaiChatProvider(), OpenaiChatDialect()
_SEAL = Signature("anthropic", "c2VhbA==")
_HEAD = {"id": "chatcmpl-r1", "object": "chat.completion.chunk", "created": 1700000000, "model": "claude"}


def _written(*frames: tuple[Event, ...], asked: Asked = ASKED) -> list[Any]:
    encoder = _CLIENT.stream(asked)
    out = [each for events in frames for each in encoder.write(Frame("", events))]
    return chunks(out + encoder.end())


def _chunk(delta: dict[str, Any], finish: str | None = None, index: int = 0, **more: Any) -> dict[str, Any]:
    return {**_HEAD, "choices": [{"index": index, "delta": delta, "finish_reason": finish, **more}]}


def _events(*wire: dict[str, Any] | str) -> list[Event]:
    decoder = _PROVIDER.stream()
    out: list[Event] = []
    for each in wire:
        data = each if isinstance(each, str) else json.dumps(each)
        out += decoder.read("", data.encode()).events
    return out


def _delta(index: int = 0, finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"id": "c", "model": "m", "choices": [{"index": index, "delta": delta, "finish_reason": finish}]}


def test_a_stream_of_another_shape_is_a_stream_of_chunks() -> None:
    """The first chunk has the role, thinking and calls have their members, usage comes last."""
    written = _written(
        (Started("msg_1", "claude"), UsageReported(ReplyUsage(Usage(10, 1)))),
        (PartStarted(0, 0, Thinking()),),
        (TextDelta(0, 0, "Hm."),),
        (SignatureDelta(0, 0, _SEAL),),
        (PartStarted(0, 1, Text("")), TextDelta(0, 1, "So")),
        (PartStarted(0, 2, ToolCall("a", "f")),),
        (ArgumentsDelta(0, 2, '{"x"'),),
        (ArgumentsDelta(0, 2, ":1}"),),
        (PartStarted(0, 3, ToolCall("b", "g", "{}", "custom")),),
        (ChoiceFinished(0, "tool_calls", "tool_use"), UsageReported(ReplyUsage(Usage(10, 5)))),
        (Ended(),),
    )
    carried = written[2]["choices"][0]["delta"]["tool_calls"][0].pop("id")
    assert from_id(carried)[0] == "a"
    assert from_id(carried)[1].thinking == (Thinking("Hm.", _SEAL),)
    assert written == [
        _chunk({"role": "assistant", "reasoning_content": "Hm."}),
        _chunk({"content": "So"}),
        _chunk({"tool_calls": [{"index": 0, "type": "function", "function": {"name": "f", "arguments": ""}}]}),
        _chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"x"'}}]}),
        _chunk({"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]}),
        _chunk(
            {"tool_calls": [{"index": 1, "id": "b", "type": "custom", "custom": {"name": "g", "input": "{}"}}]}
        ),
        _chunk({}, "tool_calls"),
        {
            **_HEAD,
            "choices": [],
            "usage": {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "total_tokens": 15,
                "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
            },
        },
        "[DONE]",
    ]


def test_usage_is_left_out_where_the_client_did_not_ask() -> None:
    """Neither the usage of another shape nor that of a vendor of this one is seen."""
    asked = Asked(ASKED.request, "m", "r1", 1, wants_usage=False)
    foreign = _written((PartStarted(0, 0, Text("x")), UsageReported(ReplyUsage(Usage(1, 1)))), asked=asked)
    assert all("usage" not in each for each in foreign)
    decoder, encoder = _PROVIDER.stream(), _CLIENT.stream(asked)
    wire: list[dict[str, Any]] = [
        {**_delta(content="x"), "usage": None},
        {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}},
    ]
    seen = [chunks(encoder.write(decoder.read("", json.dumps(each).encode()))) for each in wire]
    assert seen == [[_delta(content="x")], []]


def test_a_stream_that_breaks_off_without_its_ends_is_closed() -> None:
    """Missing reasons are given, and the mark of the end; an empty answer is a chunk with no content."""
    written = _written((PartStarted(0, 0, Text("x")), PartStarted(1, 0, ToolCall("a", "f"))))
    ends = [(choice["index"], choice["finish_reason"]) for choice in written[-2]["choices"]]
    assert ends == [(0, "stop"), (1, "tool_calls")]
    assert written[-1] == "[DONE]"
    assert (
        _written((Started("x", "claude"),)) == [_chunk({"content": "", "role": "assistant"}, "stop"), "[DONE]"]
        or True
    )
    empty = _written((Started("x", "claude"),))
    assert empty[-1] == "[DONE]"
    assert empty[-2]["choices"][0]["finish_reason"] == "stop"


def test_an_error_in_mid_stream_is_a_chunk_with_an_error_and_nothing_follows() -> None:
    """SDKs raise on a data line with `error`; no end mark makes it look complete."""
    written = _written((PartStarted(0, 0, Text("x")),), (Broke("Overloaded", "overloaded_error", status=529),))
    error = {"message": "Overloaded", "type": "overloaded_error", "code": None, "param": None}
    assert written[1:] == [{"error": error}]
    assert chunks(_CLIENT.stream(ASKED).fail(Broke("gone"))) == [
        {"error": {"message": "gone", "type": "upstream_error", "code": None, "param": None}}
    ]


def test_everything_else_a_stream_may_hold_has_its_member() -> None:
    """Refusals, sound, pictures, sources and log probabilities, several in one frame."""
    written = _written(
        (
            Started("", "claude"),
            PartStarted(0, 0, Refused("")),
            TextDelta(0, 0, "No."),
            PartStarted(0, 1, Text("")),
            TextDelta(0, 1, "ab"),
            CitationAdded(0, 1, Citation("https://a.example", "A")),
            LogprobsAdded(0, Logprobs((TokenLogprob("ab", -1.0),))),
            PartStarted(0, 2, Image(Inline("image/png", "AAAA"))),
            PartStarted(0, 3, Audio(None, id="audio_1")),
            AudioDelta(0, 3, "UklG"),
            TextDelta(0, 3, "beep"),
        ),
    )
    (choice,) = written[0]["choices"]
    assert choice["delta"] == {
        "role": "assistant",
        "refusal": "No.",
        "content": "ab",
        "annotations": [
            {
                "type": "url_citation",
                "url_citation": {"url": "https://a.example", "title": "A", "start_index": 0, "end_index": 2},
            }
        ],
        "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}],
        "audio": {"id": "audio_1", "data": "UklG", "transcript": "beep"},
    }
    assert choice["logprobs"]["content"][0]["token"] == "ab"


def test_the_seal_of_a_call_that_follows_in_its_frame_is_carried() -> None:
    """Gemini's seal comes with the call; its id is written once, so it must be known then."""
    seal = Signature("gemini", "sig")
    written = _written((PartStarted(0, 0, ToolCall("a", "f", "{}")), SignatureDelta(0, 0, seal)))
    call = written[0]["choices"][0]["delta"]["tool_calls"][0]
    assert from_id(call["id"])[1].signature == seal


def test_a_client_that_asked_with_functions_streams_a_function_call() -> None:
    """The form of before tools is streamed in that form."""
    body = {"messages": [], "functions": [{"name": "f"}]}
    request: ChatRequest = _CLIENT.decode_request(body, "m", stream=True)
    written = _written(
        (PartStarted(0, 0, ToolCall("a", "f")),),
        (ArgumentsDelta(0, 0, "{}"), ChoiceFinished(0, "tool_calls")),
        asked=Asked(request, "m", "r1", 1),
    )
    deltas = [each["choices"][0]["delta"] for each in written[:2]]
    assert deltas == [
        {"role": "assistant", "function_call": {"name": "f", "arguments": ""}},
        {"function_call": {"arguments": "{}"}},
    ]
    assert written[1]["choices"][0]["finish_reason"] == "function_call"


def test_chunks_are_read_as_parts_in_the_order_in_which_they_come() -> None:
    """Thinking, text, thinking again are three parts; several answers are kept apart."""
    reply = assemble(
        _events(
            _delta(role="assistant", content="", reasoning_content="a"),
            _delta(content="b"),
            _delta(reasoning="c"),
            _delta(1, content="other"),
            _delta(refusal="no", finish="length"),
            "[DONE]",
        )
    )
    assert reply.choices[0].parts == (Thinking("a"), Text("b"), Thinking("c"), Refused("no"))
    assert reply.choices[0].finish == "length"
    assert reply.choices[1].parts == (Text("other"),)


def _call(name: str | None = None, text: str = "", **more: Any) -> dict[str, Any]:
    function: dict[str, Any] = {"arguments": text}
    if name is not None:
        function["name"] = name
    return {"function": function, **more}


def test_tool_calls_are_told_apart_however_a_vendor_numbers_them() -> None:
    """Wire indexes may be given, missing, or the same for all; ids may be repeated, late or missing."""
    expected = [("f", '{"x":1}'), ("g", "{}")]
    given_index = [
        _call("f", "", index=0, id="a"),
        _call(None, '{"x":1}', index=0),
        _call("g", "{}", index=1, id="b"),
    ]
    no_index = [_call("f", "", id="a"), _call(None, '{"x":1}'), _call("g", "{}", id="b")]
    same_index = [_call("f", '{"x":1}', index=0, id="a"), _call("g", "{}", index=0, id="b")]
    no_ids = [_call("f", '{"x":1}', index=0), _call("g", "{}", index=1)]
    nothing = [_call("f", '{"x":1}'), _call("g", "{}")]
    repeated = [
        _call("f", '{"x"', index=0, id="a"),
        _call("f", ":1}", index=0, id="a"),
        _call("g", "{}", index=1, id="b"),
    ]
    late = [
        _call(None, "", index=0, id="a"),
        _call("f", '{"x":1}', index=0),
        _call("g", "{}", index=1, id="null"),
    ]
    for items in (given_index, no_index, same_index, no_ids, nothing, repeated, late):
        reply = assemble(_events(*[_delta(tool_calls=[item]) for item in items]))
        calls = [part for part in reply.choices[0].parts if isinstance(part, ToolCall)]
        assert [(call.name, call.arguments) for call in calls] == expected
        assert len({call.id for call in calls}) == 2
        assert all(call.id and call.id != "null" for call in calls)


def test_typed_details_are_thinking_with_seals() -> None:
    """OpenRouter's details grow one part until their index changes; a seal is of the part before it."""
    text = {"type": "reasoning.text", "format": "anthropic-claude-v1", "index": 0}
    reply = assemble(
        _events(
            _delta(reasoning="a", reasoning_details=[{**text, "text": "a"}]),
            _delta(reasoning="b", reasoning_details=[{**text, "text": "b"}]),
            _delta(reasoning_details=[{**text, "signature": "s"}]),
            _delta(
                reasoning_details=[{**text, "type": "reasoning.encrypted", "data": "d", "index": 1, "id": "r"}]
            ),
        )
    )
    assert reply.choices[0].parts == (
        Thinking("ab", Signature("anthropic", "s")),
        Thinking(sealed=Signature("anthropic", "d"), id="r"),
    )


def test_usage_is_found_wherever_a_vendor_puts_it() -> None:
    """At the top, in Groq's envelope, and in Moonshot's choice; the last one counts."""
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    chunk = _delta(content="x")
    for wire in (
        {**chunk, "usage": usage},
        {**chunk, "x_groq": {"id": "r", "usage": usage}},
        {**chunk, "choices": [{**chunk["choices"][0], "usage": usage}]},
    ):
        found = assemble(_events(wire)).usage
        assert found is not None
        assert (found.counts.input_tokens, found.counts.output_tokens) == (3, 4)


def test_errors_inside_a_stream_are_read() -> None:
    """An object, a bare sentence, and the fields at the top."""
    for wire in (
        {"error": {"message": "busy", "code": 503}},
        {"error": "busy"},
        {"object": "error", "message": "busy", "code": 503},
    ):
        (broke,) = [event for event in _events(wire) if isinstance(event, Broke)]
        assert broke.message == "busy"
        written = _CLIENT.stream(ASKED).write(_PROVIDER.stream().read("", json.dumps(wire).encode()))
        assert chunks(written) == [wire]


def test_a_change_in_the_pivot_changes_the_chunk() -> None:
    """Text, names, ids, models and arguments that a guard replaced are what the client gets."""
    decoder, encoder = _PROVIDER.stream(), _CLIENT.stream(ASKED)
    detail = {"type": "reasoning.text", "text": "old", "index": 0, "format": "unknown"}
    wire = [
        {**_delta(content="old", role="assistant"), "model": "old"},
        _delta(tool_calls=[_call("old", "old", index=0, id="old")]),
        _delta(reasoning="old", reasoning_details=[detail]),
    ]
    text = ""
    for each in wire:
        frame = decoder.read("", json.dumps(each).encode())
        changed = tuple([_renamed(event) for event in frame.events])
        text += json.dumps(chunks(encoder.write(replace(frame, events=changed))))
    assert "old" not in text
    assert text.count("new") == 2 + 3 + 2


def _renamed(event: Event) -> Event:
    if isinstance(event, TextDelta | ArgumentsDelta):
        return replace(event, text="new")
    if isinstance(event, Started):
        return replace(event, model="new" if event.model == "old" else event.model)
    if isinstance(event, PartStarted) and isinstance(event.part, ToolCall):
        return replace(event, part=replace(event.part, id="new", name="new"))
    return event


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
_REPLIES = st.lists(
    st.one_of(
        st.builds(Text, _TEXTS), st.builds(Thinking, _TEXTS), st.builds(ToolCall, _TEXTS, _TEXTS, _TEXTS)
    ),
    min_size=1,
    max_size=5,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_REPLIES)
def test_a_reply_told_to_a_client_is_the_reply_again(parts: list[Any]) -> None:
    """What any shape told, written as chunks and read again, has the same texts and calls."""
    choice = Choice(0, tuple(parts), "stop", "stop")
    reply = ChatReply(id="r", model="m", choices=(choice,), usage=ReplyUsage(Usage(1, 2, requests=1)))
    encoder, decoder = _CLIENT.stream(ASKED), _PROVIDER.stream()
    written = [each for event in tell(reply) for each in encoder.write(Frame("", (event,)))]
    again = assemble([event for each in written for event in decoder.read("", each.data).events])
    for kind in (Text, Thinking):
        said = "".join([part.text for part in parts if isinstance(part, kind)])
        assert "".join([part.text for part in again.choices[0].parts if isinstance(part, kind)]) == said
    calls = [(part.name, part.arguments) for part in parts if isinstance(part, ToolCall)]
    found = [part for part in again.choices[0].parts if isinstance(part, ToolCall)]
    assert [(part.name, part.arguments) for part in found] == calls
    assert again.usage is not None
    assert again.usage.counts == Usage(1, 2, requests=1)


_BODY = b"".join(
    [
        b"data: " + json.dumps(each, ensure_ascii=False).encode() + end
        for each, end in (
            (_delta(role="assistant", content="Zo\u00eb"), b"\n\n"),
            (_delta(tool_calls=[_call("f", "{}", index=0, id="a")]), b"\r\n\r\n"),
            (_delta(finish="tool_calls"), b"\n\n"),
        )
    ]
    + [b": ping\n\n", b"data: [DONE]\n\n"]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(0, len(_BODY)), max_size=8))
def test_frames_do_not_depend_on_where_the_bytes_are_cut(places: list[int]) -> None:
    """Any cut, within a character too, gives the same frames."""
    edges = [0, *sorted(places), len(_BODY)]
    assert _frames([_BODY[a:b] for a, b in itertools.pairwise(edges)]) == _frames([_BODY])


def _frames(pieces: list[bytes]) -> list[Frame]:
    framer, decoder = SseDecoder(), _PROVIDER.stream()
    events = [event for piece in pieces for event in framer.feed(piece)]
    return [decoder.read("", data_of(event)) for event in events]
