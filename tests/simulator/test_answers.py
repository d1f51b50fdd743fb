"""What is said: words, schemas, determinism."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.simulator.behaviour import NAMES
from penstock.simulator.conform import conforming_value
from penstock.simulator.desk import Desk, Incoming, Settings
from penstock.simulator.words import count_tokens, seeded_tokens, tokens_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 300) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def answered(path: str, body: object, seed: int = 0) -> bytes:
    """The bytes that one fresh simulator sends for one request."""
    incoming = Incoming("POST", path, {"content-type": "application/json"}, msgspec.json.encode(body))
    _, steps = Desk(Settings(seed=seed)).answer(incoming)
    return b"".join(step.data for step in steps)


def body_of(raw: bytes) -> Any:
    """The JSON after the head of an answer that is not streamed."""
    return msgspec.json.decode(raw.partition(b"\r\n\r\n")[2])


def events_of(raw: bytes) -> list[bytes]:
    """The SSE events of a chunked answer, without chunk framing."""
    rest, body = raw.partition(b"\r\n\r\n")[2], b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        body, rest = body + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return [event for event in body.split(b"\n\n") if event]


def chat(model: str = "echo", content: str = "Say it, please.", **fields: object) -> dict[str, object]:
    """A chat request with one message."""
    return {"model": model, "messages": [{"role": "user", "content": content}], **fields}


@settings(deadline=None)
@given(st.text())
def test_tokens_join_to_the_text(text: str) -> None:
    """Splitting loses nothing, and counting agrees with splitting."""
    assert "".join(tokens_of(text)) == text
    assert count_tokens(text) == len(tokens_of(text))


@pytest.mark.parametrize("count", [0, 1, 2, 12, 13, 500, 100_000])
def test_seeded_words_have_exactly_the_tokens_asked_for(count: int) -> None:
    """The words' own pieces are the tokenizer's tokens, and the seed decides them."""
    words = seeded_tokens(count, 7)
    assert list(tokens_of("".join(words))) == words
    assert len(words) == count
    assert words == seeded_tokens(count, 7)


@pytest.mark.parametrize("stream", [False, True])
def test_the_same_request_and_seed_give_the_same_bytes(*, stream: bool) -> None:
    """Ids and times come from the request, so two fetches are equal; another seed gives others."""
    request = chat("tokens-40+reasoning", stream=stream)
    first = answered("/v1/chat/completions", request)
    assert first == answered("/v1/chat/completions", request)
    assert first != answered("/v1/chat/completions", request, seed=1)


def test_streamed_and_whole_answers_say_the_same() -> None:
    """The deltas joined are the message, under the same id."""
    whole = body_of(answered("/v1/chat/completions", chat("tokens-30")))
    chunks = [
        msgspec.json.decode(event.removeprefix(b"data: "))
        for event in events_of(answered("/v1/chat/completions", chat("tokens-30", stream=True)))[:-1]
    ]
    said = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)
    assert said == whole["choices"][0]["message"]["content"]
    assert {chunk["id"] for chunk in chunks} == {whole["id"]}


def test_usage_comes_on_streams_exactly_as_openai_sends_it() -> None:
    """Asked for: null on every chunk, then one with no choices; not asked for: no such key anywhere."""
    asked = events_of(
        answered("/v1/chat/completions", chat(stream=True, stream_options={"include_usage": True}))
    )
    values = [msgspec.json.decode(event.removeprefix(b"data: ")) for event in asked[:-1]]
    assert asked[-1] == b"data: [DONE]"
    assert all(value["usage"] is None for value in values[:-1])
    assert values[-1]["choices"] == []
    assert values[-1]["usage"]["total_tokens"] > 0
    plain = events_of(answered("/v1/chat/completions", chat(stream=True)))
    assert not any(b"usage" in event for event in plain)


def test_the_output_cap_and_stop_words_end_the_text() -> None:
    """`max_tokens` ends with *length* and is never exceeded; a stop word ends before itself."""
    capped = body_of(answered("/v1/chat/completions", chat("tokens-30+reasoning-4", max_tokens=10)))
    assert capped["choices"][0]["finish_reason"] == "length"
    assert capped["usage"]["completion_tokens"] == 10
    stopped = body_of(answered("/v1/chat/completions", chat(content="one two three", stop=["three"])))
    assert stopped["choices"][0]["message"]["content"] == "one two "
    assert stopped["choices"][0]["finish_reason"] == "stop"


CASES: list[tuple[object, Callable[[Any], bool]]] = [
    ({"type": "integer", "minimum": 3, "maximum": 4}, lambda v: v in {3, 4}),
    ({"type": "integer", "multipleOf": 5, "minimum": 1}, lambda v: v % 5 == 0 and v >= 1),
    ({"type": "number", "exclusiveMinimum": 0, "maximum": 1}, lambda v: 0 < v <= 1),
    ({"enum": ["a", "b"]}, lambda v: v in {"a", "b"}),
    ({"const": None}, lambda v: v is None),
    ({"type": ["string", "null"], "minLength": 80}, lambda v: len(v) >= 80),
    ({"type": "string", "maxLength": 2}, lambda v: len(v) <= 2),
    ({"type": "array", "items": {"type": "boolean"}, "minItems": 3}, lambda v: len(v) >= 3),
    ({"type": "string", "format": "date"}, lambda v: v == "2026-01-15"),
    (
        {"allOf": [{"properties": {"a": {"type": "null"}}}, {"properties": {"b": {"const": 1}}}]},
        lambda v: v == {"a": None, "b": 1},
    ),
    ({"$ref": "#/$defs/x", "$defs": {"x": {"anyOf": [{"const": 9}]}}}, lambda v: v == 9),
]


@pytest.mark.parametrize(("schema", "check"), CASES)
def test_values_conform_to_their_schema(schema: object, check: Callable[[Any], bool]) -> None:
    """Each keyword that is covered is honoured, for several seeds."""
    for seed in range(20):
        assert check(conforming_value(schema, seed))


def test_recursive_schemas_end() -> None:
    """A tree schema gives a finite tree."""
    tree = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#"}}},
        "required": ["name", "children"],
    }
    assert conforming_value(tree, 1)["name"]


@settings(deadline=None)
@given(schema=JSON, model=st.sampled_from([name.example for name in NAMES]), stream=st.booleans())
def test_no_schema_and_no_name_breaks_the_simulator(schema: object, model: str, *, stream: bool) -> None:
    """Nonsense instead of a schema still gets an answer, whatever the behaviour."""
    tools = [{"type": "function", "function": {"name": "f", "parameters": schema}}]
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    answered("/v1/chat/completions", chat(model.replace("long", "tiny"), stream=stream, tools=tools))
    answered("/v1/chat/completions", chat(model, "x", response_format=form))


@settings(deadline=None)
@given(
    body=JSON | st.dictionaries(st.sampled_from(["model", "messages", "input", "n", "tools", "stream"]), JSON)
)
def test_nonsense_gets_an_openai_error(body: object) -> None:
    """Any JSON, at any endpoint, is either answered or refused in OpenAI's shape."""
    for path in ("chat/completions", "completions", "responses", "embeddings", "moderations", "rerank"):
        raw = answered(f"/v1/{path}", body)
        if not raw.startswith(b"HTTP/1.1 200"):
            assert set(body_of(raw)["error"]) == {"message", "type", "param", "code"}
