"""Answers whose fields have other types than OpenAI's are read as far as they go."""

from __future__ import annotations

import msgspec
import pytest

from penstock.shapes.openai import decode_answer, decode_responses_event, given


def test_members_of_any_type_are_kept_raw() -> None:
    """Tool calls, audio and errors are objects or lists; absent and null ones are not given."""
    text = b'{"choices":[{"delta":{"tool_calls":[{"index":0}],"audio":{"id":"a"}}}],"error":null}'
    answer = decode_answer(text)
    assert answer.choices is not None
    delta = answer.choices[0].delta
    assert delta is not None
    assert bytes(delta.tool_calls) == b'[{"index":0}]'
    assert given(delta.audio)
    assert not given(delta.function_call)
    assert not given(answer.error)


def test_a_field_of_another_type_is_absent_and_the_others_are_read() -> None:
    """A numeric status or finish reason hides neither the usage nor the text."""
    answer = decode_answer(
        b'{"model":"m","status":0,"choices":[{"finish_reason":7,"message":{"content":"Hi"}},3],'
        b'"usage":{"prompt_tokens":5,"completion_tokens":"2","prompt_tokens_details":{"cached_tokens":1}}}'
    )
    assert (answer.model, answer.status) == ("m", None)
    assert answer.choices is not None
    assert [choice.finish_reason for choice in answer.choices] == [None]
    assert answer.choices[0].message is not None
    assert answer.choices[0].message.content == "Hi"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (5, None)
    assert answer.usage.prompt_tokens_details is not None
    assert answer.usage.prompt_tokens_details.cached_tokens == 1


def test_events_are_read_as_loosely() -> None:
    """A delta that is an object, a response with an error."""
    event = decode_responses_event(
        b'{"type":"response.failed","delta":[1],"response":{"status":"failed","error":{"code":"x"}}}'
    )
    assert event.type == "response.failed"
    assert event.delta is None
    assert event.response is not None
    assert bytes(event.response.error) == b'{"code":"x"}'


@pytest.mark.parametrize("text", [b"[]", b'"text"', b"7", b"null", b"{", b"", b"\xff"])
def test_what_is_no_object_is_refused(text: bytes) -> None:
    """That is nonsense, not a variant."""
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        decode_answer(text)
