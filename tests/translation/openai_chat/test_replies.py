"""Replies of other shapes to clients of chat completions, and replies of its vendors in the pivot."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from penstock.core.chat import (
    ChatReply,
    ChatRequest,
    Choice,
    FinishReason,
    Logprobs,
    ReplyUsage,
    TokenLogprob,
)
from penstock.core.parts import (
    Audio,
    Citation,
    Extras,
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
from penstock.dialects.openai_chat.errors import error_body
from penstock.ports.translation import Asked
from penstock.providers.openai_chat.api import OpenaiChatProvider
from penstock.providers.openai_chat.errors import read_error
from tests.translation.replay import ASKED

_PROVIDER, _CLIENT = OpenaiChatProvider(), OpenaiChatDialect()
_SEAL = Signature("anthropic", "c2VhbA==")


def _message(*parts: Any, finish: FinishReason = "stop", asked: Asked = ASKED) -> dict[str, Any]:
    reply = ChatReply(choices=(Choice(0, parts, finish, "native"),))
    return _CLIENT.encode_reply(reply, asked)["choices"][0]


def test_a_reply_of_another_shape_has_all_that_a_client_requires() -> None:
    """Id, time and model are ours where they must be; usage has its parts; nothing foreign is in it."""
    reply = ChatReply(
        id="msg_1",
        model="claude",
        choices=(Choice(0, (Text("Hello"),), "stop_sequence", "stop_sequence", "END"),),
        usage=ReplyUsage(Usage(10, 5, 4, 2, 0, 3), extras=Extras("anthropic", {"input_tokens": 4})),
        extras=Extras("anthropic", {"type": "message"}),
    )
    assert _CLIENT.encode_reply(reply, ASKED) == {
        "id": "chatcmpl-r1",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "claude",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello", "refusal": None},
                "finish_reason": "stop",
                "logprobs": None,
            }
        ],
        "usage": {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "total_tokens": 15,
            "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0, "cache_write_tokens": 2},
            "completion_tokens_details": {"reasoning_tokens": 3, "audio_tokens": 0},
        },
    }


def test_thinking_is_shown_and_its_seal_travels_in_the_first_call() -> None:
    """A client reads the thinking as text and sends its seal back without knowing."""
    first, second = ToolCall("a", "f", "{}"), ToolCall("b", "g", "{}")
    choice = _message(Thinking("Hm.", _SEAL), Text("So:"), first, second, finish="tool_calls")
    message = choice["message"]
    assert (message["content"], message["reasoning_content"]) == ("So:", "Hm.")
    one, two = message["tool_calls"]
    assert from_id(one["id"])[0] == "a"
    assert from_id(one["id"])[1].thinking == (Thinking("Hm.", _SEAL),)
    assert two == {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}}
    assert choice["finish_reason"] == "tool_calls"


def test_what_else_an_answer_may_hold_has_its_member() -> None:
    """A refusal, sound, pictures, citations with shifted offsets, and an answer of calls only."""
    assert _message(Refused("No."), finish="refusal") == {
        "index": 0,
        "message": {"role": "assistant", "content": None, "refusal": "No."},
        "finish_reason": "stop",
        "logprobs": None,
    }
    sound = _message(Audio(Inline("audio/wav", "UklG"), "wav", "beep", "audio_1"))["message"]
    assert sound["audio"] == {"id": "audio_1", "data": "UklG", "transcript": "beep", "expires_at": 1700000000}
    picture = _message(Image(Inline("image/png", "AAAA")))["message"]
    assert picture["content"] == ""
    assert picture["images"] == [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]
    cited = _message(
        Text("One. "), Text("Two.", (Citation("https://a.example", "A", "q", 0, 3), Citation(cited="doc")))
    )["message"]
    assert cited["content"] == "One. Two."
    assert cited["annotations"] == [
        {
            "type": "url_citation",
            "url_citation": {
                "url": "https://a.example",
                "title": "A",
                "content": "q",
                "start_index": 5,
                "end_index": 8,
            },
        }
    ]
    assert _message()["message"] == {"role": "assistant", "content": "", "refusal": None}


def test_a_client_that_asked_with_functions_reads_a_function_call() -> None:
    """The form of before tools is answered in that form."""
    body = {"messages": [{"role": "user", "content": "x"}], "functions": [{"name": "f"}]}
    asked = replace_request(_CLIENT.decode_request(body, "m", stream=False))
    choice = _message(ToolCall("a", "f", '{"x":1}'), finish="tool_calls", asked=asked)
    assert choice["message"]["function_call"] == {"name": "f", "arguments": '{"x":1}'}
    assert "tool_calls" not in choice["message"]
    assert choice["finish_reason"] == "function_call"


def replace_request(request: ChatRequest) -> Asked:
    """What was asked, with this request."""
    return Asked(request, "m", "r1", 1)


def test_log_probabilities_of_another_shape_are_written_with_their_bytes() -> None:
    """Clients compute on bytes; they are those of the token."""
    reply = ChatReply(
        choices=(
            Choice(0, (Text("é"),), "stop", "", None, Logprobs((TokenLogprob("é", -0.5, (("e", -1.5),)),))),
        )
    )
    assert _CLIENT.encode_reply(reply, ASKED)["choices"][0]["logprobs"] == {
        "content": [
            {
                "token": "é",
                "logprob": -0.5,
                "bytes": [195, 169],
                "top_logprobs": [{"token": "e", "logprob": -1.5, "bytes": [101]}],
            }
        ],
        "refusal": None,
    }


@pytest.mark.parametrize(
    ("finish", "word"),
    [
        ("stop", "stop"),
        ("stop_sequence", "stop"),
        ("length", "length"),
        ("tool_calls", "tool_calls"),
        ("content_filter", "content_filter"),
        ("refusal", "content_filter"),
        ("pause", "stop"),
        ("error", "stop"),
        ("other", "stop"),
    ],
)
def test_every_reason_has_a_word_that_clients_know(finish: FinishReason, word: str) -> None:
    """A strict client refuses words outside the documented ones."""
    assert _message(Text("x"), finish=finish)["finish_reason"] == word


def _vendor(message: dict[str, Any], **choice: Any) -> dict[str, Any]:
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 5,
        "model": "v",
        "choices": [
            {"index": 0, "finish_reason": "stop", **choice, "message": {"role": "assistant", **message}}
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "x": 1},
    }


def test_a_vendors_reply_is_read_into_parts() -> None:
    """Thinking, text with sources, sound and calls of every type are parts in this order."""
    reply = _PROVIDER.decode_reply(
        _vendor(
            {
                "reasoning": "Hm.",
                "reasoning_details": [
                    {
                        "type": "reasoning.text",
                        "text": "Hm.",
                        "signature": "s",
                        "format": "anthropic-claude-v1",
                    },
                    {"type": "reasoning.encrypted", "data": "d", "id": "rs", "format": "openai-responses-v1"},
                ],
                "content": "Hello",
                "annotations": [{"type": "url_citation", "url_citation": {"url": "u", "title": "t"}}],
                "tool_calls": [
                    {"id": "a", "type": "custom", "custom": {"name": "f", "input": "free"}},
                    {"type": "function", "function": {"name": "g", "arguments": {"x": 1}}},
                ],
            },
            finish_reason="eos",
        )
    )
    (choice,) = reply.choices
    sealed, encrypted, text, custom, function = choice.parts
    assert isinstance(sealed, Thinking)
    assert sealed.signature == Signature("anthropic", "s")
    assert isinstance(encrypted, Thinking)
    assert encrypted.sealed == Signature("openai.responses", "d")
    assert isinstance(text, Text)
    assert [each.url for each in text.citations] == ["u"]
    assert isinstance(custom, ToolCall)
    assert (custom.type, custom.arguments) == ("custom", "free")
    assert isinstance(function, ToolCall)
    assert function.arguments == '{"x":1}'
    assert function.id.startswith("call_")
    assert (choice.finish, choice.native) == ("stop", "eos")


def test_pages_that_a_vendor_lists_are_cited_by_the_text_and_listed_once() -> None:
    """Perplexity's search results reach clients of other shapes; its own clients get them as they came."""
    body = _vendor({"content": "x"}) | {"search_results": [{"url": "u", "title": "t", "snippet": "s"}]}
    reply = _PROVIDER.decode_reply(body)
    (text,) = reply.choices[0].parts
    assert isinstance(text, Text)
    assert [(each.url, each.title, each.cited) for each in text.citations] == [("u", "t", "s")]
    assert _CLIENT.encode_reply(reply, ASKED) == body


@pytest.mark.parametrize(
    ("said", "nanos"),
    [
        ({"cost": 0.000123456789}, 123457),
        ({"cost": 1.1e-05}, 11000),
        ({"cost_in_usd_ticks": 37756005}, 3775601),
        ({"cost": {"total_cost": 0.006}}, 6000000),
        ({"cost": "free"}, None),
        ({}, None),
    ],
)
def test_a_reported_cost_is_exact(said: dict[str, Any], nanos: int | None) -> None:
    """The number that the vendor wrote, not the binary fraction near it, half a nano-dollar up."""
    body = _vendor({"content": "x"})
    body["usage"].update(said)
    usage = _PROVIDER.decode_reply(body).usage
    assert usage is not None
    assert usage.cost_nanousd == nanos


def test_reasoning_that_a_vendor_counts_beside_the_completion_is_part_of_the_output() -> None:
    """XAI's total says so; a total that includes it leaves the counts alone."""
    body = _vendor({"content": "x"})
    body["usage"] = {
        "prompt_tokens": 10,
        "completion_tokens": 4,
        "total_tokens": 34,
        "completion_tokens_details": {"reasoning_tokens": 20},
    }
    usage = _PROVIDER.decode_reply(body).usage
    assert usage is not None
    assert (usage.counts.output_tokens, usage.counts.reasoning_tokens) == (24, 20)


def test_a_change_in_the_pivot_changes_the_reply() -> None:
    """Nothing that the pivot knows is shadowed by what was kept of the original."""
    body = _vendor(
        {
            "reasoning_content": "old",
            "content": "old",
            "tool_calls": [
                {"id": "old", "index": 0, "type": "function", "function": {"name": "old", "arguments": "old"}}
            ],
        }
    )
    reply = _PROVIDER.decode_reply(body)
    thinking, text, call = reply.choices[0].parts
    changed = replace(
        reply,
        model="new",
        choices=(
            replace(
                reply.choices[0],
                finish="length",
                parts=(
                    replace(thinking, text="new"),
                    replace(text, text="new"),
                    replace(call, id="new", name="new", arguments="new"),
                ),
            ),
        ),
        usage=replace(reply.usage, counts=Usage(7, 8)) if reply.usage else None,
    )
    out = _CLIENT.encode_reply(changed, ASKED)
    assert "old" not in str(out)
    assert str(out).count("new") == 6
    assert out["choices"][0]["finish_reason"] == "length"
    assert (out["usage"]["prompt_tokens"], out["usage"]["total_tokens"], out["usage"]["x"]) == (7, 15, 1)


def test_errors_are_written_and_read_in_openais_shape() -> None:
    """The body has OpenAI's members, and the vendors' variants of it are understood."""
    body = error_body("rate_limited", "rate_limit", "Too many.", None, "r1")
    error = read_error(body)
    assert (error.message, error.type, error.code) == ("Too many.", "rate_limit_error", "rate_limited")
    assert read_error(b'{"error":"model not found"}').message == "model not found"
    assert read_error(b'[{"error":{"message":"bad key","code":400}}]').code == 400
    assert read_error(b"<html>").message is None
