"""Replies of Google as answers in no vendor's words, and answers of others as Google's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from penstock.core.chat import ChatReply, Choice, FinishReason, Logprobs, Reasoning, ReplyUsage, TokenLogprob
from penstock.core.parts import (
    Audio,
    Citation,
    Extras,
    Image,
    Inline,
    Opaque,
    Part,
    Refused,
    Signature,
    Text,
    Thinking,
    ToolCall,
)
from penstock.core.usage import Usage
from penstock.dialects.gemini.errors import error_body
from penstock.providers.gemini.errors import read_error
from penstock.shapes.openai import ErrorShape
from tests.translation.gemini.replay import DIALECT, PROVIDER, asked, whole

ANSWER = {
    "candidates": [
        {
            "content": {
                "parts": [
                    {"text": "First I add.", "thought": True},
                    {"text": "Größe: 5 m"},
                    {"functionCall": {"name": "f", "args": {"n": 1}}, "thoughtSignature": "SEAL"},
                ],
                "role": "model",
            },
            "finishReason": "STOP",
            "index": 0,
            "safetyRatings": [{"category": "HARM_CATEGORY_HARASSMENT", "probability": "NEGLIGIBLE"}],
            "groundingMetadata": {
                "groundingChunks": [{"web": {"uri": "https://example.org", "title": "Sizes"}}],
                "groundingSupports": [
                    {
                        "segment": {"partIndex": 1, "startIndex": 9, "endIndex": 12, "text": "5 m"},
                        "groundingChunkIndices": [0],
                    }
                ],
            },
            "logprobsResult": {
                "chosenCandidates": [{"token": "G", "logProbability": -0.5, "tokenId": 7}],
                "topCandidates": [{"candidates": [{"token": "G", "logProbability": -0.5}]}],
            },
            "avgLogprobs": -0.5,
        }
    ],
    "usageMetadata": {
        "promptTokenCount": 10,
        "toolUsePromptTokenCount": 3,
        "candidatesTokenCount": 5,
        "thoughtsTokenCount": 7,
        "cachedContentTokenCount": 4,
        "totalTokenCount": 25,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 8}, {"modality": "AUDIO", "tokenCount": 2}],
        "serviceTier": "standard",
    },
    "modelVersion": "gemini-x",
    "responseId": "r1",
    "createTime": "2026-01-02T03:04:05.678Z",
    "somethingNew": True,
}


def test_a_reply_is_read_in_full() -> None:
    """Thoughts, text with sources, calls, log probabilities, and totals of tokens."""
    reply = PROVIDER.decode_reply(ANSWER)
    (choice,) = reply.choices
    thought, text, call = choice.parts
    assert thought == Thinking("First I add.")
    assert isinstance(text, Text)
    assert [replace(each, extras=None) for each in text.citations] == [
        Citation("https://example.org", "Sizes", start=7, end=10)
    ]
    assert isinstance(call, ToolCall)
    assert (call.name, call.arguments, call.signature) == ("f", '{"n":1}', Signature("gemini", "SEAL"))
    assert call.id.startswith("call_")
    assert (choice.finish, choice.native) == ("tool_calls", "STOP")
    assert choice.logprobs is not None
    assert choice.logprobs.tokens == (TokenLogprob("G", -0.5, (("G", -0.5),)),)
    assert (reply.id, reply.model, reply.created_s, reply.service_tier) == (
        "r1",
        "gemini-x",
        1767323045,
        "default",
    )
    assert reply.usage is not None
    assert reply.usage.counts == Usage(
        input_tokens=13,
        output_tokens=12,
        cache_read_tokens=4,
        reasoning_tokens=7,
        audio_input_tokens=2,
    )
    assert whole(ANSWER) == ANSWER


def test_what_changes_in_the_pivot_changes_in_the_reply() -> None:
    """Nothing that the pivot knows is shadowed by what was kept."""
    reply = PROVIDER.decode_reply(ANSWER)
    (choice,) = reply.choices
    _, text, call = choice.parts
    assert isinstance(text, Text)
    assert isinstance(call, ToolCall)
    assert reply.usage is not None
    assert choice.logprobs is not None
    changed = replace(
        reply,
        id="other",
        model="renamed",
        usage=ReplyUsage(
            Usage(input_tokens=1, output_tokens=2), extras=reply.usage.extras if reply.usage else None
        ),
        choices=(
            replace(
                choice,
                finish="length",
                logprobs=Logprobs((TokenLogprob("x", -1.0),), choice.logprobs.extras),
                parts=(replace(text, text="new"), replace(call, name="g", arguments='{"n":2}', id="c9")),
            ),
        ),
    )
    body = DIALECT.encode_reply(changed, asked())
    candidate = body["candidates"][0]
    assert candidate["content"]["parts"] == [
        {"text": "new"},
        {"functionCall": {"id": "c9", "name": "g", "args": {"n": 2}}, "thoughtSignature": "SEAL"},
    ]
    assert candidate["finishReason"] == "MAX_TOKENS"
    assert candidate["logprobsResult"] == {"chosenCandidates": [{"token": "x", "logProbability": -1.0}]}
    assert body["usageMetadata"] == {"promptTokenCount": 1, "candidatesTokenCount": 2, "totalTokenCount": 3}
    assert (body["responseId"], body["modelVersion"]) == ("other", "renamed")


@pytest.mark.parametrize(
    ("native", "finish"),
    [
        ("STOP", "stop"),
        (1, "stop"),
        ("MAX_TOKENS", "length"),
        (2, "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("IMAGE_SAFETY", "content_filter"),
        ("MALFORMED_FUNCTION_CALL", "error"),
        ("A_NEW_REASON", "other"),
        (77, "other"),
    ],
)
def test_the_end_is_told_by_word_or_number(native: Any, finish: FinishReason) -> None:
    """Each reason has its place, unknown ones too, and comes back as it was written."""
    body = {"candidates": [{"content": {"role": "model"}, "finishReason": native}]}
    assert PROVIDER.decode_reply(body).choices[0].finish == finish
    assert whole(body) == body


def test_a_blocked_prompt_is_an_answer_that_was_withheld() -> None:
    """There is no candidate; other clients still learn why they got nothing."""
    body = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 3}}
    (choice,) = PROVIDER.decode_reply(body).choices
    assert (choice.finish, choice.native, choice.parts) == ("content_filter", "PROHIBITED_CONTENT", ())
    assert whole(body) == body


def _foreign(*parts: Part, finish: FinishReason = "stop", **fields: Any) -> ChatReply:
    extras = Extras("openai.chat", {"system_fingerprint": "fp"})
    return ChatReply(id="chatcmpl-1", model="m-1", choices=(Choice(0, parts, finish),), extras=extras, **fields)


def test_a_foreign_answer_has_google_s_form() -> None:
    """Ids come from the request; thoughts are kept back from whoever did not ask for them."""
    usage = ReplyUsage(Usage(input_tokens=9, output_tokens=8, cache_read_tokens=2, reasoning_tokens=3))
    reply = _foreign(
        Thinking("aside"),
        Text("It is.", citations=(Citation("https://example.org", "Src", start=0, end=2),)),
        Refused("No."),
        Image(Inline("image/png", "AAAA")),
        Audio(Inline("audio/mp3", "BBBB"), "mp3"),
        Opaque("anthropic", {"type": "server_tool_use"}),
        Text(""),
        usage=usage,
    )
    assert DIALECT.encode_reply(reply, asked()) == {
        "candidates": [
            {
                "content": {
                    "parts": [
                        {"text": "It is."},
                        {"text": "No."},
                        {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
                        {"inlineData": {"mimeType": "audio/mp3", "data": "BBBB"}},
                    ],
                    "role": "model",
                },
                "index": 0,
                "finishReason": "STOP",
                "groundingMetadata": {
                    "groundingChunks": [{"web": {"uri": "https://example.org", "title": "Src"}}],
                    "groundingSupports": [
                        {
                            "segment": {"startIndex": 0, "endIndex": 2, "text": "It"},
                            "groundingChunkIndices": [0],
                        }
                    ],
                },
            }
        ],
        "usageMetadata": {
            "promptTokenCount": 9,
            "candidatesTokenCount": 5,
            "thoughtsTokenCount": 3,
            "cachedContentTokenCount": 2,
            "totalTokenCount": 17,
        },
        "modelVersion": "m-1",
        "responseId": "req_1",
    }


def test_foreign_calls_are_marked_and_thoughts_shown_on_request() -> None:
    """The first call may go to a model that checks signatures; the others follow it."""
    reply = _foreign(
        Thinking("aside"), ToolCall("c1", "f", '{"a":1}'), ToolCall("c2", "g"), finish="tool_calls"
    )
    body = DIALECT.encode_reply(reply, asked(reasoning=Reasoning(summary="auto")))
    assert body["candidates"][0]["content"]["parts"] == [
        {"text": "aside", "thought": True},
        {
            "functionCall": {"id": "c1", "name": "f", "args": {"a": 1}},
            "thoughtSignature": "skip_thought_signature_validator",
        },
        {"functionCall": {"id": "c2", "name": "g", "args": {}}},
    ]
    assert body["candidates"][0]["finishReason"] == "STOP"
    again = PROVIDER.decode_reply(body).choices[0]
    assert again.finish == "tool_calls"
    assert [each.signature for each in again.parts if isinstance(each, ToolCall)] == [None, None]


@pytest.mark.parametrize("shown", [False, True])
@pytest.mark.parametrize("last", [Text("so"), ToolCall("c1", "f", "{}"), None])
def test_foreign_seals_survive_a_google_client(*, shown: bool, last: Part | None) -> None:
    """Sealed thinking rides on the next part, and is there again in the next request."""
    thinking = (
        Thinking("one", Signature("anthropic", "s1")),
        Thinking(sealed=Signature("openai.responses", "enc"), id="rs_1"),
    )
    reply = _foreign(*thinking, *([last] if last is not None else []))
    body = DIALECT.encode_reply(reply, asked(reasoning=Reasoning(summary="auto" if shown else None)))
    content = json.loads(json.dumps(body["candidates"][0]["content"]))
    parts = DIALECT.decode_request({"contents": [content]}, "m", stream=False).messages[0].parts
    assert parts[:2] == thinking
    rest = [replace(each, extras=None) for each in parts[2:]]
    assert rest == [last if last is not None else Text("")]


@pytest.mark.parametrize(
    ("finish", "word"),
    [
        ("stop_sequence", "STOP"),
        ("length", "MAX_TOKENS"),
        ("content_filter", "SAFETY"),
        ("refusal", "SAFETY"),
        ("pause", "OTHER"),
        ("error", "OTHER"),
    ],
)
def test_every_end_has_a_word(finish: FinishReason, word: str) -> None:
    """Google's clients know no other words than Google's."""
    assert DIALECT.encode_reply(_foreign(finish=finish), asked())["candidates"][0]["finishReason"] == word


def test_errors_have_google_s_shape() -> None:
    """Code, status and message, the machine's reason and the field in the details."""
    body = error_body("rate_limited", "rate_limit", "Wait a minute.", "model", "req_1")
    assert json.loads(body) == {
        "error": {
            "code": 429,
            "message": "Wait a minute.",
            "status": "RESOURCE_EXHAUSTED",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "RATE_LIMITED",
                    "domain": "penstock",
                    "metadata": {"request_id": "req_1"},
                },
                {
                    "@type": "type.googleapis.com/google.rpc.BadRequest",
                    "fieldViolations": [{"field": "model", "description": "Wait a minute."}],
                },
            ],
        }
    }
    assert read_error(body) == ErrorShape("Wait a minute.", "RESOURCE_EXHAUSTED", "RATE_LIMITED")
    assert read_error(b"[" + body + b"]").message == "Wait a minute."
    assert read_error(b"{") == ErrorShape()
    assert (
        json.loads(error_body("x", "upstream", "m", None, "r", 504))["error"]["status"] == "DEADLINE_EXCEEDED"
    )
