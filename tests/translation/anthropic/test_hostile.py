"""Whatever a stranger sends, a decoder reads it or says what is wrong; it never fails in another way."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.chat import ChatRequest
from penstock.core.errors import ShapeError
from penstock.providers.anthropic import count
from penstock.providers.anthropic.errors import read_error
from penstock.shapes.anthropic.schema import closed
from tests.translation.anthropic.speaking import ASKED, DIALECT, PROVIDER, again, sent
from tests.translation.recordings import difference

_WORDS = [
    "type", "text", "content", "role", "user", "assistant", "system", "messages", "source", "base64",
    "data", "image", "media_type", "tool_use", "tool_result", "input", "id", "name", "thinking",
    "signature", "document", "citations", "cache_control", "ephemeral", "ttl", "output_config",
    "format", "schema", "tools", "tool_choice", "usage", "delta", "index", "message", "content_block",
    "stop_reason", "message_start", "content_block_start", "message_delta", "content_block_delta",
    "text_delta", "citation", "citations_delta", "search_result", "metadata", "json_schema",
]  # fmt: skip
_KINDS = [
    "text", "image", "document", "tool_use", "tool_result", "thinking", "redacted_thinking",
    "search_result", "new",
]  # fmt: skip
_EVENTS = [
    "message_start", "content_block_start", "content_block_delta", "content_block_delta",
    "content_block_stop", "message_delta", "message_stop", "error", "ping", "new",
]  # fmt: skip
_DELTAS = ["text_delta", "thinking_delta", "input_json_delta", "signature_delta", "citations_delta", "new"]
_seeds = st.integers(0, 2**32)


def _value(draw: random.Random, depth: int) -> Any:
    kind = draw.randrange(9 if depth else 6)
    if kind < 3:
        return draw.choice(_WORDS)
    if kind < 6:
        return draw.choice([None, True, 0, -1, 7, 1.5, 10**30, "", "x"])
    if kind < 8:
        return _members(draw, depth - 1)
    return [_value(draw, depth - 1) for _ in range(draw.randrange(4))]


def _members(draw: random.Random, depth: int = 4) -> dict[str, Any]:
    return {draw.choice(_WORDS): _value(draw, depth) for _ in range(draw.randrange(8))}


def _requests(seed: int) -> dict[str, Any]:
    draw = random.Random(seed)
    body = _members(draw)
    body["messages"] = draw.choice([[{"role": "user", "content": _blocks(draw)}], _value(draw, 4)])
    return body


def _blocks(draw: random.Random) -> list[dict[str, Any]]:
    return [{**_members(draw), "type": draw.choice(_KINDS)} for _ in range(4)]


@given(_seeds)
def test_any_request_is_read_or_refused(seed: int) -> None:
    """A client's body raises ShapeError alone; one that is read is written as it was."""
    body = _requests(seed)
    try:
        request = DIALECT.decode_request(body, "claude", stream=body.get("stream") is True)
    except ShapeError:
        return
    assert difference(again(request), {**body, **({"model": "claude"} if "model" in body else {})}) == ""


@given(_seeds)
def test_any_reply_is_read_or_refused(seed: int) -> None:
    """A vendor's body raises ShapeError alone; one that is read comes back as it was."""
    draw = random.Random(seed)
    body = _members(draw)
    body["content"] = draw.choice([_blocks(draw), _value(draw, 4)])
    try:
        reply = PROVIDER.decode_reply(body)
    except ShapeError:
        return
    assert difference(DIALECT.encode_reply(reply, ASKED), body) == ""


@given(_seeds)
def test_any_events_are_read_and_come_back(seed: int) -> None:
    """Events in any order and of any form give frames, and the same events again."""
    decoder, encoder, draw = PROVIDER.stream(), DIALECT.stream(ASKED), random.Random(seed)
    for _ in range(8):
        event = {"index": draw.randrange(3), **_members(draw), "type": draw.choice(_EVENTS)}
        if draw.random() < 0.5:
            event["content_block"] = {**_members(draw), "type": draw.choice(_KINDS)}
            event["delta"] = {**_members(draw), "type": draw.choice(_DELTAS)}
        (out,) = encoder.write(decoder.read("x", json.dumps(event).encode()))
        assert difference(json.loads(out.data), event) == ""


@given(st.binary(max_size=40) | _seeds.map(lambda seed: json.dumps(_requests(seed)).encode()))
def test_any_error_body_is_read(body: bytes) -> None:
    """An error that cannot be read is an empty one."""
    read_error(body)


def _deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"type": "object"}
    for _ in range(levels):
        value = {"type": "object", "properties": {"a": value}}
    return value


def test_deep_nesting_is_refused_or_passed_on() -> None:
    """Neither a deep input nor a deep schema nor results within results overflow anything."""
    call = {"type": "tool_use", "id": "a", "name": "f", "input": _deep(20_000)}
    body = {"max_tokens": 1, "messages": [{"role": "assistant", "content": [call]}]}
    with pytest.raises(ShapeError):
        DIALECT.decode_request(body, "claude", stream=False)
    block: dict[str, Any] = {"type": "tool_result", "tool_use_id": "a"}
    for _ in range(5000):
        block = {"type": "tool_result", "tool_use_id": "a", "content": [block]}
    DIALECT.decode_request({"messages": [{"role": "user", "content": [block]}]}, "claude", stream=False)
    assert closed(_deep(5000))["additionalProperties"] is False


@pytest.mark.parametrize("body", [{}, {"input_tokens": -1}, {"input_tokens": True}, {"input_tokens": "3"}])
def test_only_a_count_is_a_count(body: dict[str, Any]) -> None:
    """Anything but a whole number of zero or more is refused."""
    with pytest.raises(ShapeError):
        count.decode_count(body)


def test_an_empty_request_still_gets_a_message() -> None:
    """The API wants one; a caller of another dialect may have sent none."""
    assert sent(ChatRequest(model="m"))["messages"] == [{"role": "user", "content": "Begin."}]
