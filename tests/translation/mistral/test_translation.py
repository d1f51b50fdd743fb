"""What Mistral's chat wants otherwise than OpenAI's."""

from __future__ import annotations

import json
from typing import Any

from penstock.core.assemble import assemble
from penstock.core.chat import ChatRequest, FunctionTool, Message, OutputFormat, Reasoning, ToolChoice
from penstock.core.losses import Losses
from penstock.core.parts import Document, Inline, Link, Refused, Signature, Text, Thinking, ToolCall, ToolResult
from penstock.core.profile import Profile, profile_for
from penstock.dialects.openai_chat.dialect import OpenaiChatDialect
from penstock.providers.mistral.api import MistralProvider
from penstock.providers.mistral.profile import DEFAULT, ROWS
from penstock.providers.mistral.request import call_id
from tests.translation.replay import ASKED, chunks, to

_PROVIDER, _CLIENT = MistralProvider(), OpenaiChatDialect()


def _sent(profile: Profile = DEFAULT, losses: Losses | None = None, **fields: Any) -> dict[str, Any]:
    return _PROVIDER.encode_request(ChatRequest(model="asked", **fields), to(profile, "m", losses))


def test_parameters_have_mistrals_names() -> None:
    """Seed, bound and tool choice are renamed; what Mistral refuses is left out or named as lost."""
    losses = Losses()
    sent = _sent(
        losses=losses,
        seed=7,
        max_output_tokens=9,
        top_k=4,
        user="u",
        store=True,
        tools=(FunctionTool("f"),),
        tool_choice=ToolChoice("required"),
        output=OutputFormat("json"),
        stream=True,
    )
    assert sent == {
        "model": "m",
        "messages": [],
        "random_seed": 7,
        "max_tokens": 9,
        "tools": [{"type": "function", "function": {"name": "f"}}],
        "tool_choice": "any",
        "response_format": {"type": "json_object"},
        "stream": True,
    }
    assert losses.warning() == "dropped=top_k"


def test_ids_of_tool_calls_are_nine_letters_and_digits() -> None:
    """Mistral's own ids are kept; others are mapped to the same id for a call and its result."""
    (said, result) = _sent(
        messages=(
            Message("assistant", (ToolCall("toolu_01ABC", "f", "{}"), ToolCall("abcDEF123", "g", "{}"))),
            Message("tool", (ToolResult("toolu_01ABC", content=(Text("x"),)),)),
        )
    )["messages"]
    first, second = [each["id"] for each in said["tool_calls"]]
    assert second == "abcDEF123"
    assert len(first) == 9
    assert first.isalnum()
    assert result["tool_call_id"] == first == call_id("toolu_01ABC")


def test_thinking_stands_in_the_content_for_models_that_think() -> None:
    """Plain thinking goes back to Magistral; sealed thinking of others, and any to other models, does not."""
    turn = Message("assistant", (Thinking("Hm."), Thinking("x", Signature("anthropic", "s")), Text("4")))
    ask = Message("user", (Text("And?"),))
    magistral = profile_for("magistral-medium-latest", ROWS, DEFAULT)
    assert _sent(magistral, messages=(turn, ask))["messages"][0] == {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
            {"type": "text", "text": "4"},
        ],
    }
    assert _sent(messages=(turn, ask))["messages"][0] == {"role": "assistant", "content": "4"}


def test_documents_prefill_and_refusals_have_mistrals_form() -> None:
    """Files are addresses, an assistant's last message is a prefix, a refusal is text."""
    messages = _sent(
        messages=(
            Message(
                "user",
                (
                    Document(Inline("application/pdf", "JVBE"), "a.pdf"),
                    Document(Link("https://a.example/b.pdf")),
                    Text("Sum up"),
                ),
            ),
            Message("assistant", (Refused("No, "),)),
        )
    )["messages"]
    assert messages == [
        {
            "role": "user",
            "content": [
                {
                    "type": "document_url",
                    "document_url": "data:application/pdf;base64,JVBE",
                    "document_name": "a.pdf",
                },
                {
                    "type": "document_url",
                    "document_url": "https://a.example/b.pdf",
                    "document_name": "document.pdf",
                },
                {"type": "text", "text": "Sum up"},
            ],
        },
        {"role": "assistant", "content": "No, ", "prefix": True},
    ]


def test_system_messages_stand_where_mistral_lets_them() -> None:
    """Not behind an answer or a result, and not at the end; what stands where it may is left there."""
    user, answer = Message("user", (Text("Hi."),)), Message("assistant", (Text("Hello."),))
    first, second, third = [Message("system", (Text(each),)) for each in ("one", "two", "three")]

    def order(*messages: Message) -> list[str]:
        return [each["content"] for each in _sent(messages=messages)["messages"]]

    assert order(first, user, second, user) == ["one", "Hi.", "two", "Hi."]
    assert order(first, user, answer, second, user, third) == ["one", "two", "three", "Hi.", "Hello.", "Hi."]
    assert order(first) == ["one"]


def test_how_much_to_think_is_none_or_high() -> None:
    """Models that can be told know two words; Magistral always thinks; others are not told."""
    losses = Losses()
    small = profile_for("mistral-small-latest", ROWS, DEFAULT)
    assert _sent(small, losses, reasoning=Reasoning("medium"))["reasoning_effort"] == "high"
    assert _sent(small, reasoning=Reasoning(enabled=False))["reasoning_effort"] == "none"
    magistral = profile_for("magistral-small-latest", ROWS, DEFAULT)
    assert "reasoning_effort" not in _sent(magistral, losses, reasoning=Reasoning("high"))
    assert losses.warning() == "mapped=reasoning.effort"


def test_a_client_of_mistrals_sdk_keeps_mistrals_fields() -> None:
    """What such a client says beside OpenAI's fields reaches Mistral."""
    body = {
        "model": "mistral-small-latest",
        "messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y", "prefix": True}],
        "random_seed": 3,
        "safe_prompt": True,
        "tool_choice": "any",
        "stream": False,
    }
    request = _CLIENT.decode_request(body, "mistral-small-latest", stream=False)
    assert request.seed == 3
    assert _PROVIDER.encode_request(request, to(DEFAULT, "mistral-small-latest")) == body


_THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}], "closed": True}


def test_a_reply_with_thinking_in_its_content_is_shown_in_openais_members() -> None:
    """Thinking, text, a call without type and the word for a full window are what a client understands."""
    body = {
        "id": "m1",
        "object": "chat.completion",
        "created": 5,
        "model": "magistral",
        "choices": [
            {
                "index": 0,
                "finish_reason": "model_length",
                "message": {
                    "role": "assistant",
                    "content": [
                        _THOUGHT,
                        {"type": "text", "text": "4"},
                        {"type": "reference", "reference_ids": [1]},
                    ],
                    "tool_calls": [{"id": "abcDEF123", "function": {"name": "f", "arguments": "{}"}}],
                },
            }
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "num_cached_tokens": 1},
    }
    reply = _PROVIDER.decode_reply(body)
    assert reply.usage is not None
    assert reply.usage.counts.cache_read_tokens == 1
    choice = _CLIENT.encode_reply(reply, ASKED)["choices"][0]
    assert choice["finish_reason"] == "length"
    assert choice["message"] == {
        "role": "assistant",
        "content": "4",
        "refusal": None,
        "reasoning_content": "Hm.",
        "tool_calls": [{"id": "abcDEF123", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    }


def test_a_stream_with_lists_of_content_is_shown_in_openais_members() -> None:
    """Thinking comes in lists, then text as a string, then a whole call."""
    decoder, encoder = _PROVIDER.stream(), _CLIENT.stream(ASKED)
    call = {"id": "abcDEF123", "function": {"name": "f", "arguments": "{}"}}
    deltas: list[dict[str, Any]] = [
        {"role": "assistant", "content": ""},
        {"content": [_THOUGHT]},
        {"content": [{"type": "text", "text": "4"}]},
        {"content": "!", "tool_calls": [call]},
    ]
    events: list[Any] = []
    written: list[Any] = []
    for delta in deltas:
        data = json.dumps({"id": "m1", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
        frame = decoder.read("", data.encode())
        events += frame.events
        written += chunks(encoder.write(frame))
    assert assemble(events).choices[0].parts[:2] == (Thinking("Hm."), Text("4!"))
    assert [each["choices"][0]["delta"] for each in written] == [
        {"role": "assistant", "reasoning_content": "Hm."},
        {"content": "4"},
        {"content": "!", "tool_calls": [{"index": 0, "type": "function"} | call]},
    ]


def test_a_user_who_goes_on_after_a_tool_is_heard_first() -> None:
    """Most models refuse a user right after a tool's result, as Claude Code speaks; Mistral Small takes it."""
    result = ToolResult("abcDEF123", content=(Text("r"),))
    messages = (
        Message("user", (Text("look"),)),
        Message("assistant", (ToolCall("abcDEF123", "f", "{}"),)),
        Message("user", (result, Text("and now?"))),
    )
    for model, roles in (
        ("devstral-latest", ["user", "assistant", "tool", "assistant", "user"]),
        ("mistral-small-latest", ["user", "assistant", "tool", "user"]),
    ):
        sent = _sent(profile_for(model, ROWS, DEFAULT), messages=messages)
        assert [message["role"] for message in sent["messages"]] == roles
        assert sent["messages"][-1]["content"] == "and now?"


def test_openais_words_of_effort_are_mistrals() -> None:
    """A chat client's `reasoning_effort` is the nearest word that the model has, or is dropped, and said so."""
    for model, word, expected, lost in (
        ("mistral-small-latest", "medium", "high", "mapped=reasoning.effort"),
        ("mistral-small-latest", "none", "none", ""),
        ("mistral-large-latest", "low", None, "dropped=reasoning"),
        ("magistral-medium-latest", "low", None, ""),
    ):
        body = {"messages": [{"role": "user", "content": "hi"}], "reasoning_effort": word}
        losses = Losses()
        target = to(profile_for(model, ROWS, DEFAULT), model, losses)
        sent = _PROVIDER.encode_request(_CLIENT.decode_request(body, model, stream=False), target)
        assert (sent.get("reasoning_effort"), losses.warning()) == (expected, lost), (model, word)
