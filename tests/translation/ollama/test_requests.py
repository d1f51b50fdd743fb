"""Conversations of any dialect, in Ollama's words."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.core.chat import ChatRequest, FunctionTool, Message, OutputFormat, Reasoning, ToolChoice
from penstock.core.losses import Losses
from penstock.core.parts import (
    Document,
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
from penstock.dialects.ollama.dialect import OllamaDialect
from penstock.ports.translation import Addressee
from penstock.providers.ollama.api import OllamaProvider
from penstock.providers.ollama.profile import DEFAULT, ROWS

CALL = FunctionTool("weather", "Of a place", {"type": "object"})
WRITTEN: dict[str, Any] = {
    "type": "function",
    "function": {"name": "weather", "description": "Of a place", "parameters": {"type": "object"}},
}


def encoded(request: ChatRequest, losses: Losses | None = None, profile: Profile = DEFAULT) -> dict[str, Any]:
    """The body, without the model's name and `stream`."""
    body = OllamaProvider().encode_request(request, Addressee("llama", profile, losses or Losses()))
    assert body.pop("model") == "llama"
    assert body.pop("stream") is False
    return body


def test_a_conversation() -> None:
    """System anywhere, pictures as bare data, documents as text, calls with objects, results with names."""
    losses = Losses()
    messages = (
        Message(
            "user", (Text("Look"), Image(Inline("image/png", "QUJD")), Document(Plain("Rain."), title="News"))
        ),
        Message(
            "assistant", (Thinking("Hm"), Thinking("x", Signature("gemini", "s")), ToolCall("a", "weather"))
        ),
        Message("assistant", (ToolCall("b", "weather", '{"place":"Rome"}'),)),
        Message("tool", (ToolResult("a", content=(Text("Sun"), Image(Inline("image/png", "REVG")))),)),
        Message("tool", (ToolResult("b", value=[1]),)),
        Message("developer", (Text("Be brief."),)),
        Message("user", (Image(Link("https://example.com/a.png")), Text("And?"))),
        Message("assistant", (Text("Well."),)),
    )
    body = encoded(ChatRequest(model="m", messages=messages), losses)
    assert body["messages"] == [
        {"role": "user", "content": "Look\nNews\nRain.", "images": ["QUJD"]},
        {
            "role": "assistant",
            "content": "",
            "thinking": "Hm",
            "tool_calls": [
                {"id": "a", "function": {"name": "weather", "arguments": {}}},
                {"id": "b", "function": {"name": "weather", "arguments": {"place": "Rome"}}},
            ],
        },
        {"role": "tool", "content": "Sun", "images": ["REVG"], "tool_name": "weather", "tool_call_id": "a"},
        {"role": "tool", "content": "[1]", "tool_name": "weather", "tool_call_id": "b"},
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "And?"},
        {"role": "assistant", "content": "Well."},
    ]
    assert (losses.mapped, losses.dropped) == (["document"], ["image.link"])


GPT_OSS = profile_for("gpt-oss:20b", ROWS, DEFAULT)
LLAMA = profile_for("llama3.2", ROWS, DEFAULT)
SETTINGS: list[tuple[dict[str, Any], Profile, dict[str, Any], list[str], list[str]]] = [
    ({"temperature": 0.5, "top_p": 0.9, "top_k": 3, "seed": 7, "max_output_tokens": 9, "stop": ("a",),
      "presence_penalty": 0.1, "frequency_penalty": 0.2}, DEFAULT,
     {"options": {"temperature": 0.5, "top_p": 0.9, "top_k": 3, "seed": 7, "num_predict": 9, "stop": ["a"],
                  "presence_penalty": 0.1, "frequency_penalty": 0.2}}, [], []),
    ({"logprobs": True, "top_logprobs": 2}, DEFAULT, {"logprobs": True, "top_logprobs": 2}, [], []),
    ({"choices": 2, "logit_bias": {"1": 1.0}, "user": "u"}, DEFAULT, {}, [], ["choices", "logit_bias"]),
    ({"output": OutputFormat("json")}, DEFAULT, {"format": "json"}, [], []),
    ({"output": OutputFormat("schema", {"type": "array"})}, DEFAULT, {"format": {"type": "array"}}, [], []),
    ({"tools": (CALL,), "tool_choice": ToolChoice("none")}, DEFAULT, {}, [], []),
    ({"tools": (CALL,), "tool_choice": ToolChoice("required")}, DEFAULT, {"tools": [WRITTEN]}, [],
     ["tool_choice"]),
    ({"reasoning": Reasoning(effort="high")}, DEFAULT, {"think": True}, ["reasoning"], []),
    ({"reasoning": Reasoning(enabled=True)}, DEFAULT, {"think": True}, [], []),
    ({"reasoning": Reasoning(effort="none")}, DEFAULT, {"think": False}, [], []),
    ({"reasoning": Reasoning(effort="high")}, GPT_OSS, {"think": "high"}, [], []),
    ({"reasoning": Reasoning(effort="minimal")}, GPT_OSS, {"think": "low"}, ["reasoning"], []),
    ({"reasoning": Reasoning(effort="high")}, LLAMA, {}, [], ["reasoning"]),
    ({"reasoning": Reasoning(effort="none")}, LLAMA, {}, [], []),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "profile", "written", "mapped", "dropped"), SETTINGS)
def test_settings(
    fields: dict[str, Any], profile: Profile, written: dict[str, Any], mapped: list[str], dropped: list[str]
) -> None:
    """Each setting in Ollama's words, and what was lost."""
    losses = Losses()
    body = encoded(ChatRequest(model="m", **fields), losses, profile)
    assert body.pop("messages") == []
    assert (body, losses.mapped, losses.dropped) == (written, mapped, dropped)


def test_results_find_their_calls() -> None:
    """A client's results that name no id answer the calls of their name, in order."""
    calls: list[Any] = [{"function": {"name": name, "arguments": {}}} for name in ("now", "weather", "weather")]
    body: dict[str, Any] = {
        "messages": [
            {"role": "assistant", "content": "", "tool_calls": calls},
            {"role": "tool", "content": "1", "tool_name": "weather"},
            {"role": "tool", "content": "2", "tool_name": "weather"},
            {"role": "tool", "content": "3"},
        ]
    }
    request = OllamaDialect().decode_request(body, "m", stream=True)
    ids = [part.id for part in request.messages[0].parts if isinstance(part, ToolCall)]
    results = [
        part.call_id for each in request.messages[1:] for part in each.parts if isinstance(part, ToolResult)
    ]
    assert len(set(ids)) == 3
    assert results == [ids[1], ids[2], ids[0]]
