"""Where texts stand in requests, who says them, and how they are replaced."""

from __future__ import annotations

import json
import re
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.detector import Role
from penstock.core.screen_plan import Guard
from penstock.guardrails.bodies import rewritten, screened_slots
from penstock.guardrails.docket import Docket
from penstock.guardrails.texts.contexts import between
from penstock.guardrails.texts.slots import Slot, reply_slots, request_slots
from penstock.wire.json_paths import DuplicateKeyError, patched, strict_json
from tests.guardrails.detecting import Broken, guard

MARKS = re.compile(r"[a-z_]+:[a-g]\b")
REQUESTS: dict[str, dict[str, Any]] = {
    "chat": {
        "model": "SKIP",
        "messages": [
            {"role": "system", "content": "system:a"},
            {"role": "user", "content": [{"type": "text", "text": "user:b"}]},
            {
                "role": "assistant",
                "content": "assistant:c",
                "tool_calls": [{"id": "SKIP", "function": {"name": "f", "arguments": '{"x": "tool_call:d"}'}}],
            },
            {"role": "tool", "tool_call_id": "SKIP", "content": "tool_result:e"},
        ],
    },
    "anthropic": {
        "system": [{"type": "text", "text": "system:a"}],
        "messages": [
            {"role": "user", "content": "user:b"},
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "SKIP", "input": {"id": "tool_call:d"}}],
            },
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "SKIP", "content": "tool_result:e"}],
            },
            {
                "role": "user",
                "content": [
                    {"type": "document", "source": {"type": "text", "data": "context:g"}, "title": "context:f"}
                ],
            },
        ],
    },
    "gemini": {
        "systemInstruction": {"parts": [{"text": "system:a"}]},
        "contents": [
            {
                "role": "user",
                "parts": [{"text": "user:b"}, {"inlineData": {"mimeType": "SKIP", "data": "SKIP"}}],
            },
            {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"type": "tool_call:d"}}}]},
            {
                "role": "user",
                "parts": [{"functionResponse": {"name": "f", "response": {"id": "tool_result:e"}}}],
            },
        ],
    },
    "converse": {
        "system": [{"text": "system:a"}],
        "messages": [
            {"role": "user", "content": [{"text": "user:b"}]},
            {
                "role": "assistant",
                "content": [{"toolUse": {"toolUseId": "SKIP", "input": {"q": "tool_call:d"}}}],
            },
            {
                "role": "user",
                "content": [{"toolResult": {"toolUseId": "SKIP", "content": [{"text": "tool_result:e"}]}}],
            },
        ],
    },
    "responses": {
        "instructions": "system:a",
        "input": [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "user:b"}]},
            {"type": "function_call", "call_id": "SKIP", "arguments": '{"x": "tool_call:d"}'},
            {"type": "function_call_output", "call_id": "SKIP", "output": "tool_result:e"},
        ],
    },
    "embeddings": {"model": "SKIP", "input": ["user:a", "user:b"]},
    "rerank": {"query": "user:a", "documents": ["context:b"]},
}


@pytest.mark.parametrize("shape", REQUESTS)
def test_every_text_is_found_with_whoever_says_it(shape: str) -> None:
    """In each shape of request, ids, types and data left out."""
    slots = request_slots(REQUESTS[shape])
    for slot in slots:
        text = json.loads(slot.text)["x"] if slot.json else slot.text
        if ":" in text:
            assert text.startswith(f"{slot.role}:"), slot
    told = json.dumps([slot.text for slot in slots])
    assert "SKIP" not in told
    assert len(MARKS.findall(told)) == len(MARKS.findall(json.dumps(REQUESTS[shape])))


def test_texts_of_answers_are_found() -> None:
    """Text, thinking, refusals and arguments of a chat answer."""
    message = {
        "role": "assistant",
        "content": "a",
        "refusal": "b",
        "tool_calls": [{"function": {"arguments": "{}"}}],
    }
    found = reply_slots({"id": "x", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
    assert [(slot.role, slot.text) for slot in found] == [
        ("assistant", "a"),
        ("assistant", "b"),
        ("tool_call", "{}"),
    ]


def screened(guards: list[Guard], body: bytes) -> bytes:
    """The body that is left."""
    value = strict_json(body)
    return rewritten(body, value, screened_slots(guards, request_slots(value), Docket()))


def test_only_what_is_found_changes_in_the_body() -> None:
    """Spacing, escapes, order and numbers beside it stay, byte for byte."""
    body = b'{ "messages" : [ {"role":"user","content":"\\u0061 123 \\n"} ],"temperature":1.00, "x":"123"}'
    wanted = b'{ "messages" : [ {"role":"user","content":"a <RULE> \\n"} ],"temperature":1.00, "x":"123"}'
    assert screened([guard(r"\d+")], body) == wanted
    assert screened([guard("nothing")], body) is body


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place of a value but the top."""
    found: list[tuple[str | int, ...]] = []
    items: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        items = list(cast("dict[str | int, Any]", value).items())
    elif isinstance(value, list):
        items = list(enumerate(cast("list[Any]", value)))
    for step, item in items:
        found += [(*path, step), *places(item, (*path, step))]
    return found


@given(st.dictionaries(st.text(max_size=4), JSON, max_size=4), st.integers(0, 50), st.booleans())
def test_a_value_at_any_place_is_replaced(value: dict[str, Any], pick: int, ascii_only: bool) -> None:
    """And nothing else is: the rest decodes to what it was."""
    found = places(value)
    if not found:
        return
    path = found[pick % len(found)]
    body = json.dumps(value, ensure_ascii=ascii_only, indent=pick % 3 or None).encode()
    at: Any = value
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = "NEW"
    assert json.loads(patched(body, {path: b'"NEW"'})) == value


@pytest.mark.parametrize("body", [b'{"a":{"b":1,"b":2}}', b'{"a":[{"c":1,"\\u0063":2}]}'])
def test_a_key_that_stands_twice_is_refused_at_any_depth(body: bytes) -> None:
    """A guard would look at one of the two, and a vendor perhaps at the other."""
    with pytest.raises(DuplicateKeyError):
        strict_json(body)


def test_a_document_between_marks_is_somebody_elses() -> None:
    """The user's own words around it stay the user's, and what changes in one part keeps the others."""
    text = "Sum up: <doc>call 123</doc> and <doc>456"
    parts = between([Slot(("m",), "user", text)], [("<doc>", "</doc>")])
    assert [(part.role, part.text) for part in parts] == [
        ("user", "Sum up: <doc>"),
        ("context", "call 123"),
        ("user", "</doc> and <doc>"),
        ("context", "456"),
    ]
    only = guard(r"\d+")
    only.roles = frozenset[Role]({"context"})
    assert screened_slots([only], parts, Docket()) == {("m",): "Sum up: <doc>call <RULE></doc> and <doc><RULE>"}


@pytest.mark.parametrize(("closed", "verdict"), [(True, "block"), (False, "allow")])
def test_a_detector_that_fails_blocks_or_lets_through(closed: bool, verdict: str) -> None:
    """As `on_error` says; the note names the defect and never the text."""
    docket = Docket()
    broken = Guard("g", "rule", "redact", detector=Broken(), closed=closed)
    screened_slots([broken], [Slot(("a",), "user", "secret")], docket)
    assert (docket.blocked is not None) is closed
    assert docket.notes() == {"guard.g": f"{verdict} GUARD_ERROR:1(RuntimeError)"}


def test_texts_that_cannot_be_encoded_are_looked_at_all_the_same() -> None:
    """A lone surrogate, which JSON can spell, hides nothing and harms nobody."""
    body = b'{"messages":[{"role":"user","content":"\\ud800 123"}]}'
    assert json.loads(screened([guard(r"\d+")], body))["messages"][0]["content"] == "\ud800 <RULE>"
