"""Streams of other shapes as chunks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
from tests.translation.matrix.sides import retold
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
    assert [each["choices"][0]["finish_reason"] for each in written[:3]] == [None, None, "function_call"]


@pytest.mark.parametrize("dialect", ["openai.chat", "openai.completions", "converse", "anthropic"])
def test_a_reason_with_each_piece_is_told_once_and_at_the_end(dialect: str) -> None:
    """Google has ended each chunk, the last for another reason: clients hear that one, after all text."""
    frames = [
        Frame("", (PartStarted(0, 0, Text("")), TextDelta(0, 0, "a"), ChoiceFinished(0, "stop", "STOP"))),
        Frame("", (TextDelta(0, 0, "b"), ChoiceFinished(0, "stop", "STOP"))),
        Frame("", (ChoiceFinished(0, "content_filter", "RECITATION"),)),
    ]
    events = [event for frame in retold(frames, dialect, ASKED) for event in frame.events]
    reasons = [at for at, event in enumerate(events) if isinstance(event, ChoiceFinished)]
    assert len(reasons) == 1
    assert [event.text for event in events[: reasons[0]] if isinstance(event, TextDelta)] == ["a", "b"]
    assert assemble(events).choices[0].finish in ("content_filter", "refusal")


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


def test_a_refusal_in_words_ends_with_stop_and_comes_back_as_one() -> None:
    """The API's clients look for `refusal`; an answer that was withheld has none, and says `content_filter`."""
    told = _written(
        (Started("m", "claude"),),
        (PartStarted(0, 0, Refused("")), TextDelta(0, 0, "No.")),
        (ChoiceFinished(0, "refusal"),),
    )
    assert [each["choices"][0]["finish_reason"] for each in told[:-1]] == [None, "stop"]
    decoder = _PROVIDER.stream()
    events = [event for each in told[:-1] for event in decoder.read("", json.dumps(each).encode()).events]
    assert events[-1] == ChoiceFinished(0, "refusal", "stop")
    withheld = _written((Started("m", "claude"),), (ChoiceFinished(0, "refusal"),))
    assert withheld[0]["choices"][0]["finish_reason"] == "content_filter"
