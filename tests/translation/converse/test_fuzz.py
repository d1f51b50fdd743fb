"""Whatever comes in: nothing but the shape's own error, no loss in the same shape, and never slow."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.core.chat import FunctionTool, OutputFormat
from penstock.core.errors import ShapeError
from penstock.core.seals import from_id
from penstock.ports.translation import WireEvent
from penstock.shapes.converse.framing import to_bytes, wire_event
from penstock.shapes.converse.schema import answer_schema, tool_schema
from penstock.wire.aws_events import AwsEventDecoder
from tests.translation.converse.made import CLAUDE, DIALECT, NOVA, PROVIDER, addressee, ask, asked, sent, shown
from tests.translation.recordings import difference

_CALM = settings(deadline=None, max_examples=60)  # a busy machine is no finding
_NAMES = st.sampled_from(
    (
        *(
            "text",
            "image",
            "document",
            "video",
            "audio",
            "toolUse",
            "toolResult",
            "reasoningContent",
            "cachePoint",
        ),
        *("citationsContent", "reasoningText", "redactedContent", "signature", "source", "bytes", "s3Location"),
        *("uri", "format", "name", "content", "citations", "location", "sourceContent", "input", "toolUseId"),
        *(
            "status",
            "json",
            "type",
            "ttl",
            "title",
            "role",
            "delta",
            "start",
            "contentBlockIndex",
            "stopReason",
        ),
        *("usage", "inputTokens", "outputTokens", "totalTokens", "new"),
    )
)
_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        ["", "default", "5m", "1h", "png", "assistant", "user", "success", "tool_use", "aGk=", "s3://b"]
    ),
    st.text(max_size=5),
)
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=12,
)
_OBJECTS = st.dictionaries(_NAMES, _VALUES, max_size=4)
_BLOCKS = st.lists(_OBJECTS, max_size=4)
_REQUESTS = st.fixed_dictionaries(
    {},
    optional={
        "messages": st.lists(
            st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": _BLOCKS})
        ),
        "system": _BLOCKS | _VALUES,
        "inferenceConfig": st.fixed_dictionaries(
            {}, optional={"maxTokens": _LEAVES, "temperature": _LEAVES, "stopSequences": _VALUES}
        ),
        "toolConfig": st.fixed_dictionaries({}, optional={"tools": _BLOCKS, "toolChoice": _VALUES}),
        "additionalModelRequestFields": st.dictionaries(
            st.sampled_from(["thinking", "reasoning_config", "reasoningConfig", "output_config", "top_k", "x"]),
            _VALUES,
        )
        | _VALUES,
        "outputConfig": _VALUES,
        "serviceTier": _VALUES,
        "requestMetadata": _VALUES,
        "more": _VALUES,
    },
)


@_CALM
@given(_REQUESTS)
def test_any_request_is_refused_or_comes_back_equal(body: dict[str, Any]) -> None:
    """Nothing is lost between equal shapes, however odd the body."""
    try:
        request = DIALECT.decode_request(body, CLAUDE, stream=False)
    except ShapeError:
        return
    to = addressee()
    back = PROVIDER.encode_request(request, to)
    if "messages" not in body and not back["messages"]:
        del back["messages"]
    assert difference(body, back) == ""


@_CALM
@given(
    st.fixed_dictionaries(
        {
            "output": st.fixed_dictionaries(
                {}, optional={"message": st.fixed_dictionaries({"content": _BLOCKS}), "new": _VALUES}
            )
        },
        optional={"stopReason": _LEAVES, "usage": _OBJECTS | _VALUES, "serviceTier": _VALUES, "more": _VALUES},
    )
)
def test_any_reply_comes_back_equal(body: dict[str, Any]) -> None:
    """A vendor's answer fails nobody, and nothing of it is lost."""
    assert difference(body, DIALECT.encode_reply(PROVIDER.decode_reply(body), asked())) == ""


_PAYLOADS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "contentBlockIndex": st.integers(0, 2) | _LEAVES,
        "delta": _OBJECTS | _VALUES,
        "start": _OBJECTS | _VALUES,
        "stopReason": _LEAVES,
        "usage": _VALUES,
        "p": _LEAVES,
    },
)
_EVENTS = st.tuples(
    st.sampled_from(
        [
            "messageStart",
            "contentBlockStart",
            "contentBlockDelta",
            "contentBlockStop",
            "messageStop",
            "metadata",
            "new",
        ]
    ),
    _PAYLOADS,
)


@_CALM
@given(st.lists(_EVENTS, max_size=8), st.integers(1, 50))
def test_any_stream_comes_back_event_for_event(events: list[tuple[str, Any]], size: int) -> None:
    """Cut at every `size` bytes, and whatever the payloads are."""
    wire = b"".join([to_bytes(event) for event in _wire(events)])
    framer, decoder, encoder = AwsEventDecoder(), PROVIDER.stream(), DIALECT.stream(asked())
    got: list[tuple[str, Any]] = []
    for at in range(0, len(wire), size):
        for message in framer.feed(wire[at : at + size]):
            got += shown(encoder.write(decoder.read(*wire_event(message))))
    framer.finish()
    assert [name for name, _ in got] == [name for name, _ in events]
    assert difference([data for _, data in got], [data for _, data in events]) == ""
    encoder.end()


def _wire(events: list[tuple[str, Any]]) -> Any:
    return [WireEvent(name, json.dumps(data).encode()) for name, data in events]


@_CALM
@given(_VALUES)
def test_any_json_raises_nothing_but_a_shape_error(value: Any) -> None:
    """Whole bodies of any kind, on every side."""
    with contextlib.suppress(ShapeError):
        DIALECT.decode_request(value, CLAUDE, stream=False)
    with contextlib.suppress(ShapeError):
        PROVIDER.decode_reply(value)


_WORDS = st.sampled_from(
    [
        "type",
        "properties",
        "required",
        "$ref",
        "$defs",
        "anyOf",
        "allOf",
        "items",
        "enum",
        "minimum",
        "object",
        "a",
    ]
)
_SCHEMAS = st.dictionaries(
    _WORDS,
    st.recursive(
        st.sampled_from(["object", "#/$defs/a", "#", "#/", 1, None]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=3),
        max_leaves=8,
    ),
)


@_CALM
@given(_SCHEMAS)
def test_any_schema_can_be_sent(schema: dict[str, Any]) -> None:
    """Encoders raise nothing for what a client once sent as a schema."""
    request = ask("Hi.", tools=(FunctionTool("t", parameters=schema),), output=OutputFormat("schema", schema))
    sent(request)
    body, _ = sent(request, NOVA)
    assert body["toolConfig"]["tools"][0]["toolSpec"]["inputSchema"]["json"]["type"] == "object"


def test_schemas_that_bedrock_refuses_are_mended() -> None:
    """A reference or alternatives at the top, Nova's few words, bounds and open objects of an answer."""
    point = {"type": "object", "properties": {"x": {"type": "number", "minimum": 1}}, "required": ["x"]}
    other = {"type": "object", "properties": {"y": {"type": "number"}}, "required": ["x", "y"]}
    assert tool_schema({"$ref": "#/$defs/p", "$defs": {"p": point}}) == {"$defs": {"p": point}, **point}
    assert tool_schema({"anyOf": [point, other]}) == {
        "type": "object",
        "properties": {**point["properties"], **other["properties"]},  # pyright: ignore[reportGeneralTypeIssues]
        "required": ["x"],
    }
    assert tool_schema({"allOf": [point, other]})["required"] == ["x", "y"]
    nova = {"title": "T", "properties": {"p": {"$ref": "#/$defs/p"}}, "$defs": {"p": point}, "required": ["p"]}
    assert tool_schema(nova, bare=True) == {"type": "object", "properties": {"p": point}, "required": ["p"]}
    loop = {
        "properties": {"n": {"$ref": "#/$defs/n"}},
        "$defs": {"n": {"properties": {"a": {"$ref": "#/$defs/n"}}}},
    }
    assert json.dumps(tool_schema(loop, bare=True))
    closed, bounded = answer_schema(
        {"type": "object", "properties": {"minimum": {"type": "integer", "maximum": 3}}}
    )
    assert bounded
    assert closed == {
        "type": "object",
        "properties": {"minimum": {"type": "integer"}},
        "additionalProperties": False,
    }


_HOSTILE: list[bytes] = [
    b'{"messages":[' + b'{"role":"user","content":[' * 400 + b"]}" * 400 + b"]}",
    b'{"messages":[{"role":"user","content":['
    + b'{"toolResult":{"toolUseId":"a","content":[' * 200
    + b"]}}" * 200
    + b"]}]}",
    b'{"messages":[{"role":"user","content":['
    + b",".join([b'{"text":"x"},{"cachePoint":{"type":"default"}}'] * 4000)
    + b"]}]}",
    b'{"messages":[{"role":"assistant","content":['
    + b",".join([b'{"toolUse":{"toolUseId":"a-ps1-AAAA","name":"n","input":{}}}'] * 3300)
    + b"]}]}",
    b'{"messages":[{"role":"assistant","content":[{"toolUse":{"toolUseId":"a-ps1-'
    + b"A" * 199000
    + b'","name":"n"}}]}]}',
    b'{"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"'
    + b"[" * 190000
    + b'"}}}}}',
]


@pytest.mark.parametrize("text", _HOSTILE)
def test_hostile_bodies_are_read_or_refused_in_time(text: bytes) -> None:
    """At most 200 kB, nested or repeated; processor time is far below what a second attempt could excuse."""
    body = json.loads(text)
    assert len(text) < 202_000
    best = 1.0
    for _ in range(3):
        begun = time.process_time()
        with contextlib.suppress(ShapeError):
            DIALECT.decode_request(body, CLAUDE, stream=False)
        best = min(best, time.process_time() - begun)
    assert best < 0.5


def test_an_id_that_only_looks_carried_is_an_id() -> None:
    """Somebody else's mark in an id is no seal of ours."""
    assert from_id("a-ps1-AAAA")[0] == "a-ps1-AAAA"
