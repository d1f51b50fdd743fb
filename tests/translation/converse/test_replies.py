"""Replies: Bedrock's in the pivot's words, and what clients of Converse get of other vendors' answers."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from msgspec.structs import replace

from penstock.core.chat import ChatReply, Choice, FinishReason, Logprobs, ReplyUsage, TokenLogprob
from penstock.core.errors import ShapeError
from penstock.core.parts import (
    Audio,
    Citation,
    Image,
    Inline,
    Opaque,
    Refused,
    Signature,
    Text,
    Thinking,
    ToolCall,
)
from penstock.core.seals import from_id
from penstock.core.usage import Usage
from penstock.dialects.converse.errors import error_body, error_headers
from penstock.providers.converse.errors import read_error
from penstock.shapes.converse.finish import finish_of
from tests.translation.converse.made import CLAUDE, DIALECT, PROVIDER, asked
from tests.translation.recordings import difference

_ANSWER: dict[str, Any] = {
    "output": {
        "message": {
            "role": "assistant",
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "Eu8B"}}},
                {
                    "citationsContent": {
                        "content": [{"text": "Tea is hot."}],
                        "citations": [
                            {
                                "title": "Tea",
                                "sourceContent": [{"text": "hot"}],
                                "location": {"documentChar": {"documentIndex": 1, "start": 0, "end": 3}},
                            },
                            {"location": {"web": {"url": "https://example.com/a", "domain": "example.com"}}},
                        ],
                    }
                },
                {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"a": None}}},
                {
                    "toolUse": {
                        "toolUseId": "s1",
                        "name": "nova_grounding",
                        "input": {},
                        "type": "server_tool_use",
                    }
                },
                {"newBlock": {"x": 1}},
            ],
        },
    },
    "stopReason": "tool_use",
    "usage": {
        "inputTokens": 10,
        "outputTokens": 5,
        "totalTokens": 125,
        "cacheReadInputTokens": 70,
        "cacheWriteInputTokens": 40,
        "cacheDetails": [{"ttl": "1h", "inputTokens": 30}, {"ttl": "5m", "inputTokens": 10}],
    },
    "metrics": {"latencyMs": 9},
    "additionalModelResponseFields": {"stop_sequence": "|"},
    "serviceTier": {"type": "flex"},
    "trace": {"promptRouter": {"invokedModelId": "x"}},
}


def test_an_answer_in_the_pivots_words() -> None:
    """Parts, finish, usage as totals; a built-in tool's call is nobody's to run."""
    reply = PROVIDER.decode_reply(_ANSWER)
    choice = reply.choices[0]
    thinking, cited, call, built_in, new = choice.parts
    assert isinstance(thinking, Thinking)
    assert (thinking.text, thinking.signature) == ("Hm.", Signature("anthropic", "Eu8B"))
    assert isinstance(cited, Text)
    assert [(each.title, each.cited, each.url, each.document) for each in cited.citations] == [
        ("Tea", "hot", "", 1),
        ("", "", "https://example.com/a", None),
    ]
    assert call == ToolCall("t1", "f", '{"a":null}')
    assert isinstance(built_in, Opaque)
    assert isinstance(new, Opaque)
    assert (choice.finish, choice.native, choice.stop_sequence) == ("tool_calls", "tool_use", "|")
    assert reply.service_tier == "flex"
    assert reply.usage is not None
    assert reply.usage.counts == Usage(
        input_tokens=120,
        output_tokens=5,
        cache_read_tokens=70,
        cache_write_tokens=40,
        cache_write_1h_tokens=30,
    )
    assert difference(_ANSWER, DIALECT.encode_reply(reply, asked())) == ""


def test_a_change_in_the_pivot_is_shown() -> None:
    """Text, names, seals, finish and usage come from the pivot."""
    reply = PROVIDER.decode_reply(_ANSWER)
    thinking, cited, call, *_ = reply.choices[0].parts
    assert isinstance(thinking, Thinking)
    assert isinstance(cited, Text)
    assert isinstance(call, ToolCall)
    parts = (
        replace(thinking, text="Ah.", signature=Signature("anthropic", "Zz")),
        replace(cited, text="Tea was hot.", citations=(replace(cited.citations[0], document=0),)),
        replace(call, name="g", arguments="{}"),
    )
    assert reply.usage is not None
    changed = replace(
        reply,
        choices=(replace(reply.choices[0], parts=parts, finish="length"),),
        usage=replace(reply.usage, counts=Usage(input_tokens=7, output_tokens=2, cache_read_tokens=3)),
        service_tier="default",
    )
    body = DIALECT.encode_reply(changed, asked())
    assert body["output"]["message"]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "Ah.", "signature": "Zz"}}},
        {
            "citationsContent": {
                "content": [{"text": "Tea was hot."}],
                "citations": [
                    {
                        "title": "Tea",
                        "sourceContent": [{"text": "hot"}],
                        "location": {"documentChar": {"documentIndex": 0, "start": 0, "end": 3}},
                    }
                ],
            }
        },
        {"toolUse": {"toolUseId": "t1", "name": "g", "input": {}}},
    ]
    assert body["stopReason"] == "max_tokens"
    assert body["serviceTier"] == {"type": "default"}
    assert body["usage"] == {
        "inputTokens": 4,
        "outputTokens": 2,
        "totalTokens": 9,
        "cacheReadInputTokens": 3,
        "cacheWriteInputTokens": 0,
    }


_FOREIGN = ChatReply(
    id="chatcmpl-1",
    model="gpt",
    choices=(
        Choice(
            0,
            (
                Thinking("Let me see."),
                Text("Tea ", (Citation("https://example.com/t?x", "Tea", "hot", 0, 3),)),
                Text(""),
                Refused("I will not."),
                ToolCall("call_1", "f", '{"a":1}'),
                ToolCall("", "g", ""),
                Image(Inline("image/png", "aGk=")),
                Audio(None, "wav", "Hello."),
                Opaque("openai.responses", {"type": "web_search_call"}),
            ),
            "stop",
            "stop",
            logprobs=Logprobs((TokenLogprob("a", -0.1),)),
        ),
        Choice(1, (Text("Another."),), "stop"),
    ),
    usage=ReplyUsage(Usage(input_tokens=9, output_tokens=4, cache_write_tokens=2, cache_write_1h_tokens=2)),
)


def test_another_vendors_answer() -> None:
    """Everything that Converse can show, with all that its types require."""
    body = DIALECT.encode_reply(_FOREIGN, asked())
    made = body["output"]["message"]["content"][4]["toolUse"].pop("toolUseId")
    assert made.startswith("tooluse_")
    assert body == {
        "output": {
            "message": {
                "role": "assistant",
                "content": [
                    {"reasoningContent": {"reasoningText": {"text": "Let me see."}}},
                    {
                        "citationsContent": {
                            "content": [{"text": "Tea "}],
                            "citations": [
                                {
                                    "title": "Tea",
                                    "sourceContent": [{"text": "hot"}],
                                    "location": {
                                        "web": {"url": "https://example.com/t?x", "domain": "example.com"}
                                    },
                                }
                            ],
                        }
                    },
                    {"text": "I will not."},
                    {"toolUse": {"toolUseId": "call_1", "name": "f", "input": {"a": 1}}},
                    {"toolUse": {"name": "g", "input": {}}},
                    {"image": {"format": "png", "source": {"bytes": "aGk="}}},
                    {"text": "Hello."},
                ],
            }
        },
        "stopReason": "end_turn",
        "usage": {
            "inputTokens": 7,
            "outputTokens": 4,
            "totalTokens": 13,
            "cacheWriteInputTokens": 2,
            "cacheDetails": [{"ttl": "1h", "inputTokens": 2}],
        },
        "metrics": {"latencyMs": 0},
    }


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        ("stop", "end_turn"),
        ("length", "max_tokens"),
        ("tool_calls", "tool_use"),
        ("stop_sequence", "stop_sequence"),
        ("content_filter", "content_filtered"),
        ("refusal", "content_filtered"),
        ("error", "malformed_model_output"),
        ("pause", "end_turn"),
        ("other", "end_turn"),
    ],
)
def test_every_finish_has_a_stop_reason(finish: FinishReason, reason: str) -> None:
    """One of the words that SDKs know."""
    reply = ChatReply(choices=(Choice(parts=(Text("x"),), finish=finish, stop_sequence="|"),))
    body = DIALECT.encode_reply(reply, asked())
    assert body["stopReason"] == reason
    assert body["additionalModelResponseFields"] == {"stop_sequence": "|"}


def test_stop_reasons_are_read() -> None:
    """The vendor's words, one that is new among them."""
    words = ("guardrail_intervened", "model_context_window_exceeded", "malformed_tool_use", "brand_new")
    assert [finish_of(word) for word in words] == ["content_filter", "length", "error", "other"]


_SEAL = Signature("gemini", "c2ln")


@pytest.mark.parametrize(
    "part",
    [
        Thinking("Hm.", Signature("anthropic", "Eu8B")),
        Thinking("Hm.", _SEAL),
        Thinking(sealed=Signature("anthropic", "EvQC")),
        Thinking(sealed=Signature("openai.responses", "gAAA")),
        Thinking("Sum.", sealed=Signature("openai.responses", "gAAA"), id="rs_1"),
        Thinking(sealed=Signature("openai.responses", "gAAA"), id="rs_1"),
        ToolCall("c1", "f", "{}", signature=_SEAL),
    ],
)
def test_seals_travel_through_a_client(part: Any) -> None:
    """What a client gets and sends back unchanged is what the vendor said."""
    body = DIALECT.encode_reply(ChatReply(choices=(Choice(parts=(part,)),)), asked())
    turn = body["output"]["message"]
    back = DIALECT.decode_request(json.loads(json.dumps({"messages": [turn]})), CLAUDE, stream=False)
    assert back.messages[0].parts == (part,)


def test_own_seals_are_shown_as_anthropic_gives_them() -> None:
    """A blob's bytes are the text of Anthropic's API; a call's foreign seal is in its id."""
    parts = (Thinking(sealed=Signature("anthropic", "EvQC")), ToolCall("c1", "f", "{}", signature=_SEAL))
    content = DIALECT.encode_reply(ChatReply(choices=(Choice(parts=parts),)), asked())["output"]["message"][
        "content"
    ]
    assert base64.b64decode(content[0]["reasoningContent"]["redactedContent"]) == b"EvQC"
    assert from_id(content[1]["toolUse"]["toolUseId"])[1].signature == _SEAL


@pytest.mark.parametrize("body", [{}, {"message": "no"}, {"output": "x"}])
def test_what_is_no_answer_is_refused(body: dict[str, Any]) -> None:
    """An answer has an output."""
    with pytest.raises(ShapeError):
        PROVIDER.decode_reply(body)


@pytest.mark.parametrize(
    "body",
    [
        {"output": {}},
        {"output": {"message": {}}},
        {
            "output": {"message": {"content": [{"text": 1}, {}, {"toolUse": "x"}], "x": None}, "y": 1},
            "usage": None,
        },
        {
            "output": {"message": {"role": "assistant", "content": "x"}},
            "stopReason": 4,
            "usage": {"inputTokens": "1"},
        },
        {
            "output": {"message": {"content": [{"toolUse": {"toolUseId": "t", "name": "n"}}]}},
            "serviceTier": {"a": 1},
        },
    ],
)
def test_an_odd_answer_comes_back_as_it_was(body: dict[str, Any]) -> None:
    """What cannot be read is left in its place and fails nobody."""
    reply = PROVIDER.decode_reply(json.loads(json.dumps(body)))
    assert difference(body, DIALECT.encode_reply(reply, asked())) == ""


def test_errors_of_both_sides() -> None:
    """The exception's name is in a header; bodies of Bedrock and of its gateways are read."""
    body = error_body("rate_limited", "rate_limit", "Slow down.", None, "req_1")
    assert json.loads(body) == {
        "message": "Slow down.",
        "__type": "ThrottlingException",
        "code": "rate_limited",
        "request_id": "req_1",
    }
    assert error_headers("budget", "req_1") == [
        ("x-amzn-errortype", "ServiceQuotaExceededException"),
        ("x-amzn-requestid", "req_1"),
    ]
    assert error_headers("upstream", "r", 504)[0][1] == "ModelTimeoutException"
    assert json.loads(error_body("c", "invalid_request", "m", "messages", "r"))["param"] == "messages"
    error = read_error(b'{"message":"No."}', "AccessDeniedException:http://internal/")
    assert (error.message, error.type) == ("No.", "AccessDeniedException")
    error = read_error(b'{"__type":"com.amazon#ThrottlingException","Message":"Slow."}')
    assert (error.message, error.type) == ("Slow.", "ThrottlingException")
    for junk in (b"", b"<html>", b"[1]", b"\xff", b'{"message":{}}'):
        assert read_error(junk).message is None
