"""Hostile input: decoders raise ShapeError and nothing else, and what they read can be written."""

import json
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.core.errors import ShapeError
from penstock.wire.sse import SseDecoder, data_of, name_of
from tests.translation.openai_responses.both_sides import DIALECT, PROVIDER, asked, got, sent, shown
from tests.translation.recordings import difference

_TYPES = [
    "message",
    "reasoning",
    "function_call",
    "custom_tool_call",
    "function_call_output",
    "image_generation_call",
    "web_search_call",
    "input_text",
    "output_text",
    "refusal",
    "input_image",
    "input_file",
    "input_audio",
    "summary_text",
    "reasoning_text",
    "url_citation",
    "file_citation",
    "function",
    "custom",
    "allowed_tools",
    "json_schema",
    "json_object",
    "text",
    "error",
    "response.created",
    "response.completed",
    "response.failed",
    "response.output_item.added",
    "response.output_item.done",
    "response.content_part.added",
    "response.content_part.done",
    "response.output_text.delta",
    "response.output_text.done",
    "response.output_text.annotation.added",
    "response.refusal.delta",
    "response.reasoning_text.delta",
    "response.reasoning_summary_text.delta",
    "response.reasoning_summary_text.done",
    "response.reasoning_summary_part.done",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "response.custom_tool_call_input.delta",
    "response.incomplete",
]
_NAMES = [
    "type",
    "role",
    "content",
    "text",
    "input",
    "output",
    "name",
    "call_id",
    "arguments",
    "summary",
    "id",
    "delta",
    "encrypted_content",
    "image_url",
    "file_data",
    "file_id",
    "filename",
    "annotations",
    "logprobs",
    "refusal",
    "tools",
    "tool_choice",
    "format",
    "reasoning",
    "effort",
    "schema",
    "strict",
    "parameters",
    "include",
    "item",
    "part",
    "response",
    "output_index",
    "content_index",
    "summary_index",
    "annotation",
    "error",
    "message",
    "code",
    "usage",
    "input_tokens",
    "output_tokens",
    "input_tokens_details",
    "cached_tokens",
    "cost",
    "cost_in_usd_ticks",
    "status",
    "incomplete_details",
    "reason",
    "created_at",
    "model",
    "instructions",
    "metadata",
    "result",
    "mode",
    "token",
    "logprob",
    "top_logprobs",
    "start_index",
    "prompt_cache_breakpoint",
    "ttl",
    "input_audio",
    "data",
]
_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-1, 3)
    | st.floats()
    | st.sampled_from([*_TYPES, "user", "assistant", ""])
)
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=6),
    max_leaves=25,
)
_objects = st.dictionaries(st.sampled_from(_NAMES), _values, max_size=8)


@settings(max_examples=120, deadline=None)
@given(_objects)
def test_any_request_is_read_or_refused(body: dict[str, Any]) -> None:
    """Random JSON as a request: ShapeError, or a request that can be sent."""
    try:
        request = got(body)
    except ShapeError:
        return
    sent(request)


@settings(max_examples=120, deadline=None)
@given(_objects, st.lists(_objects, max_size=4))
def test_any_reply_is_read_or_refused(body: dict[str, Any], output: list[dict[str, Any]]) -> None:
    """Random JSON as a response: ShapeError, or a reply that can be shown."""
    try:
        reply = PROVIDER.decode_reply({**body, "output": output})
    except ShapeError:
        return
    shown(reply)


@settings(max_examples=120, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(_TYPES), _objects), max_size=8))
def test_any_stream_is_read_and_comes_back(events: list[tuple[str, dict[str, Any]]]) -> None:
    """Random events of known types come back as they were, each as one; infinities have no JSON."""
    decoder, encoder, foreign = PROVIDER.stream(), DIALECT.stream(asked()), DIALECT.stream(asked())
    for kind, fields in events:
        body = json.loads(json.dumps({**fields, "type": kind}).replace("NaN", "0").replace("Infinity", "1"))
        frame = decoder.read("", json.dumps(body).encode())
        (written,) = encoder.write(frame)
        assert not difference(body, json.loads(written.data))
        for event in frame.events:
            foreign.write(type(frame)("", (event,)))
    foreign.end()


_STREAM = b"".join(
    b"event: %b\r\ndata: %b\r\n\r\n"
    % (kind.encode(), json.dumps({"type": kind, **fields}, ensure_ascii=False).encode())
    for kind, fields in [
        ("response.output_text.delta", {"output_index": 0, "content_index": 0, "delta": "grüße"}),
        ("response.output_text.delta", {"output_index": 0, "content_index": 0, "delta": "日本"}),
        ("response.output_text.done", {"output_index": 0, "content_index": 0, "text": "grüße日本"}),
    ]
)


@given(st.lists(st.integers(0, len(_STREAM)), max_size=6))
def test_frames_do_not_depend_on_where_the_bytes_were_cut(places: list[int]) -> None:
    """Cut anywhere, inside a character too, the same frames come out."""
    edges = [0, *sorted(places), len(_STREAM)]
    pieces = [_STREAM[a:b] for a, b in pairwise(edges)]
    assert _frames(pieces) == _frames([_STREAM])


def _frames(pieces: list[bytes]) -> list[Any]:
    framer, decoder = SseDecoder(), PROVIDER.stream()
    raw = [event for piece in pieces for event in framer.feed(piece)] + framer.finish()
    return [decoder.read(name_of(event).decode(), data_of(event)) for event in raw]


def test_large_and_deep_input_is_read() -> None:
    """Two hundred kilobytes of the cheapest items, and values nested deeply, are read like any other."""
    deep: Any = "x"
    for _ in range(200):
        deep = [deep]
    for items in (
        [{"role": "user", "content": ""}] * 5000,
        [{"type": "reasoning", "summary": [{"type": "summary_text", "text": ""}] * 4000}],
        [{"type": "future", "value": deep}],
    ):
        body = {"model": "m", "input": items}
        assert sent(got(body), "m")[0] == body
