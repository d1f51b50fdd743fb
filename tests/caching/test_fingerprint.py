"""What is the same question, and what is another one."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.core.errors import Refusal, ShapeError
from penstock.core.fingerprint import chat_form, embed_form, entry_key, question_of
from penstock.dialects.openai.decode import decode
from penstock.dialects.openai.endpoints import ENDPOINTS
from penstock.dialects.registry import chat_dialect, embed_dialect
from penstock.pipeline.cache_content import Contents
from tests.caching.mutations import mutations, neutral
from tests.translation.recordings import exchanges

SHAPES = {
    "openai.chat": "openai.chat",
    "openai.responses": "openai.responses",
    "anthropic.messages": "anthropic",
    "gemini.generateContent": "gemini",
    "bedrock.converse": "converse",
    "openai.embeddings": "openai.embeddings",
}
TURNS = st.lists(
    st.tuples(st.sampled_from(["system", "user", "assistant"]), st.text(min_size=1)), min_size=1, max_size=4
)
TEXT = st.text(min_size=1, max_size=40)


def form(shape: str, body: dict[str, Any]) -> bytes | None:
    """The canonical form of a request; None where it cannot be read, so that nothing is kept of it."""
    try:
        if shape == "openai.embeddings":
            return embed_form(embed_dialect(shape).decode_request(body, "m"))
        return chat_form(chat_dialect(shape).decode_request(body, "m", stream=bool(body.get("stream"))))
    except (ShapeError, Refusal, ValueError, TypeError, KeyError, AttributeError):
        return None


def recorded(api: str, every: int) -> Iterator[dict[str, Any]]:
    """Every n-th recorded request of an API."""
    for each in exchanges(api)[::every]:
        request: Any = each.request
        if isinstance(request, dict):
            yield cast("dict[str, Any]", request)


def check(api: str, every: int) -> int:
    """Each change is another question, unless it is neutral; how many changes there were."""
    shape, count = SHAPES[api], 0
    for body in recorded(api, every):
        before = form(shape, body)
        if before is None:
            continue
        for path, changed in mutations(body):
            after = form(shape, changed)
            assert after != before or neutral(path), (api, path)
            count += 1
    return count


@pytest.mark.parametrize("api", SHAPES)
def test_any_field_that_may_change_the_answer_is_another_question(api: str) -> None:
    """Each scalar of recorded requests changed, and a field that nobody knows put into each object."""
    assert check(api, 23) > 10


@pytest.mark.long
@pytest.mark.parametrize("api", SHAPES)
def test_the_same_over_all_recorded_requests(api: str) -> None:
    """None left out."""
    assert check(api, 1) > 400


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stream", True),
        ("stream_options", {"include_usage": True}),
        ("user", "ann"),
        ("metadata", {"a": "b"}),
        ("service_tier", "flex"),
        ("store", True),
        ("safety_identifier", "x"),
        ("prompt_cache_key", "x"),
        ("n", 1),
    ],
)
def test_what_cannot_change_the_answer_is_the_same_question(name: str, value: object) -> None:
    """How it is delivered, on whose behalf, in which lane."""
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    assert form("openai.chat", {**body, name: value}) == form("openai.chat", body)


def test_cache_hints_do_not_count() -> None:
    """Where a vendor is to cache its prompt changes no answer."""
    block = {"type": "text", "text": "Hi"}
    hinted = {**block, "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    bodies = [
        {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": [each]}]}
        for each in (block, hinted)
    ]
    assert form("anthropic", bodies[0]) == form("anthropic", bodies[1])


def shuffled(value: Any, draw: random.Random) -> Any:
    """The same JSON value with the keys of all objects in another order."""
    if isinstance(value, dict):
        items = list(cast("dict[str, Any]", value).items())
        draw.shuffle(items)
        return {name: shuffled(inner, draw) for name, inner in items}
    return [shuffled(each, draw) for each in cast("list[Any]", value)] if isinstance(value, list) else value


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whitespace_and_the_order_of_keys_do_not_count(data: st.DataObject) -> None:
    """However the JSON is written, it is the same question."""
    endpoint = ENDPOINTS["/v1/chat/completions"]
    body: dict[str, Any] = {
        "model": "m",
        "messages": [{"role": role, "content": text, "name": "a"} for role, text in data.draw(TURNS)],
        "temperature": data.draw(st.floats(0, 2)),
        "response_format": {"type": "json_object"},
    }
    draw = random.Random(data.draw(st.integers()))
    written = json.dumps(body).encode()
    other = json.dumps(shuffled(body, draw), indent=draw.choice([1, 3]), ensure_ascii=False).encode()
    contents = Contents()
    found = [contents.of(decode(endpoint, each, b"application/json")) for each in (written, other)]
    assert found[0] is not None
    assert found[1] is not None
    assert found[0].digest == found[1].digest


@settings(max_examples=100, deadline=None)
@given(TEXT, TEXT, st.integers(1, 4096), st.floats(0, 1))
def test_dialects_ask_the_same_question(system: str, text: str, cap: int, temperature: float) -> None:
    """A system prompt, a turn, a bound and a temperature, as five APIs write them."""
    turns = [{"role": "user", "content": text}]
    common: dict[str, Any] = {"model": "m", "temperature": temperature}
    config = {"maxOutputTokens": cap, "temperature": temperature}
    asked: list[tuple[str, dict[str, Any]]] = [
        (
            "openai.chat",
            {**common, "max_tokens": cap, "messages": [{"role": "system", "content": system}, *turns]},
        ),
        (
            "openai.chat",
            {
                **common,
                "max_completion_tokens": cap,
                "messages": [
                    {"role": "system", "content": [{"type": "text", "text": system}]},
                    {"role": "user", "content": [{"type": "text", "text": text}]},
                ],
            },
        ),
        ("anthropic", {**common, "max_tokens": cap, "system": system, "messages": turns}),
        (
            "gemini",
            {
                "systemInstruction": {"parts": [{"text": system}]},
                "contents": [{"role": "user", "parts": [{"text": text}]}],
                "generationConfig": config,
            },
        ),
        ("openai.responses", {**common, "max_output_tokens": cap, "instructions": system, "input": text}),
        (
            "converse",
            {
                "system": [{"text": system}],
                "messages": [{"role": "user", "content": [{"text": text}]}],
                "inferenceConfig": {"maxTokens": cap, "temperature": temperature},
            },
        ),
    ]
    assert len({form(shape, body) for shape, body in asked}) == 1


def test_the_last_turn_stands_apart_from_its_context() -> None:
    """For the look-up by meaning: another question in the same context, the same in another one."""

    def asked(system: str, text: str) -> tuple[str, bytes]:
        body = {"messages": [{"role": "system", "content": system}, {"role": "user", "content": text}]}
        question = question_of(chat_dialect("openai.chat").decode_request(body, "m", stream=False))
        assert question is not None
        return question.text, question.context

    one, two, three = asked("Be brief", "Hi"), asked("Be brief", "Hello"), asked("Be long", "Hi")
    assert (one[0], two[0]) == ("Hi", "Hello")
    assert one[1] == two[1] != three[1]


@given(st.lists(st.binary(max_size=8), max_size=5), st.lists(st.binary(max_size=8), max_size=5))
def test_parts_of_a_key_do_not_run_into_each_other(left: list[bytes], right: list[bytes]) -> None:
    """Keys are equal where all parts are."""
    assert (entry_key(left) == entry_key(right)) == (left == right)
