"""Chunks of every vendor as events."""

from __future__ import annotations

import itertools
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from penstock.core.assemble import assemble
from penstock.core.events import (
    ArgumentsDelta,
    Broke,
    Event,
    Frame,
    PartStarted,
    Started,
    TextDelta,
)
from penstock.core.parts import (
    Refused,
    Signature,
    Text,
    Thinking,
    ToolCall,
)
from penstock.dialects.openai_chat.dialect import OpenaiChatDialect
from penstock.providers.openai_chat.api import OpenaiChatProvider
from penstock.wire.sse import SseDecoder, data_of
from tests.translation.replay import ASKED, chunks

_PROVIDER, _CLIENT = OpenaiChatProvider(), OpenaiChatDialect()


def _events(*wire: dict[str, Any] | str) -> list[Event]:
    decoder = _PROVIDER.stream()
    out: list[Event] = []
    for each in wire:
        data = each if isinstance(each, str) else json.dumps(each)
        out += decoder.read("", data.encode()).events
    return out


def _delta(index: int = 0, finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"id": "c", "model": "m", "choices": [{"index": index, "delta": delta, "finish_reason": finish}]}


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
