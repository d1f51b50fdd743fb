"""Conversations of other shapes, encoded for Bedrock: exact bodies, and what is lost."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from penstock.core.chat import (
    ChatRequest,
    FunctionTool,
    ToolChoice,
)
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
    Plain,
    Refused,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Video,
)
from penstock.shapes.converse.names import tool_id
from tests.translation.converse.made import (
    CLAUDE,
    GPT_OSS,
    LLAMA,
    PROVIDER,
    addressee,
    ask,
    said,
    sent,
)

_SCHEMA: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
_WEATHER = FunctionTool("weather", "How the weather is", _SCHEMA)
_SPEC = {"toolSpec": {"name": "weather", "description": "How the weather is", "inputSchema": {"json": _SCHEMA}}}


def test_a_plain_conversation() -> None:
    """System messages, wherever they stand, go to `system`; sampling goes to inferenceConfig."""
    request = ChatRequest(
        model="m",
        messages=(said("developer", "Be brief."), said("user", "Hi."), said("system", "Rhyme.")),
        max_output_tokens=100,
        temperature=0.5,
        top_p=0.9,
        stop=("END",),
        service_tier="flex",
        metadata={"team": "red", "bad{": "x"},
        user="u1",
    )
    body, losses = sent(request)
    assert body == {
        "system": [{"text": "Be brief."}, {"text": "Rhyme."}],
        "messages": [{"role": "user", "content": [{"text": "Hi."}]}],
        "inferenceConfig": {"maxTokens": 100, "temperature": 0.5, "topP": 0.9, "stopSequences": ["END"]},
        "requestMetadata": {"team": "red"},
        "serviceTier": {"type": "flex"},
    }
    assert losses.warning() == ""


def test_turns_are_merged_and_begin_with_the_user() -> None:
    """Neighbours of one role are one turn, blank text and empty turns go, no blank at the end."""
    request = ChatRequest(
        model="m",
        messages=(
            said("assistant", "Welcome."),
            said("user", "One.", "  "),
            said("user", "Two."),
            said("assistant", ""),
            said("user", "Three."),
            said("assistant", "So: \n"),
        ),
    )
    assert sent(request)[0]["messages"] == [
        {"role": "user", "content": [{"text": "Continue."}]},
        {"role": "assistant", "content": [{"text": "Welcome."}]},
        {"role": "user", "content": [{"text": "One."}, {"text": "Two."}, {"text": "Three."}]},
        {"role": "assistant", "content": [{"text": "So:"}]},
    ]


def test_a_system_message_alone_is_said_by_the_user() -> None:
    """Bedrock wants a message; Titan takes no system prompt, so that the user says it first."""
    alone = ChatRequest(model="m", messages=(said("system", "Tell a joke."),))
    assert sent(alone)[0] == {"messages": [{"role": "user", "content": [{"text": "Tell a joke."}]}]}
    both = ChatRequest(model="m", messages=(said("system", "Rhyme."), said("user", "Hi.")))
    body, losses = sent(both, "amazon.titan-text-express-v1")
    assert body["messages"] == [{"role": "user", "content": [{"text": "Rhyme."}, {"text": "Hi."}]}]
    assert "system" not in body
    assert losses.mapped == ["system"]


def test_parallel_calls_and_their_results() -> None:
    """Results of the role `tool` are one turn of the user, before what else the user says."""
    request = ChatRequest(
        model="m",
        messages=(
            said("user", "Compare."),
            said(
                "assistant", ToolCall("call_1", "weather", '{"city":"Ulm"}'), ToolCall("call_2", "weather", "")
            ),
            said("tool", ToolResult("call_1", content=(Text("rain"),))),
            said("user", "Well?", ToolResult("call_2", value={"sky": "blue"}, is_error=False)),
        ),
        tools=(_WEATHER,),
        tool_choice=ToolChoice("auto"),
    )
    body, losses = sent(request)
    assert body["messages"][1:] == [
        {
            "role": "assistant",
            "content": [
                {"toolUse": {"toolUseId": "call_1", "name": "weather", "input": {"city": "Ulm"}}},
                {"toolUse": {"toolUseId": "call_2", "name": "weather", "input": {}}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"toolResult": {"toolUseId": "call_1", "content": [{"text": "rain"}]}},
                {
                    "toolResult": {
                        "toolUseId": "call_2",
                        "content": [{"json": {"sky": "blue"}}],
                        "status": "success",
                    }
                },
                {"text": "Well?"},
            ],
        },
    ]
    assert body["toolConfig"] == {"tools": [_SPEC], "toolChoice": {"auto": {}}}
    assert losses.warning() == ""


def test_ids_that_bedrock_refuses_are_made_allowed() -> None:
    """The same for a call and its result."""
    long_id, name = "call|" + "x" * 80, "read"
    request = ChatRequest(
        model="m",
        messages=(
            said("user", "Go."),
            said("assistant", ToolCall(long_id, name, "{}")),
            said("tool", ToolResult(long_id, content=())),
        ),
        tools=(FunctionTool(name),),
        tool_choice=ToolChoice("named", name),
    )
    body, _ = sent(request)
    call = body["messages"][1]["content"][0]["toolUse"]
    assert call == {"toolUseId": tool_id(long_id), "name": name, "input": {}}
    assert len(call["toolUseId"]) <= 64
    assert body["messages"][2]["content"][0]["toolResult"] == {"toolUseId": tool_id(long_id), "content": []}
    assert body["toolConfig"] == {
        "tools": [
            {
                "toolSpec": {
                    "name": name,
                    "inputSchema": {"json": {"type": "object", "properties": {}}},
                }
            }
        ],
        "toolChoice": {"tool": {"name": name}},
    }


@pytest.mark.parametrize(
    ("arguments", "value"),
    [("", {}), ("[1]", {"input": [1]}), ('{"a": ', {"input": '{"a": '}), ("{}", {}), ("3", {"input": 3})],
)
def test_arguments_are_an_object(arguments: str, value: Any) -> None:
    """Bedrock wants an object, whatever a model once wrote."""
    request = ChatRequest(
        model="m",
        messages=(said("user", "Go."), said("assistant", ToolCall("c", "t", arguments))),
        tools=(_WEATHER,),
    )
    assert sent(request)[0]["messages"][1]["content"][0]["toolUse"]["input"] == value


def test_history_with_tools_needs_declared_tools() -> None:
    """Where the caller gave none, or forbids calls, they are declared from the conversation."""
    history = (
        said("user", "Go."),
        said("assistant", ToolCall("c", "weather", "{}")),
        said("tool", ToolResult("c", content=(Text("ok"),))),
    )
    body, losses = sent(ChatRequest(model="m", messages=history))
    assert body["toolConfig"]["tools"][0]["toolSpec"]["name"] == "weather"
    assert losses.warning() == ""
    body, losses = sent(
        ChatRequest(model="m", messages=history, tools=(_WEATHER,), tool_choice=ToolChoice("none"))
    )
    assert body["toolConfig"] == {"tools": [_SPEC]}
    assert losses.dropped == ["tool_choice"]
    body, losses = sent(ask("Hi.", tools=(_WEATHER,), tool_choice=ToolChoice("none")))
    assert "toolConfig" not in body
    assert losses.warning() == ""


def test_choices_among_tools_by_family() -> None:
    """`required` is `any`; Llama cannot be forced; Mistral not to one tool."""
    wanted: dict[str, Any] = {"required": {"any": {}}, "named": {"tool": {"name": "weather"}}}
    for mode, choice in wanted.items():
        request = ask("Hi.", tools=(_WEATHER,), tool_choice=ToolChoice(mode, "weather"))  # pyright: ignore[reportArgumentType]
        assert sent(request)[0]["toolConfig"]["toolChoice"] == choice
        body, losses = sent(request, LLAMA)
        assert body["toolConfig"]["toolChoice"] == {"auto": {}}
        assert losses.mapped == ["tool_choice"]
    request = ask("Hi.", tools=(_WEATHER,), tool_choice=ToolChoice("named", "weather"))
    assert sent(request, "us.mistral.pixtral-large-2502-v1:0")[0]["toolConfig"]["toolChoice"] == {"any": {}}


def test_pictures_documents_and_films() -> None:
    """Base64 and S3 are taken; names of documents are mended and never stand twice."""
    body, losses = sent(
        ask(
            "Look.",
            Image(Inline("image/jpeg", "aGk=")),
            Image(Link("s3://bucket/cat.png")),
            Document(Inline("application/pdf", "JVBERi0="), name="q3_report.final.pdf"),
            Document(Inline("application/octet-stream", "YQ=="), name="q3 report final.md"),
            Document(Plain("Tea."), title="Notes"),
            Document(Plain("Ice."), title="Facts", citable=True, context="from 1990"),
            Video(Inline("video/quicktime", "bW92")),
        ),
        "us.amazon.nova-pro-v1:0",
    )
    assert body["messages"][0]["content"] == [
        {"text": "Look."},
        {"image": {"format": "jpeg", "source": {"bytes": "aGk="}}},
        {"image": {"format": "png", "source": {"s3Location": {"uri": "s3://bucket/cat.png"}}}},
        {"document": {"format": "pdf", "name": "q3 report final", "source": {"bytes": "JVBERi0="}}},
        {"document": {"format": "md", "name": "q3 report final 2", "source": {"bytes": "YQ=="}}},
        {"document": {"format": "txt", "name": "Notes", "source": {"bytes": "VGVhLg=="}}},
        {
            "document": {
                "format": "txt",
                "name": "Facts",
                "source": {"text": "Ice."},
                "context": "from 1990",
                "citations": {"enabled": True},
            }
        },
        {"video": {"format": "mov", "source": {"bytes": "bW92"}}},
    ]
    assert losses.warning() == ""


def test_a_document_is_not_alone() -> None:
    """Bedrock wants text beside a document; its name is the least that can be said."""
    body, _ = sent(ask(Document(Inline("application/pdf", "JVBERi0="), name="a.pdf")))
    assert body["messages"][0]["content"][1] == {"text": "a"}


@pytest.mark.parametrize(
    ("part", "feature"),
    [
        (Image(Link("https://example.com/cat.png")), "image.link"),
        (Image(FileRef("file-1")), "image.file"),
        (Image(Inline("image/bmp", "aGk=")), "image"),
        (Document(Link("https://example.com/a.pdf")), "document.link"),
        (Document(Inline("application/zip", "aGk="), name="a.zip"), "document"),
        (Audio(Inline("audio/wav", "aGk="), "wav"), "audio"),
        (Video(Inline("video/mp4", "aGk=")), "video"),
    ],
)
def test_media_that_cannot_be_sent_are_named(part: Any, feature: str) -> None:
    """Converse fetches nothing from the web, and Claude hears and sees no films."""
    body, losses = sent(ask("Look.", part))
    assert body["messages"][0]["content"] == [{"text": "Look."}]
    assert losses.dropped == [feature]
    with pytest.raises(UnsupportedError) as refused:
        PROVIDER.encode_request(ask("Look.", part), addressee(CLAUDE, "error"))
    assert refused.value.feature == feature


def test_rich_results_of_tools() -> None:
    """Text, pictures and documents stand in the result; a list is no JSON object, so that it is text."""
    result = ToolResult(
        "c",
        content=(
            Text("Here:"),
            Image(Inline("image/png", "aGk=")),
            Document(Inline("text/csv", "YQ=="), name="t.csv"),
            Text("", cache=CacheHint()),
        ),
        is_error=True,
    )
    request = ChatRequest(
        model="m",
        messages=(
            said("user", "Go."),
            said("assistant", ToolCall("c", "weather", "{}"), ToolCall("d", "weather", "{}")),
            said("user", result, ToolResult("d", value=[1, 2])),
        ),
        tools=(_WEATHER,),
    )
    assert sent(request)[0]["messages"][2]["content"] == [
        {
            "toolResult": {
                "toolUseId": "c",
                "content": [
                    {"text": "Here:"},
                    {"image": {"format": "png", "source": {"bytes": "aGk="}}},
                    {"document": {"format": "csv", "name": "t", "source": {"bytes": "YQ=="}}},
                ],
                "status": "error",
            }
        },
        {"cachePoint": {"type": "default"}},
        {"toolResult": {"toolUseId": "d", "content": [{"text": "[1,2]"}]}},
    ]


def test_thinking_goes_back_to_its_own_signer_alone() -> None:
    """Claude's seals are sent, sealed thinking as a blob; what is foreign or unsealed is left out."""
    request = ChatRequest(
        model="m",
        messages=(
            said("user", "Go."),
            said(
                "assistant",
                Thinking("Let me see.", Signature("anthropic", "Eu8B")),
                Thinking(sealed=Signature("anthropic", "EvQC")),
                Thinking("Mine.", Signature("gemini", "xyz")),
                Thinking("Hm.", sealed=Signature("openai.responses", "gAAA"), id="rs_1"),
                Thinking("No seal."),
                Text("Done.", (Citation(url="https://example.com"),)),
                Refused("I will not."),
            ),
            said("user", "Why?"),
        ),
    )
    body, losses = sent(request)
    assert body["messages"][1]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "Let me see.", "signature": "Eu8B"}}},
        {"reasoningContent": {"redactedContent": base64.b64encode(b"EvQC").decode()}},
        {"text": "Done."},
        {"text": "I will not."},
    ]
    assert losses.warning() == ""
    assert {"reasoningContent": {"reasoningText": {"text": "No seal."}}} in sent(request, GPT_OSS)[0][
        "messages"
    ][1]["content"]
