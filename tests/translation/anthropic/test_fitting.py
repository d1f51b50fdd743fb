"""Requests of other dialects are brought to what the Messages API takes."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from penstock.core.chat import ChatRequest, FunctionTool, Message, OpaqueTool, OutputFormat, ToolChoice
from penstock.core.losses import UnsupportedError
from penstock.core.parts import (
    Audio,
    CacheHint,
    Citation,
    Document,
    FileRef,
    Image,
    Inline,
    Link,
    Opaque,
    Part,
    Plain,
    Refused,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Video,
)
from penstock.providers.anthropic.api import AnthropicProvider
from penstock.providers.anthropic.count import encode_count
from penstock.shapes.anthropic import NO_SEAL
from tests.translation.anthropic.speaking import sent, shown, to

_TOOL = FunctionTool("look", "Looks.", {"type": "object", "properties": {"at": {"type": "string"}}})


def _asked(*messages: Message, **fields: Any) -> ChatRequest:
    return ChatRequest(model="gpt", messages=messages or (_user("Hi"),), **fields)


def _user(*parts: Part | str) -> Message:
    return Message("user", tuple([Text(part) if isinstance(part, str) else part for part in parts]))


def _assistant(*parts: Part | str) -> Message:
    return Message("assistant", tuple([Text(part) if isinstance(part, str) else part for part in parts]))


def _system(text: str) -> Message:
    return Message("system", (Text(text),))


def test_a_plain_request_becomes_the_plainest_body() -> None:
    """One text in, the same text out, with the model and the bound that the API insists on."""
    assert sent(_asked()) == {
        "model": "claude-sonnet-4-5",
        "max_tokens": 4096,
        "messages": [{"role": "user", "content": "Hi"}],
    }


def test_the_callers_bound_counts() -> None:
    """A bound that was given is sent as it is."""
    assert sent(_asked(max_output_tokens=7))["max_tokens"] == 7


def test_system_prompts_are_gathered_where_a_model_wants_them_first() -> None:
    """System and developer messages, wherever they stand, become the `system` member, in their order."""
    body = sent(
        _asked(
            _system("One."), _user("Hi"), Message("developer", (Text("Two."),)), _assistant("Yes?"), _user("Go")
        )
    )
    assert body["system"] == [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]
    assert [each["role"] for each in body["messages"]] == ["user", "assistant", "user"]


def test_a_later_system_message_stays_where_a_model_takes_it() -> None:
    """After a user's turn and at the end it may stand; before another user's turn it may not."""
    body = sent(_asked(_system("One."), _user("Hi"), _system("Two.")), to("claude-opus-4-8"))
    assert body["system"] == "One."
    assert body["messages"][-1] == {"role": "system", "content": "Two."}
    moved = sent(_asked(_user("Hi"), _system("Two."), _user("Go")), to("claude-opus-4-8"))
    assert moved["system"] == "Two."
    assert moved["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "text", "text": "Go"}]}
    ]


def test_a_system_prompt_alone_is_asked_as_the_user() -> None:
    """The API wants a message."""
    body = sent(_asked(_system("Say hello.")))
    assert "system" not in body
    assert body["messages"] == [{"role": "user", "content": "Say hello."}]


def test_empty_content_is_left_out() -> None:
    """The API refuses blocks without text, and messages without blocks."""
    body = sent(_asked(_user("", "Hi"), _assistant(" \n"), _user("there")))
    assert body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "text", "text": "there"}]}
    ]


def test_a_conversation_that_the_assistant_begins_gets_an_opening() -> None:
    """The first message must be the user's."""
    body = sent(_asked(_assistant("Welcome."), _user("Thanks")))
    assert [each["role"] for each in body["messages"]] == ["user", "assistant", "user"]


def test_an_answer_to_go_on_with() -> None:
    """It may not end in white space; models that refuse it are asked to continue, or it is dropped."""
    request = _asked(_user("Count"), _assistant("One, "))
    assert sent(request)["messages"][-1] == {"role": "assistant", "content": "One,"}
    mapped = to("claude-opus-4-6")
    assert sent(request, mapped)["messages"][-1]["role"] == "user"
    assert mapped.losses.warning() == "mapped=prefill"
    dropped = to("claude-opus-4-6", "drop")
    assert sent(request, dropped)["messages"] == [{"role": "user", "content": "Count"}]


def test_parallel_calls_and_their_results_are_a_turn_each() -> None:
    """Results that came as messages of their own stand together, at the head of the user's turn."""
    body = sent(
        _asked(
            _user("Look"),
            _assistant("I will.", ToolCall("a", "look", '{"at":"x"}'), ToolCall("b.2", "look")),
            _user("Quick!"),
            Message("tool", (ToolResult("a", content=(Text("an x"),)),)),
            Message("tool", (ToolResult("b.2", value={"n": 1}, is_error=True),)),
            tools=(_TOOL,),
        )
    )
    made = body["messages"][1]["content"][2]["id"]
    assert body["messages"][1:] == [
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "I will."},
                {"type": "tool_use", "id": "a", "name": "look", "input": {"at": "x"}},
                {"type": "tool_use", "id": made, "name": "look", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": "an x"},
                {"type": "tool_result", "tool_use_id": made, "content": '{"n":1}', "is_error": True},
                {"type": "text", "text": "Quick!"},
            ],
        },
    ]
    assert made.startswith("toolu_")


def test_rich_tool_results_keep_their_pictures() -> None:
    """Text, images and documents may stand in a result; sound is lost and said to be."""
    target = to()
    parts = (Text("See"), Image(Inline("image/png", "AAAA")), Audio(Inline("audio/wav", "AA"), "wav"))
    body = sent(
        _asked(_user("Go"), _assistant(ToolCall("a", "f")), Message("tool", (ToolResult("a", content=parts),))),
        target,
    )
    assert body["messages"][2]["content"][0]["content"] == [
        {"type": "text", "text": "See"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
    ]
    assert target.losses.warning() == "dropped=audio"


def test_free_text_arguments_become_an_object() -> None:
    """The API takes objects only; what is none stands in one."""
    calls = (ToolCall("a", "f", "print(1)", "custom"), ToolCall("b", "f", "[1]"))
    body = sent(_asked(_user("Go"), _assistant(*calls)))
    assert [each["input"] for each in body["messages"][1]["content"]] == [{"input": "print(1)"}, {"input": [1]}]


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (
            Image(Link("https://x.test/y.png")),
            {"type": "image", "source": {"type": "url", "url": "https://x.test/y.png"}},
        ),
        (
            Document(Inline("application/pdf", "JVBE"), name="a.pdf"),
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"},
                "title": "a.pdf",
            },
        ),
        (
            Document(
                Inline("text/csv", base64.b64encode(b"a,b").decode()), title="T", context="C", citable=True
            ),
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "a,b"},
                "title": "T",
                "context": "C",
                "citations": {"enabled": True},
            },
        ),
        (
            Document(Plain("words"), cache=CacheHint(3600)),
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "words"},
                "cache_control": {"type": "ephemeral", "ttl": "1h"},
            },
        ),
        (Text("Hi", cache=CacheHint()), {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}),
        (Refused("No."), {"type": "text", "text": "No."}),
    ],
)
def test_each_kind_of_content_has_its_block(part: Part, block: dict[str, Any]) -> None:
    """Images and documents by data, address and text; hints for the cache; refusals as text."""
    body = sent(_asked(_user("x", part), max_output_tokens=1))
    assert body["messages"][0]["content"][1] == block


@pytest.mark.parametrize(
    ("part", "lost"),
    [
        (Video(Link("https://x.test/v.mp4")), "video"),
        (Audio(Inline("audio/wav", "AA"), "wav"), "audio"),
        (Image(Link("gs://bucket/i.png")), "image.link"),
        (Image(FileRef("file-1")), "image.file"),
        (Document(Inline("application/zip", "AA")), "document"),
        (Opaque("gemini", {"executableCode": {}}), "opaque"),
    ],
)
def test_what_cannot_be_said_is_named(part: Part, lost: str) -> None:
    """The part is left out and the loss noted, or the request refused, as the caller wishes."""
    target = to()
    assert sent(_asked(_user("x", part)), target)["messages"] == [{"role": "user", "content": "x"}]
    assert target.losses.warning() == f"dropped={lost}"
    with pytest.raises(UnsupportedError, match=lost):
        sent(_asked(_user("x", part)), to(policy="error"))


def test_a_picture_of_an_answer_by_voice_is_its_words() -> None:
    """What a model said aloud before is repeated in writing."""
    body = sent(_asked(_user("Hi"), _assistant(Audio(None, "wav", "Hello!", "a1")), _user("Again")))
    assert body["messages"][1] == {"role": "assistant", "content": "Hello!"}


def test_only_own_seals_go_back() -> None:
    """Thinking that Claude signed is sent unchanged; that of others is left out without a word."""
    target = to()
    body = sent(
        _asked(
            _user("Hi"),
            _assistant(
                Thinking("mine", Signature("anthropic", "sig")),
                Thinking(sealed=Signature("anthropic", "enc")),
                Thinking("theirs", Signature("gemini", "sig")),
                Thinking(sealed=Signature("openai.responses", "enc")),
                Thinking("unsigned"),
                "Hello",
            ),
            _user("Go"),
        ),
        target,
    )
    assert body["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "mine", "signature": "sig"},
        {"type": "redacted_thinking", "data": "enc"},
        {"type": "text", "text": "Hello"},
    ]
    assert target.losses.warning() == ""


def test_citations_of_others_are_not_sent() -> None:
    """The API takes back only citations that it made."""
    shown_once = shown(Text("Hi", (Citation("https://x.test", "T", "c"),)))["content"][0]
    assert shown_once["citations"][0]["encrypted_index"] == NO_SEAL
    body = sent(_asked(_user("Hi"), _assistant(Text("Hi", (Citation("https://x.test"),))), _user("Go")))
    assert body["messages"][1] == {"role": "assistant", "content": "Hi"}


def test_tools_and_choices() -> None:
    """Functions keep their schema; free text gets one; other vendors' own tools are lost."""
    target = to()
    body = sent(
        _asked(
            tools=(
                _TOOL,
                FunctionTool("bare"),
                FunctionTool("free", type="custom"),
                OpaqueTool("openai.responses", {"type": "web_search"}),
                FunctionTool(
                    "strict", parameters={"properties": {"n": {"type": "integer", "minimum": 1}}}, strict=True
                ),
            ),
            tool_choice=ToolChoice("required"),
            parallel_tool_calls=False,
        ),
        target,
    )
    assert body["tools"] == [
        {"name": "look", "description": "Looks.", "input_schema": _TOOL.parameters},
        {"name": "bare", "input_schema": {"type": "object", "properties": {}}},
        {
            "name": "free",
            "input_schema": {
                "type": "object",
                "properties": {"input": {"type": "string"}},
                "required": ["input"],
            },
        },
        {
            "name": "strict",
            "strict": True,
            "input_schema": {
                "type": "object",
                "properties": {"n": {"type": "integer", "description": "minimum: 1"}},
                "additionalProperties": False,
            },
        },
    ]
    assert body["tool_choice"] == {"type": "any", "disable_parallel_tool_use": True}
    assert target.losses.warning() == "dropped=tool.opaque; mapped=tool.custom"


@pytest.mark.parametrize(
    ("choice", "parallel", "expected"),
    [
        (None, None, None),
        (None, True, None),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (ToolChoice("auto"), True, {"type": "auto"}),
        (ToolChoice("none"), False, {"type": "none"}),
        (ToolChoice("named", "look"), None, {"type": "tool", "name": "look"}),
    ],
)
def test_which_tool_must_be_called(choice: ToolChoice | None, parallel: bool | None, expected: Any) -> None:
    """Each choice in the API's words, with or without several calls at a time."""
    body = sent(_asked(tools=(_TOOL,), tool_choice=choice, parallel_tool_calls=parallel))
    assert body.get("tool_choice") == expected


def test_a_choice_without_tools_is_left_out() -> None:
    """The API refuses a choice where there is nothing to choose."""
    assert "tool_choice" not in sent(_asked(tool_choice=ToolChoice("auto"), parallel_tool_calls=False))


def test_models_that_cannot_be_forced_are_asked() -> None:
    """Where no tool may be insisted on, the choice is left to the model, and that is noted."""
    target = to("claude-opus-5-5")
    body = sent(_asked(tools=(_TOOL,), tool_choice=ToolChoice("named", "look")), target)
    assert body["tool_choice"] == {"type": "auto"}
    assert target.losses.warning() == "mapped=tool_choice"


def test_structured_output_is_native_where_the_model_has_it() -> None:
    """The schema is closed, and bounds that the API refuses are told in words."""
    schema = {
        "type": "object",
        "properties": {
            "n": {"type": "array", "items": {"$ref": "#/$defs/n"}, "maxItems": 3, "description": "Some"}
        },
        "$defs": {"n": {"oneOf": [{"type": "object", "properties": {}}, {"type": "string", "format": "ssn"}]}},
    }
    body = sent(_asked(output=OutputFormat("schema", schema, "out")))
    assert body["output_config"] == {
        "format": {
            "type": "json_schema",
            "schema": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "n": {"type": "array", "items": {"$ref": "#/$defs/n"}, "description": "Some (maxItems: 3)"}
                },
                "$defs": {
                    "n": {
                        "anyOf": [
                            {"type": "object", "properties": {}, "additionalProperties": False},
                            {"type": "string", "description": 'format: "ssn"'},
                        ]
                    }
                },
            },
        }
    }


def test_structured_output_is_a_forced_tool_where_the_model_has_none() -> None:
    """An older model gets a tool named after the schema, and has to call it."""
    target = to("claude-sonnet-4-20250514")
    body = sent(_asked(output=OutputFormat("schema", {"type": "object", "properties": {}}, "my out")), target)
    assert [tool["name"] for tool in body["tools"]] == ["my_out"]
    assert body["tool_choice"] == {"type": "tool", "name": "my_out"}
    assert target.losses.warning() == "mapped=output.schema"


def test_any_json_is_asked_for_in_words() -> None:
    """The API has no mode for JSON without a schema."""
    target = to()
    body = sent(_asked(_system("Be brief."), _user("Hi"), output=OutputFormat("json")), target)
    assert [each["text"] for each in body["system"]] == [
        "Be brief.",
        "Answer with one JSON object and nothing else.",
    ]
    assert target.losses.warning() == "mapped=output.json"


def test_stop_sequences_user_tier_and_stream() -> None:
    """Stop sequences of white space are lost; user and tier have their own names here."""
    target = to()
    body = sent(_asked(stop=("END", "\n"), user="u1", service_tier="default", stream=True), target)
    assert body["stop_sequences"] == ["END"]
    assert body["metadata"] == {"user_id": "u1"}
    assert body["service_tier"] == "standard_only"
    assert body["stream"] is True
    assert target.losses.warning() == "dropped=stop"


def test_fields_without_an_equal_are_named() -> None:
    """What changes the answer and cannot be said is noted; what asks for nothing is not."""
    target = to()
    sent(
        _asked(
            frequency_penalty=0.5,
            presence_penalty=0,
            seed=1,
            choices=2,
            logprobs=True,
            logit_bias={"1": 2},
            verbosity="low",
            modalities=("text", "audio"),
            metadata={"a": "b"},
            cache_key="k",
            store=True,
        ),
        target,
    )
    assert target.losses.dropped == [
        "frequency_penalty", "seed", "choices", "logprobs", "logit_bias", "verbosity", "modalities"
    ]  # fmt: skip


def test_counting_asks_for_nothing_else() -> None:
    """A request that is only counted has no bound, no temperature and no stream."""
    body = encode_count(_asked(temperature=0.5, stream=True, tools=(_TOOL,)), to())
    assert set(body) == {"model", "messages", "tools"}


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        (AnthropicProvider("vertex"), {"anthropic_version": "vertex-2023-10-16", "stream": True}),
        (AnthropicProvider("bedrock"), {"anthropic_version": "bedrock-2023-05-31"}),
    ],
)
def test_clouds_have_the_model_in_the_path(provider: AnthropicProvider, expected: dict[str, Any]) -> None:
    """Their bodies name the API's version and no model."""
    body = provider.encode_request(_asked(stream=True), to())
    assert body == {**expected, "max_tokens": 4096, "messages": [{"role": "user", "content": "Hi"}]}
