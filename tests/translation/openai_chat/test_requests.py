"""Requests of other shapes to a chat completions API."""

from __future__ import annotations

import base64
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
    CacheHint,
    Document,
    FileRef,
    Image,
    Inline,
    Link,
    Opaque,
    Plain,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Video,
)
from penstock.core.profile import Profile, profile_for
from penstock.dialects.openai_chat.dialect import OpenaiChatDialect
from penstock.providers.openai_chat.api import OpenaiChatProvider
from penstock.providers.openai_chat.profile import DEFAULT, ROWS, VENDORS
from penstock.providers.profiles import profiles_of
from penstock.providers.vendors import VENDORS as KINDS
from tests.translation.replay import to

_PROVIDER, _CLIENT = OpenaiChatProvider(), OpenaiChatDialect()


_SEAL = Signature("anthropic", "c2VhbA==")


def _sent(profile: Profile | None = None, losses: Losses | None = None, **fields: Any) -> dict[str, Any]:
    return _PROVIDER.encode_request(ChatRequest(model="asked", **fields), to(profile, "m", losses))


def _messages(*messages: Message, profile: Profile | None = None, losses: Losses | None = None) -> list[Any]:
    return _sent(profile, losses, messages=messages)["messages"]


def test_system_messages_stay_where_they_stand_and_neighbours_are_joined() -> None:
    """A system message in the middle is sent there; texts of one turn are joined with a blank line."""
    assert _messages(
        Message("system", (Text("Be brief."), Text("Be kind."))),
        Message("user", (Text("Hello"),)),
        Message("system", (Text("Now in French."),)),
        Message("user", ()),
    ) == [
        {"role": "system", "content": "Be brief.\n\nBe kind."},
        {"role": "user", "content": "Hello"},
        {"role": "system", "content": "Now in French."},
        {"role": "user", "content": ""},
    ]


def test_a_developer_message_is_a_system_message_for_vendors_that_know_none() -> None:
    """OpenAI gets the role developer; a compatible server, the role that it knows."""
    said = Message("developer", (Text("Be brief."),))
    assert _messages(said, profile=profile_for("gpt-5", ROWS, DEFAULT))[0]["role"] == "developer"
    assert _messages(said, profile=DEFAULT)[0]["role"] == "system"


def test_a_tool_turn_becomes_an_assistants_calls_and_one_message_for_each_result() -> None:
    """Calls of one turn are one message; results come before what the user says with them; pictures follow."""
    losses = Losses()
    assert _messages(
        Message("assistant", (Text("Let me look."),)),
        Message("assistant", (ToolCall("a", "find", '{"q":1}'), ToolCall("b", "find", '{"q":2}'))),
        Message(
            "user",
            (
                ToolResult("a", content=(Text("one"), Text("two")), is_error=True),
                ToolResult("b", content=(Image(Inline("image/png", "AAAA")),)),
                Text("And?"),
            ),
        ),
        losses=losses,
    ) == [
        {
            "role": "assistant",
            "content": "Let me look.",
            "tool_calls": [
                {"type": "function", "id": "a", "function": {"name": "find", "arguments": '{"q":1}'}},
                {"type": "function", "id": "b", "function": {"name": "find", "arguments": '{"q":2}'}},
            ],
        },
        {"role": "tool", "tool_call_id": "a", "content": "Error: one\ntwo"},
        {"role": "tool", "tool_call_id": "b", "content": "The result follows."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "The result of tool call b:"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
            ],
        },
        {"role": "user", "content": "And?"},
    ]
    assert losses.warning() == "mapped=tool_result.error,tool_result.media"


def test_a_result_that_is_a_value_is_its_json() -> None:
    """Shapes whose results are JSON values send them as text."""
    message = Message("tool", (ToolResult("a", value={"ok": True}),))
    assert _messages(message) == [{"role": "tool", "tool_call_id": "a", "content": '{"ok":true}'}]


def test_media_are_written_in_the_forms_that_the_api_documents() -> None:
    """Pictures by address and inline, a PDF, plain text, sound and video have their items."""
    text = base64.b64encode(b"words").decode()
    (message,) = _messages(
        Message(
            "user",
            (
                Text("Look:"),
                Image(Link("https://a.example/i.png"), "low"),
                Document(Inline("application/pdf", "JVBE")),
                Document(Plain("the text"), title="Notes"),
                Document(Inline("text/plain", text)),
                Document(FileRef("file-1")),
                Audio(Inline("audio/mpeg", "SUQz")),
                Video(Link("https://a.example/v.mp4")),
            ),
        )
    )
    assert message["content"] == [
        {"type": "text", "text": "Look:"},
        {"type": "image_url", "image_url": {"url": "https://a.example/i.png", "detail": "low"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBE", "filename": "document.pdf"}},
        {"type": "text", "text": "Notes\n\nthe text"},
        {"type": "text", "text": "words"},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "input_audio", "input_audio": {"data": "SUQz", "format": "mp3"}},
        {"type": "video_url", "video_url": {"url": "https://a.example/v.mp4"}},
    ]


def test_what_a_model_cannot_take_is_dropped_by_name_or_refused() -> None:
    """Each loss is named once; with `on_unsupported: error` the first one is refused."""
    parts = (
        Text("x"),
        Image(Link("gs://b/i.png")),
        Document(Link("https://a.example/d.pdf")),
        Audio(Inline("audio/wav", "UklG"), "wav"),
        Video(Inline("video/mp4", "AA")),
        Opaque("anthropic", {"type": "server_tool_use"}),
    )
    losses = Losses()
    sent = _sent(
        profile_for("gpt-4o", ROWS, DEFAULT),
        losses,
        messages=(Message("user", parts),),
        top_k=5,
        tools=(OpaqueTool("anthropic", {"type": "bash_20250124"}), FunctionTool("f", type="custom")),
    )
    assert sent == {"model": "m", "messages": [{"role": "user", "content": "x"}]}
    assert losses.dropped == [
        "image.link", "document.link", "audio", "video", "opaque", "top_k", "tool.opaque", "tool.custom",
    ]  # fmt: skip
    with pytest.raises(UnsupportedError, match=r"image\.link"):
        _messages(Message("user", parts), losses=Losses("error"))


def test_thinking_goes_back_only_where_it_came_from() -> None:
    """Sealed thinking of another vendor is left out in silence; DeepSeek wants the plain one with its calls."""
    call = ToolCall("a", "f", "{}")
    wire = {"type": "function", "id": "a", "function": {"name": "f", "arguments": "{}"}}
    turn = Message("assistant", (Thinking("secret", _SEAL), Thinking("Hm."), call))
    losses = Losses()
    assert _messages(turn, losses=losses) == [{"role": "assistant", "content": None, "tool_calls": [wire]}]
    assert _messages(turn, profile=VENDORS["deepseek"]) == [
        {"role": "assistant", "content": None, "reasoning_content": "Hm.", "tool_calls": [wire]}
    ]
    bare = Message("assistant", (call,))
    assert _messages(bare, profile=VENDORS["deepseek"])[0]["reasoning_content"] == ""
    assert _messages(Message("assistant", (Thinking("secret", _SEAL),))) == []
    assert losses.warning() == ""


def test_openrouter_gets_thinking_with_its_seals() -> None:
    """OpenRouter has a place for every vendor's seal, and hands it to that vendor."""
    turn = Message(
        "assistant", (Thinking("Hm.", _SEAL), Thinking(sealed=Signature("openai.responses", "xx"), id="rs_1"))
    )
    (message,) = _messages(turn, profile=VENDORS["openrouter"])
    assert message["reasoning_details"] == [
        {
            "type": "reasoning.text",
            "format": "anthropic-claude-v1",
            "index": 0,
            "text": "Hm.",
            "signature": "c2VhbA==",
        },
        {
            "type": "reasoning.encrypted",
            "format": "openai-responses-v1",
            "index": 1,
            "data": "xx",
            "id": "rs_1",
        },
    ]


def test_parameters_have_their_names_and_limits() -> None:
    """Every parameter of the API is sent; stop sequences and temperature are held to what the model takes."""
    losses = Losses()
    sent = _sent(
        Profile(max_stop=1, max_temperature=1.0, cap_field="max_completion_tokens"),
        losses,
        max_output_tokens=9,
        temperature=1.5,
        stop=("a", "b"),
        choices=2,
        seed=7,
        logit_bias={"5": -1},
        metadata={"k": "v"},
        cache_key="ck",
        parallel_tool_calls=False,
        tools=(FunctionTool("f", parameters={"type": "object"}, cache=CacheHint(3600)),),
        tool_choice=ToolChoice("named", "f"),
        output=OutputFormat("schema", {"type": "object"}, "my answer!"),
        service_tier="standard_only",
        stream=True,
    )
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    assert sent == {
        "model": "m",
        "messages": [],
        "max_completion_tokens": 9,
        "temperature": 1.0,
        "stop": ["a"],
        "n": 2,
        "seed": 7,
        "logit_bias": {"5": -1},
        "metadata": {"k": "v"},
        "prompt_cache_key": "ck",
        "parallel_tool_calls": False,
        "tools": [tool | {"cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "my_answer_", "schema": {"type": "object"}},
        },
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert losses.warning() == "dropped=stop; mapped=temperature"


def test_a_schema_is_told_in_words_to_models_with_json_mode_only() -> None:
    """The nearest thing is JSON mode and a sentence with the schema."""
    losses = Losses()
    sent = _sent(VENDORS["deepseek"], losses, output=OutputFormat("schema", {"type": "object"}))
    assert sent["response_format"] == {"type": "json_object"}
    assert sent["messages"][0]["content"].endswith('{"type":"object"}')
    assert losses.warning() == "mapped=output.schema"


@pytest.mark.parametrize(
    ("model", "asked", "sent", "warning"),
    [
        ("o3", Reasoning("high"), {"reasoning_effort": "high"}, ""),
        ("gpt-5", Reasoning(budget_tokens=2000), {"reasoning_effort": "low"}, ""),
        ("gpt-5", Reasoning("max"), {"reasoning_effort": "high"}, "mapped=reasoning.effort"),
        ("gpt-5", Reasoning(enabled=False), {"reasoning_effort": "minimal"}, "mapped=reasoning"),
        ("gpt-5.1", Reasoning(enabled=False), {"reasoning_effort": "none"}, ""),
        ("gpt-4o", Reasoning("low"), {}, "dropped=reasoning"),
        ("gpt-4o", Reasoning("none"), {}, ""),
        ("deepseek", Reasoning("medium"), {"thinking": {"type": "enabled"}, "reasoning_effort": "high"},
         "mapped=reasoning.effort"),
        ("deepseek", Reasoning(enabled=False), {"thinking": {"type": "disabled"}}, ""),
        ("openrouter", Reasoning(budget_tokens=2000), {"reasoning": {"max_tokens": 2000}}, ""),
        ("alibaba", Reasoning(budget_tokens=99), {"enable_thinking": True, "thinking_budget": 99}, ""),
        ("moonshot", Reasoning("low"), {}, ""),
    ],
)  # fmt: skip
def test_how_much_to_think_is_said_in_the_vendors_way(
    model: str, asked: Reasoning, sent: dict[str, Any], warning: str
) -> None:
    """Effort, budget and a plain yes or no become the nearest thing that the model is told by."""
    losses = Losses()
    profile = VENDORS.get(model) or profile_for(model, ROWS, DEFAULT)
    assert _sent(profile, losses, reasoning=asked) == {"model": "m", "messages": [], **sent}
    assert losses.warning() == warning


def test_sampling_parameters_are_kept_from_reasoning_models() -> None:
    """What would be refused is dropped with a warning, unless it says nothing."""
    losses = Losses()
    sent = _sent(profile_for("o4-mini", ROWS, DEFAULT), losses, temperature=0.2, top_p=1, max_output_tokens=5)
    assert sent == {"model": "m", "messages": [], "max_completion_tokens": 5}
    assert losses.warning() == "dropped=temperature"


def test_sound_is_not_asked_of_models_that_have_none() -> None:
    """The wish for sound and its voice are dropped together; a model that speaks gets both."""
    losses = Losses()
    asked: dict[str, Any] = {"modalities": ("text", "audio"), "audio": {"voice": "alloy", "format": "mp3"}}
    assert _sent(profile_for("gpt-4o", ROWS, DEFAULT), losses, **asked) == {"model": "m", "messages": []}
    assert losses.dropped == ["modalities", "audio"]
    spoken = _sent(profile_for("gpt-4o-audio-preview", ROWS, DEFAULT), **asked)
    assert (spoken["modalities"], spoken["audio"]["voice"]) == (["text", "audio"], "alloy")


def test_cache_hints_are_sent_only_where_they_are_understood() -> None:
    """OpenRouter takes Anthropic's hints, for which a text must stand in a list; OpenAI would refuse them."""
    said = Message("system", (Text("Long.", cache=CacheHint(300)),))
    assert _messages(said, profile=VENDORS["openrouter"])[0]["content"] == [
        {"type": "text", "text": "Long.", "cache_control": {"type": "ephemeral", "ttl": "5m"}}
    ]
    assert _messages(said, profile=DEFAULT) == [{"role": "system", "content": "Long."}]


@pytest.mark.parametrize(
    ("model", "wish", "expected", "lost"),
    [
        ("grok-3-mini", Reasoning("medium"), "high", "mapped=reasoning.effort"),
        ("grok-4-1-fast-reasoning", Reasoning("medium"), None, ""),
        ("grok-4-1-fast-non-reasoning", Reasoning("medium"), None, "dropped=reasoning"),
        ("grok-4.3", Reasoning(enabled=False), "none", ""),
        ("grok-4.5", Reasoning(enabled=False), "low", "mapped=reasoning"),
        ("grok-5", Reasoning("medium"), "medium", ""),
    ],
)
def test_families_of_one_vendor_think_in_words_of_their_own(
    model: str, wish: Reasoning, expected: str | None, lost: str
) -> None:
    """A family that refuses any word gets none; one that cannot be turned off gets the least."""
    rows, default = profiles_of(KINDS["xai"])
    losses = Losses()
    sent = _PROVIDER.encode_request(
        ChatRequest(model="asked", reasoning=wish), to(profile_for(model, rows, default), model, losses)
    )
    assert (sent.get("reasoning_effort"), losses.warning()) == (expected, lost)


@pytest.mark.parametrize(
    ("kind", "model", "api", "word"),
    [
        ("openai", "gpt-6-astra", "openai.responses", "low"),
        ("openai", "gpt-6.2-sol", "openai.responses", "low"),
        ("openai", "gpt-6-luna", "openai.responses", "none"),
        ("openai", "gpt-5.2", "", "none"),
        ("azure-deployments", "gpt-6-astra", "", "low"),
        ("azure-deployments", "gpt-7", "", "low"),
    ],
)
def test_openais_newest_models_have_rows(kind: str, model: str, api: str, word: str) -> None:
    """Those that chat does not serve name the other API where their vendor has it."""
    rows, default = profiles_of(KINDS[kind])
    profile = profile_for(model, rows, default)
    assert (profile.api, profile.efforts[0]) == (api, word)
    assert profile.cap_field == "max_completion_tokens"
    elsewhere, default = profiles_of(KINDS[kind], elsewhere=True)
    assert profile_for(model, elsewhere, default).api == ""
