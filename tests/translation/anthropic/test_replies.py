"""Answers of other vendors as Anthropic's clients see them, and Anthropic's own in the pivot."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from penstock.core.chat import ChatReply, Choice, FinishReason, ReplyUsage
from penstock.core.errors import ShapeError
from penstock.core.events import Broke
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
from penstock.core.seals import from_id, wrap
from penstock.core.usage import Usage
from penstock.dialects.anthropic.errors import broken, error_body, error_event
from penstock.providers.anthropic.errors import read_error
from penstock.shapes.anthropic import NO_SEAL, SHAPE
from tests.translation.anthropic.speaking import ASKED, DIALECT, PROVIDER, message, shown


def test_an_answer_in_the_apis_own_form() -> None:
    """Ids, model, finish and disjoint token counts are as Anthropic has them."""
    reply = ChatReply(
        id="chatcmpl-1",
        choices=(Choice(0, (Text("Hello"),), "stop"),),
        usage=ReplyUsage(Usage(10, 4, 3, 2, 1, 1)),
        service_tier="default",
    )
    assert DIALECT.encode_reply(reply, ASKED) == {
        "id": "msg_abc",
        "type": "message",
        "role": "assistant",
        "model": "the-model",
        "content": [{"type": "text", "text": "Hello"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 5,
            "output_tokens": 4,
            "cache_creation_input_tokens": 2,
            "cache_read_input_tokens": 3,
            "cache_creation": {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 1},
            "output_tokens_details": {"thinking_tokens": 1},
            "service_tier": "standard",
        },
    }


def test_an_answer_without_anything() -> None:
    """No choice, no usage: an empty message that a client can still read."""
    body = DIALECT.encode_reply(ChatReply(), ASKED)
    assert (body["content"], body["stop_reason"]) == ([], "end_turn")
    assert (body["usage"]["input_tokens"], body["usage"]["output_tokens"]) == (0, 0)


@pytest.mark.parametrize(
    ("finish", "parts", "reason"),
    [
        ("stop", (), "end_turn"),
        ("stop_sequence", (), "stop_sequence"),
        ("length", (), "max_tokens"),
        ("length", (ToolCall("a", "f"),), "max_tokens"),
        ("tool_calls", (ToolCall("a", "f"),), "tool_use"),
        ("stop", (ToolCall("a", "f"),), "tool_use"),
        (None, (ToolCall("a", "f"),), "tool_use"),
        (None, (), "end_turn"),
        ("content_filter", (), "refusal"),
        ("refusal", (Refused("No"),), "refusal"),
        ("pause", (), "pause_turn"),
        ("error", (), "end_turn"),
        ("other", (), "end_turn"),
    ],
)
def test_each_finish_has_its_reason(finish: FinishReason | None, parts: Any, reason: str) -> None:
    """Why an answer ended is told in this API's words, tool calls even where the vendor forgot to say."""
    assert shown(*parts, finish=finish)["stop_reason"] == reason


def test_what_each_part_becomes() -> None:
    """Text, refusals and what was said aloud are text; what the API cannot show is left out."""
    body = shown(
        Text(""),
        Text("Hi", (Citation("https://x.test", "T", "quote"), Citation(title="nowhere"))),
        Refused("I will not."),
        Audio(None, "wav", "spoken"),
        Audio(None, "wav"),
        Image(Inline("image/png", "AA")),
        Opaque("gemini", {"executableCode": {}}),
        ToolCall("c:1", "f", '{"a": 1}'),
        ToolCall("c2", "g"),
    )
    made = body["content"][3]["id"]
    assert made.startswith("toolu_")
    assert body["content"] == [
        {
            "type": "text",
            "text": "Hi",
            "citations": [
                {
                    "type": "web_search_result_location",
                    "url": "https://x.test",
                    "title": "T",
                    "cited_text": "quote",
                    "encrypted_index": NO_SEAL,
                }
            ],
        },
        {"type": "text", "text": "I will not."},
        {"type": "text", "text": "spoken"},
        {"type": "tool_use", "id": made, "name": "f", "input": {"a": 1}},
        {"type": "tool_use", "id": "c2", "name": "g", "input": {}},
    ]


def test_seals_of_others_travel_where_clients_send_them_back() -> None:
    """In a thinking block's signature, in sealed thinking's data, and in the id of a call."""
    seal = Signature("gemini", "sig")
    body = shown(
        Thinking("a", seal),
        Thinking("b"),
        Thinking("c", sealed=Signature("openai.responses", "enc")),
        ToolCall("call", "f", signature=seal),
    )
    assert body["content"][:4] == [
        {"type": "thinking", "thinking": "a", "signature": wrap(seal, SHAPE)},
        {"type": "thinking", "thinking": "b", "signature": NO_SEAL},
        {"type": "thinking", "thinking": "c", "signature": NO_SEAL},
        {"type": "redacted_thinking", "data": wrap(Signature("openai.responses", "enc"), SHAPE)},
    ]
    call_id, carried = from_id(body["content"][4]["id"])
    assert (call_id, carried.signature, carried.thinking) == ("call", seal, ())


def test_claudes_seals_stand_as_they_are() -> None:
    """Claude behind another API is signed by Anthropic, so nothing is wrapped."""
    body = shown(Thinking("a", Signature("anthropic", "sig")), Thinking(sealed=Signature("anthropic", "e")))
    assert body["content"] == [
        {"type": "thinking", "thinking": "a", "signature": "sig"},
        {"type": "redacted_thinking", "data": "e"},
    ]


def test_anthropics_answer_in_the_pivot() -> None:
    """Thinking, text with sources, calls and vendor tools, the finish and the usage in totals."""
    reply = PROVIDER.decode_reply(
        message(
            {"type": "thinking", "thinking": "hm", "signature": "s"},
            {"type": "redacted_thinking", "data": "e"},
            {"type": "server_tool_use", "id": "srv", "name": "web_search", "input": {"query": "q"}},
            {
                "type": "text",
                "text": "Hi",
                "citations": [
                    {
                        "type": "web_search_result_location",
                        "url": "https://x.test",
                        "title": None,
                        "cited_text": "c",
                        "encrypted_index": "i",
                    }
                ],
            },
            {"type": "tool_use", "id": "t", "name": "f", "input": {"a": [1]}},
            stop_reason="model_context_window_exceeded",
            usage={
                "input_tokens": 3,
                "cache_creation_input_tokens": 10,
                "cache_read_input_tokens": 20,
                "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 6},
                "output_tokens": 7,
                "output_tokens_details": {"thinking_tokens": 5},
                "service_tier": "priority",
                "cost": 0.00012,
            },
        )
    )
    (choice,) = reply.choices
    thinking, sealed, search, text, call = choice.parts
    assert thinking == Thinking("hm", Signature("anthropic", "s"))
    assert sealed == Thinking(sealed=Signature("anthropic", "e"))
    assert isinstance(search, Opaque)
    assert isinstance(text, Text)
    assert [(each.url, each.title, each.cited) for each in text.citations] == [("https://x.test", "", "c")]
    assert call == ToolCall("t", "f", '{"a":[1]}')
    assert (choice.finish, choice.native) == ("length", "model_context_window_exceeded")
    assert reply.usage is not None
    assert reply.usage.counts == Usage(33, 7, 20, 10, 6, 5)
    assert reply.usage.cost_nanousd == 120_000
    assert reply.service_tier == "priority"


def test_changes_in_the_pivot_reach_the_client() -> None:
    """A guard's new text, another tool name, other counts and another finish are what the client sees."""
    reply = PROVIDER.decode_reply(
        message(
            {"type": "text", "text": "secret", "citations": None},
            {"type": "tool_use", "id": "t", "name": "f", "input": {}},
            container={"id": "c"},
        )
    )
    (choice,) = reply.choices
    text, call = choice.parts
    assert isinstance(text, Text)
    assert isinstance(call, ToolCall)
    assert reply.usage is not None
    changed = replace(
        reply,
        choices=(
            replace(
                choice,
                parts=(
                    replace(text, text="[hidden]"),
                    replace(call, name="g", arguments='{"a":1}'),
                    Refused("No."),
                ),
                finish="refusal",
            ),
        ),
        usage=replace(reply.usage, counts=Usage(8, 9, 1, 2)),
    )
    assert DIALECT.encode_reply(changed, ASKED) == message(
        {"type": "text", "text": "[hidden]", "citations": None},
        {"type": "tool_use", "id": "t", "name": "g", "input": {"a": 1}},
        {"type": "text", "text": "No."},
        container={"id": "c"},
        stop_reason="refusal",
        usage={
            "input_tokens": 5,
            "output_tokens": 9,
            "cache_creation_input_tokens": 2,
            "cache_read_input_tokens": 1,
        },
    )


def test_unknown_and_malformed_members_of_an_answer_stay() -> None:
    """A new stop reason, a block without its text, odd counts: the client gets what the vendor said."""
    body = message(
        {"type": "text"},
        {"type": "tool_use", "id": 3},
        stop_reason="tired",
        usage={"input_tokens": None, "output_tokens": "7", "cache_creation": []},
        stop_details={"type": "x"},
    )
    reply = PROVIDER.decode_reply(body)
    assert reply.choices[0].finish == "other"
    assert DIALECT.encode_reply(reply, ASKED) == body


@pytest.mark.parametrize("body", [{}, {"content": "Hi"}, {"content": [3]}, {"completion": "Hi"}])
def test_what_is_no_message_is_refused(body: dict[str, Any]) -> None:
    """An answer without a list of blocks is not one of this API's."""
    with pytest.raises(ShapeError):
        PROVIDER.decode_reply(body)


def test_errors_in_the_apis_own_form() -> None:
    """Type, message, our stable code and the request's id, as a body and as an event."""
    body = error_body("rate_limited", "rate_limit", "Wait.", None, "req_1")
    assert json.loads(body) == {
        "type": "error",
        "error": {"type": "rate_limit_error", "message": "Wait.", "code": "rate_limited"},
        "request_id": "req_1",
    }
    named = json.loads(error_body("body_too_large", "invalid_request", "Too much.", "messages", "r"))["error"]
    assert (named["type"], named["param"]) == ("request_too_large", "messages")
    assert (
        error_event("rate_limited", "rate_limit", "Wait.", "req_1") == b"event: error\ndata: " + body + b"\n\n"
    )
    types = {json.loads(broken(each).data)["error"]["type"] for each in (
        Broke("m", "overloaded_error"), Broke("m", "server_error", status=429), Broke("m", "odd")
    )}  # fmt: skip
    assert types == {"overloaded_error", "rate_limit_error", "api_error"}


@pytest.mark.parametrize(
    ("body", "message_", "kind"),
    [
        (b'{"type":"error","error":{"type":"not_found_error","message":"m"}}', "m", "not_found_error"),
        (b'{"message":"m"}', "m", None),
        (b'{"Message":"m"}', "m", None),
        (b'[{"error":{"code":403,"message":"m","status":"PERMISSION_DENIED"}}]', "m", "PERMISSION_DENIED"),
        (b'{"error":"m"}', "m", None),
        (b'"m"', "m", None),
        (b"<html>", None, None),
        (b"[]", None, None),
    ],
)
def test_errors_of_each_cloud_are_read(body: bytes, message_: str | None, kind: str | None) -> None:
    """Anthropic's, Bedrock's and Vertex's bodies, and what is none of them."""
    error = read_error(body)
    assert (error.message, error.type) == (message_, kind)
