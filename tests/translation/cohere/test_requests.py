"""Conversations of any dialect, in Cohere's words."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.core.chat import (
    ChatRequest,
    FunctionTool,
    Message,
    OpaqueTool,
    OutputFormat,
    Reasoning,
    ToolChoice,
)
from penstock.core.losses import Losses, UnsupportedError
from penstock.core.parts import (
    Audio,
    Document,
    FileRef,
    Image,
    Inline,
    Link,
    Plain,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from penstock.core.profile import Profile, profile_for
from penstock.ports.translation import Addressee
from penstock.providers.cohere.api import CohereProvider
from penstock.providers.cohere.profile import DEFAULT, ROWS

CALL = FunctionTool("weather", "Of a place", {"type": "object", "properties": {"place": {"type": "string"}}})
WRITTEN: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Of a place",
        "parameters": {"type": "object", "properties": {"place": {"type": "string"}}},
    },
}


def encoded(request: ChatRequest, losses: Losses | None = None, profile: Profile = DEFAULT) -> dict[str, Any]:
    """The body, without the model's name and `stream`."""
    body = CohereProvider().encode_request(request, Addressee("cmd", profile, losses or Losses()))
    assert body.pop("model") == "cmd"
    assert body.pop("stream") is False
    return body


def said(*messages: Message) -> list[dict[str, Any]]:
    """The messages alone."""
    return encoded(ChatRequest(model="m", messages=messages))["messages"]


def test_system_stands_where_it_stood() -> None:
    """System and developer messages keep their places; neighbours become one."""
    assert said(
        Message("system", (Text("One."),)),
        Message("developer", (Text("Two."),)),
        Message("user", (Text("Hello"),)),
        Message("assistant", (Text("Hi"),)),
        Message("system", (Text("Three."),)),
        Message("user", (Text("a"), Text("b"))),
    ) == [
        {"role": "system", "content": "One."},
        {"role": "system", "content": "Two."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi"},
        {"role": "system", "content": "Three."},
        {"role": "user", "content": "a\nb"},
    ]


def test_pictures_and_documents() -> None:
    """Pictures stand in the message, by address or data; plain documents beside it, to be cited."""
    losses = Losses()
    message = Message(
        "user",
        (
            Text("Look"),
            Image(Link("https://example.com/a.png"), "low"),
            Image(Inline("image/png", "QUJD")),
            Image(FileRef("file-1")),
            Document(Plain("It rains."), title="News"),
            Document(Inline("application/pdf", "QUJD")),
            Audio(Inline("audio/wav", "QUJD"), "wav"),
        ),
    )
    body = encoded(ChatRequest(model="m", messages=(message,)), losses)
    assert body["messages"] == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Look"},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
            ],
        }
    ]
    assert body["documents"] == [{"id": "doc:0", "data": {"text": "It rains.", "title": "News"}}]
    assert losses.dropped == ["image.file", "document", "audio"]


def test_a_message_that_is_a_document_alone() -> None:
    """A message with nothing but a document says the document."""
    body = encoded(ChatRequest(model="m", messages=(Message("user", (Document(Plain("It rains.")),)),)))
    assert body == {"messages": [{"role": "user", "content": "It rains."}]}


def test_parallel_calls_and_their_results() -> None:
    """Calls of one turn stand in one message, and each result in its own, pictures after them."""
    messages = (
        Message("user", (Text("Weather?"),)),
        Message("assistant", (Text(""), ToolCall("a", "weather", '{"place":"Rome"}'))),
        Message("assistant", (ToolCall("b", "weather"),)),
        Message(
            "user",
            (
                ToolResult("a", content=(Text("Sun"), Image(Inline("image/png", "QUJD")))),
                ToolResult("b", value={"sky": "grey"}, is_error=False),
                Text("And now?"),
            ),
        ),
    )
    losses = Losses()
    body = encoded(ChatRequest(model="m", messages=messages, tools=(CALL,)), losses)
    assert body["messages"] == [
        {"role": "user", "content": "Weather?"},
        {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": "a",
                    "type": "function",
                    "function": {"name": "weather", "arguments": '{"place":"Rome"}'},
                },
                {"id": "b", "type": "function", "function": {"name": "weather", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "a", "content": "Sun"},
        {"role": "tool", "tool_call_id": "b", "content": '{"sky":"grey"}'},
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
                {"type": "text", "text": "And now?"},
            ],
        },
    ]
    assert body["tools"] == [WRITTEN]
    assert losses.mapped == ["tool_result.image"]


def test_a_result_with_a_document() -> None:
    """A document that a tool gave stays one, so that the answer can cite it."""
    result = ToolResult("a", content=(Text("Found:"), Document(Plain("It rains."), title="News")))
    assert said(Message("tool", (result,)))[0]["content"] == [
        {"type": "text", "text": "Found:"},
        {"type": "document", "document": {"id": "a:1", "data": {"text": "It rains.", "title": "News"}}},
    ]


def test_thinking_comes_back_to_whom_it_belongs() -> None:
    """Plain thinking is sent, sealed thinking of others is not, and that is no loss to tell of."""
    parts = (
        Thinking("plain"),
        Thinking("theirs", Signature("anthropic", "x")),
        Thinking(sealed=Signature("openai.responses", "y")),
        Text("So."),
    )
    losses = Losses("error")
    request = ChatRequest(model="m", messages=(Message("assistant", parts),))
    assert encoded(request, losses)["messages"] == [
        {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": "plain"}, {"type": "text", "text": "So."}],
        }
    ]
    plain = profile_for("command-r-08-2024", ROWS, DEFAULT)
    assert encoded(request, losses, plain)["messages"] == [{"role": "assistant", "content": "So."}]


def test_a_plan_for_models_without_thinking() -> None:
    """Thinking before calls is the plan of a model that has no other thinking."""
    request = ChatRequest(
        model="m", messages=(Message("assistant", (Thinking("I look."), ToolCall("a", "now"))),)
    )
    call = {"id": "a", "type": "function", "function": {"name": "now", "arguments": "{}"}}
    plain = profile_for("command-a-03-2025", ROWS, DEFAULT)
    assert encoded(request, None, plain)["messages"] == [
        {"role": "assistant", "tool_plan": "I look.", "tool_calls": [call]}
    ]


def test_documents_and_a_schema() -> None:
    """Cohere does not take documents together with a form of output: they stand in their message."""
    message = Message("user", (Document(Plain("It rains."), title="News"), Text("Sum up")))
    body = encoded(ChatRequest(model="m", messages=(message,), output=OutputFormat("json")))
    assert body == {
        "messages": [{"role": "user", "content": "News\nIt rains.\nSum up"}],
        "response_format": {"type": "json_object"},
    }


SETTINGS: list[tuple[dict[str, Any], dict[str, Any], list[str], list[str]]] = [
    ({"temperature": 0.5, "top_k": 3, "seed": 7, "max_output_tokens": 9, "logprobs": True},
     {"temperature": 0.5, "k": 3, "seed": 7, "max_tokens": 9, "logprobs": True}, [], []),
    ({"top_p": 1.0}, {"p": 0.99}, ["top_p"], []),
    ({"presence_penalty": -1.0}, {"presence_penalty": 0.0}, ["presence_penalty"], []),
    ({"stop": tuple("abcdef")}, {"stop_sequences": list("abcde")}, ["stop"], []),
    ({"choices": 1, "service_tier": "auto", "user": "u", "store": True}, {}, [], []),
    ({"choices": 2, "logit_bias": {"1": 1.0}, "top_logprobs": 2}, {}, [],
     ["choices", "top_logprobs", "logit_bias"]),
    ({"output": OutputFormat("json")}, {"response_format": {"type": "json_object"}}, [], []),
    ({"output": OutputFormat("schema", {"type": "object"}, "n")},
     {"response_format": {"type": "json_object", "json_schema": {"type": "object"}}}, [], []),
    ({"output": OutputFormat("json"), "tools": (CALL,)}, {"tools": [WRITTEN]}, [], ["output"]),
    ({"reasoning": Reasoning(effort="none")}, {"thinking": {"type": "disabled"}}, [], []),
    ({"reasoning": Reasoning(enabled=True)}, {"thinking": {"type": "enabled"}}, [], []),
    ({"reasoning": Reasoning(budget_tokens=300)}, {"thinking": {"type": "enabled", "token_budget": 300}},
     [], []),
    ({"reasoning": Reasoning(effort="low")}, {"thinking": {"type": "enabled", "token_budget": 1024}},
     ["reasoning"], []),
    ({"tools": (CALL,), "tool_choice": ToolChoice("auto")}, {"tools": [WRITTEN]}, [], []),
    ({"tools": (CALL,), "tool_choice": ToolChoice("none")}, {"tools": [WRITTEN], "tool_choice": "NONE"},
     [], []),
    ({"tools": (FunctionTool("other"), CALL), "tool_choice": ToolChoice("named", "weather")},
     {"tools": [WRITTEN], "tool_choice": "REQUIRED"}, ["tool_choice.named"], []),
    ({"tools": (FunctionTool("x", strict=True),)}, {"tools": [{"type": "function", "function": {
        "name": "x", "parameters": {"type": "object", "properties": {}}}}], "strict_tools": True}, [], []),
    ({"tools": (OpaqueTool("anthropic", {"type": "web_search"}), FunctionTool("y", type="custom"))}, {}, [],
     ["tool.opaque", "tool.custom"]),
    ({"tools": (CALL,), "parallel_tool_calls": False}, {"tools": [WRITTEN]}, [], ["parallel_tool_calls"]),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "written", "mapped", "dropped"), SETTINGS)
def test_settings(
    fields: dict[str, Any], written: dict[str, Any], mapped: list[str], dropped: list[str]
) -> None:
    """Each setting in Cohere's words, and what was lost."""
    losses = Losses()
    body = encoded(ChatRequest(model="m", messages=(), **fields), losses)
    assert body.pop("messages") == []
    assert (body, losses.mapped, losses.dropped) == (written, mapped, dropped)


def test_what_a_profile_lacks_is_left_out() -> None:
    """A setting that the model's profile lacks is not sent, and named."""
    losses = Losses()
    profile = Profile(frozenset({"seed", "stop", "top_p"}))
    assert encoded(ChatRequest(model="m", seed=1, stop=("a",), top_k=2), losses, profile) == {
        "messages": [],
        "k": 2,
    }
    assert losses.dropped == ["seed", "stop"]


def test_the_caller_may_want_an_error() -> None:
    """Where losses are errors, the feature is named."""
    with pytest.raises(UnsupportedError, match="logit_bias"):
        encoded(ChatRequest(model="m", logit_bias={"1": 1.0}), Losses("error"))
