"""Input that nobody should send: decoders raise their own error or nothing, and stay quick."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.core.errors import ShapeError
from penstock.dialects.openai_chat.dialect import OpenaiChatDialect
from penstock.dialects.openai_completions.dialect import OpenaiCompletionsDialect
from penstock.ports.translation import ChatDialect, ChatProvider
from penstock.providers.mistral.api import MistralProvider
from penstock.providers.openai_chat.api import OpenaiChatProvider
from penstock.providers.openai_chat.errors import read_error
from penstock.providers.openai_completions.api import OpenaiCompletionsProvider
from tests.translation.replay import ASKED, to

_DIALECTS: list[ChatDialect] = [OpenaiChatDialect(), OpenaiCompletionsDialect()]
_PROVIDERS: list[ChatProvider] = [OpenaiChatProvider(), OpenaiCompletionsProvider(), MistralProvider()]
_WORDS = st.sampled_from(
    [
        "messages",
        "role",
        "content",
        "user",
        "assistant",
        "tool",
        "type",
        "text",
        "image_url",
        "url",
        "data:,x",
        "tool_calls",
        "function",
        "custom",
        "name",
        "arguments",
        "id",
        "index",
        "choices",
        "delta",
        "message",
        "finish_reason",
        "logprobs",
        "usage",
        "prompt_tokens",
        "reasoning_details",
        "reasoning.text",
        "reasoning.encrypted",
        "signature",
        "annotations",
        "url_citation",
        "audio",
        "images",
        "error",
        "tools",
        "tool_choice",
        "response_format",
        "json_schema",
        "thinking",
        "enabled",
        "reasoning",
        "stop",
        "function_call",
        "refusal",
        "x_groq",
        "file",
        "file_data",
        "search_results",
        "prompt",
        "top_logprobs",
        "cost",
    ]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False) | _WORDS | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_WORDS, inner, max_size=6),
    max_leaves=25,
)
_BODIES = st.dictionaries(_WORDS, _VALUES, max_size=8)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_BODIES)
def test_no_body_raises_anything_but_a_shape_error(body: dict[str, Any]) -> None:
    """What can be decoded can be encoded again, for a client and for a vendor."""
    for dialect in _DIALECTS:
        try:
            request = dialect.decode_request(body, "m", stream=False)
        except ShapeError:
            continue
        for provider in _PROVIDERS:
            json.dumps(provider.encode_request(request, to()))
    for provider in _PROVIDERS:
        reply = _reply(provider, body)
        if reply is not None:
            for dialect in _DIALECTS:
                json.dumps(dialect.encode_reply(reply, ASKED))


def _reply(provider: ChatProvider, body: dict[str, Any]) -> Any:
    try:
        return provider.decode_reply(body)
    except ShapeError:
        return None


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_VALUES | _BODIES, max_size=4))
def test_no_event_raises_anything_but_a_shape_error(values: list[Any]) -> None:
    """Events of any form are frames that every encoder can write."""
    for provider in _PROVIDERS:
        decoder = provider.stream()
        encoders = [dialect.stream(ASKED) for dialect in _DIALECTS]
        for value in values:
            try:
                frame = decoder.read("", json.dumps(value).encode())
            except ShapeError:
                continue
            for encoder in encoders:
                encoder.write(frame)
        for encoder in encoders:
            encoder.end()


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=60))
def test_bytes_that_are_not_json_are_a_shape_error_or_no_error_at_all(data: bytes) -> None:
    """Garbage on the wire is the vendor's fault, and said so."""
    read_error(data)
    for provider in _PROVIDERS:
        with contextlib.suppress(ShapeError):
            provider.stream().read("", data)


def _large(item: Any) -> list[Any]:
    return [item] * (200_000 // (len(json.dumps(item)) + 2))


_URL = "data:," + "%" * 190_000
_HOSTILE = {
    "messages": {"messages": _large({"role": "user", "content": "x"})},
    "items": {"messages": [{"role": "user", "content": _large({"type": "text", "text": "x"})}]},
    "calls": {"messages": [{"role": "assistant", "tool_calls": _large({"function": {"name": "f"}})}]},
    "annotations": {"choices": [{"message": {"content": "x", "annotations": _large(1)}}]},
    "details": {"choices": [{"delta": {"reasoning_details": _large({"type": "reasoning.text", "text": "x"})}}]},
    "deltas": {"choices": [{"delta": {"tool_calls": _large({"id": "a", "function": {"name": "f"}})}}]},
    "choices": {"choices": _large({"index": 0, "text": "a", "delta": {"content": "a"}})},
    "url": {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": _URL}}]}]},
}  # fmt: skip


def _part(value: Any, share: int) -> Any:
    """The same body with one `share`-th of each long list and text."""
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return {name: _part(member, share) for name, member in members.items()}
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return items[: len(items) // share] if len(items) > 1000 else [_part(item, share) for item in items]
    return value[: len(value) // share] if isinstance(value, str) and len(value) > 1000 else value


def _steps(body: Any) -> int:
    """How many calls, Python's and C's, it takes to decode a body in every way."""
    calls = 0

    def count(_frame: object, event: str, _arg: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    data = json.dumps(body).encode()
    sys.setprofile(count)
    try:
        for dialect in _DIALECTS[:1]:
            with contextlib.suppress(ShapeError):
                dialect.decode_request(body, "m", stream=False)
        for provider in _PROVIDERS:
            provider.stream().read("", data)
            _reply(provider, body)
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("name", list(_HOSTILE))
def test_hostile_input_is_decoded_in_linear_time(name: str) -> None:
    """Twice the input takes about twice the steps, never four times; what 200 kB take is measured by hand."""
    body = _HOSTILE[name]
    assert _steps(_part(body, 10)) <= 2.5 * _steps(_part(body, 20)) + 1000


@pytest.mark.parametrize("name", list(_HOSTILE))
def test_200_kb_of_hostile_input_are_decoded(name: str) -> None:
    """Or refused, in the decoder's own words."""
    body = _HOSTILE[name]
    for dialect in _DIALECTS[:1]:
        with contextlib.suppress(ShapeError):
            dialect.decode_request(body, "m", stream=False)
    for provider in _PROVIDERS:
        provider.stream().read("", json.dumps(body).encode())
        _reply(provider, body)


def test_deep_nesting_is_refused_or_passed() -> None:
    """A thousand levels neither recurse nor raise anything else."""
    deep: Any = "x"
    for _ in range(900):
        deep = {"error": deep}
    read_error(b'{"error":' * 5000)
    for provider in _PROVIDERS:
        provider.decode_reply({"error": deep, "choices": []})
    with pytest.raises(ShapeError):
        OpenaiChatProvider().stream().read("", b'{"a":' * 100_000)


@pytest.mark.parametrize(
    "calls", [["x"], [{"index": 0, "function": "y"}, 7], [[{"index": 0}]], 7, {"index": 0}]
)
def test_both_forms_of_a_call_in_one_delta_are_written_again(calls: Any) -> None:
    """A delta that has today's calls, none of them readable, beside a call of the form before them."""
    delta = {"tool_calls": calls, "function_call": {"name": "f", "arguments": "{}"}}
    decoder, encoder = OpenaiChatProvider().stream(), OpenaiChatDialect().stream(ASKED)
    chunk = json.dumps({"choices": [{"index": 0, "delta": delta}]}).encode()
    (written,) = encoder.write(decoder.read("", chunk))
    assert json.loads(written.data)["choices"][0]["index"] == 0
