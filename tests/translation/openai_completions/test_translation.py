"""Legacy completions in front of chat models, and behind them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from penstock.core.assemble import assemble
from penstock.core.chat import ChatReply, ChatRequest, Choice, Logprobs, Message, ReplyUsage, TokenLogprob
from penstock.core.errors import ShapeError
from penstock.core.events import (
    Broke,
    ChoiceFinished,
    Ended,
    Frame,
    PartStarted,
    Started,
    TextDelta,
    UsageReported,
)
from penstock.core.losses import Losses
from penstock.core.parts import Image, Inline, Text, Thinking, ToolCall
from penstock.core.usage import Usage
from penstock.dialects.openai_completions.dialect import OpenaiCompletionsDialect
from penstock.ports.translation import Asked
from penstock.providers.openai_completions.api import OpenaiCompletionsProvider
from penstock.providers.openai_completions.profile import DEFAULT
from tests.translation.replay import ASKED, chunks, to

_CLIENT, _PROVIDER = OpenaiCompletionsDialect(), OpenaiCompletionsProvider()


def _read(**body: Any) -> ChatRequest:
    return _CLIENT.decode_request(body, "m", stream=False)


def test_a_prompt_is_one_user_message() -> None:
    """Parameters have their places; a list of one prompt is a prompt; `logprobs` is a number here."""
    request = _read(prompt=["Once"], max_tokens=5, stop="x", logprobs=2, n=2, best_of=3, suffix="end")
    assert request.messages == (Message("user", (Text("Once"),)),)
    assert (request.max_output_tokens, request.stop, request.choices) == (5, ("x",), 2)
    assert (request.logprobs, request.top_logprobs) == (True, 2)


@pytest.mark.parametrize("prompt", [["a", "b"], [1, 2], [[1, 2]], [], 5, None])
def test_several_prompts_and_tokens_are_refused(prompt: Any) -> None:
    """A conversation cannot say them; the error names the field."""
    with pytest.raises(ShapeError, match="prompt"):
        _read(prompt=prompt)


def test_a_reply_of_another_shape_is_a_text_completion() -> None:
    """Text is kept, thinking and calls are not text; an echo begins with the prompt."""
    asked = Asked(_read(prompt="2+2=", echo=True), "m", "r1", 5)
    parts = (Thinking("Hm."), Text("4"), Text("!"), ToolCall("a", "f"))
    logprobs = Logprobs((TokenLogprob("4", -0.1, (("5", -2.0),)), TokenLogprob("!", -0.2)))
    reply = ChatReply(
        id="msg",
        model="claude",
        choices=(Choice(0, parts, "tool_calls", logprobs=logprobs),),
        usage=ReplyUsage(Usage(3, 2)),
    )
    out = _CLIENT.encode_reply(reply, asked)
    assert out.pop("usage")["total_tokens"] == 5
    assert out == {
        "id": "cmpl-r1",
        "object": "text_completion",
        "created": 5,
        "model": "claude",
        "choices": [
            {
                "index": 0,
                "text": "2+2=4!",
                "logprobs": {
                    "tokens": ["4", "!"],
                    "token_logprobs": [-0.1, -0.2],
                    "top_logprobs": [{"5": -2.0}, {}],
                    "text_offset": [4, 5],
                },
                "finish_reason": "stop",
            }
        ],
    }


def test_a_stream_of_another_shape_is_a_stream_of_text() -> None:
    """Only text makes chunks; the end, the usage and an error have theirs."""
    encoder = _CLIENT.stream(Asked(_read(prompt="P", echo=True), "m", "r1", 5))
    frames = [
        (Started("msg", "claude"), PartStarted(0, 0, Thinking()), TextDelta(0, 0, "Hm.")),
        (PartStarted(0, 1, Text("")), TextDelta(0, 1, "a")),
        (TextDelta(0, 1, "b"), ChoiceFinished(0, "length"), UsageReported(ReplyUsage(Usage(1, 2)))),
        (Ended(),),
    ]
    written = chunks([each for events in frames for each in encoder.write(Frame("", events))])
    said = [[(each["text"], each["finish_reason"]) for each in chunk["choices"]] for chunk in written[:-1]]
    assert said == [[("Pa", None)], [("b", None)], [("", "length")], []]
    assert written[-2]["usage"]["completion_tokens"] == 2
    assert written[-1] == "[DONE]"
    assert encoder.end() == []
    broken = _CLIENT.stream(ASKED)
    assert chunks(broken.write(Frame("", (Broke("busy"),))))[0]["error"]["message"] == "busy"
    assert broken.end() == []


def test_a_stream_without_an_end_is_closed() -> None:
    """A reason and the mark of the end are given."""
    encoder = _CLIENT.stream(ASKED)
    encoder.write(Frame("", (PartStarted(1, 0, Text("x")),)))
    finish, done = chunks(encoder.end())
    assert (finish["choices"][0]["index"], finish["choices"][0]["finish_reason"], done) == (1, "stop", "[DONE]")


def test_a_conversation_is_a_prompt_and_its_losses_are_named() -> None:
    """A completions server gets the texts; what is no text is dropped by name."""
    losses = Losses()
    request = ChatRequest(
        model="m",
        messages=(
            Message("system", (Text("Be brief."),)),
            Message("user", (Text("Hi"), Image(Inline("image/png", "A")))),
        ),
        top_k=3,
        stop=("x",),
        logprobs=True,
        stream=True,
    )
    assert _PROVIDER.encode_request(request, to(DEFAULT, "m", losses)) == {
        "model": "m",
        "prompt": "Be brief.\n\nHi",
        "logprobs": 0,
        "stop": ["x"],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert losses.dropped == ["parts", "top_k"]


def test_a_change_in_the_pivot_changes_what_is_written() -> None:
    """Texts of a stream of the same shape come from its events."""
    chunk = {
        "id": "c",
        "model": "m",
        "created": 1,
        "choices": [{"index": 0, "text": "old", "finish_reason": None}],
    }
    frame = _PROVIDER.stream().read("", json.dumps(chunk).encode())
    events = tuple(
        [TextDelta(0, 0, "new") if isinstance(event, TextDelta) else event for event in frame.events]
    )
    (written,) = chunks(_CLIENT.stream(ASKED).write(Frame(frame.name, events, frame.extras)))
    assert written["choices"][0]["text"] == "new"
    assert assemble(frame.events).choices[0].parts == (Text("old"),)
