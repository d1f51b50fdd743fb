"""Conversations of other dialects are brought to what the Messages API takes."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from penstock.core.chat import FunctionTool, Message
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
from penstock.shapes.anthropic import NO_SEAL
from tests.translation.anthropic.speaking import asked, assistant, sent, shown, system, to, user

_TOOL = FunctionTool("look", "Looks.", {"type": "object", "properties": {"at": {"type": "string"}}})


def test_a_plain_request_becomes_the_plainest_body() -> None:
    """One text in, the same text out, with the model and the bound that the API insists on."""
    assert sent(asked()) == {
        "model": "claude-sonnet-4-5",
        "max_tokens": 4096,
        "messages": [{"role": "user", "content": "Hi"}],
    }


def test_the_callers_bound_counts() -> None:
    """A bound that was given is sent as it is."""
    assert sent(asked(max_output_tokens=7))["max_tokens"] == 7


def test_system_prompts_are_gathered_where_a_model_wants_them_first() -> None:
    """System and developer messages, wherever they stand, become the `system` member, in their order."""
    body = sent(
        asked(system("One."), user("Hi"), Message("developer", (Text("Two."),)), assistant("Yes?"), user("Go"))
    )
    assert body["system"] == [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]
    assert [each["role"] for each in body["messages"]] == ["user", "assistant", "user"]


def test_a_later_system_message_stays_where_a_model_takes_it() -> None:
    """After a user's turn and at the end it may stand; before another user's turn it may not."""
    body = sent(asked(system("One."), user("Hi"), system("Two.")), to("claude-opus-4-8"))
    assert body["system"] == "One."
    assert body["messages"][-1] == {"role": "system", "content": "Two."}
    moved = sent(asked(user("Hi"), system("Two."), user("Go")), to("claude-opus-4-8"))
    assert moved["system"] == "Two."
    assert moved["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "text", "text": "Go"}]}
    ]


def test_a_system_prompt_alone_is_asked_as_the_user() -> None:
    """The API wants a message."""
    body = sent(asked(system("Say hello.")))
    assert "system" not in body
    assert body["messages"] == [{"role": "user", "content": "Say hello."}]


def test_empty_content_is_left_out() -> None:
    """The API refuses blocks without text, and messages without blocks."""
    body = sent(asked(user("", "Hi"), assistant(" \n"), user("there")))
    assert body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "text", "text": "there"}]}
    ]


def test_a_conversation_that_the_assistant_begins_gets_an_opening() -> None:
    """The first message must be the user's."""
    body = sent(asked(assistant("Welcome."), user("Thanks")))
    assert [each["role"] for each in body["messages"]] == ["user", "assistant", "user"]


def test_an_answer_to_go_on_with() -> None:
    """It may not end in white space; models that refuse it are asked to continue, or it is dropped."""
    request = asked(user("Count"), assistant("One, "))
    assert sent(request)["messages"][-1] == {"role": "assistant", "content": "One,"}
    mapped = to("claude-opus-4-6")
    assert sent(request, mapped)["messages"][-1]["role"] == "user"
    assert mapped.losses.warning() == "mapped=prefill"
    dropped = to("claude-opus-4-6", "drop")
    assert sent(request, dropped)["messages"] == [{"role": "user", "content": "Count"}]


def test_parallel_calls_and_their_results_are_a_turn_each() -> None:
    """Results that came as messages of their own stand together, at the head of the user's turn."""
    body = sent(
        asked(
            user("Look"),
            assistant("I will.", ToolCall("a", "look", '{"at":"x"}'), ToolCall("b.2", "look")),
            user("Quick!"),
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
        asked(user("Go"), assistant(ToolCall("a", "f")), Message("tool", (ToolResult("a", content=parts),))),
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
    body = sent(asked(user("Go"), assistant(*calls)))
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
    body = sent(asked(user("x", part), max_output_tokens=1))
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
    assert sent(asked(user("x", part)), target)["messages"] == [{"role": "user", "content": "x"}]
    assert target.losses.warning() == f"dropped={lost}"
    with pytest.raises(UnsupportedError, match=lost):
        sent(asked(user("x", part)), to(policy="error"))


def test_a_picture_of_an_answer_by_voice_is_its_words() -> None:
    """What a model said aloud before is repeated in writing."""
    body = sent(asked(user("Hi"), assistant(Audio(None, "wav", "Hello!", "a1")), user("Again")))
    assert body["messages"][1] == {"role": "assistant", "content": "Hello!"}


def test_only_own_seals_go_back() -> None:
    """Thinking that Claude signed is sent unchanged; that of others is left out without a word."""
    target = to()
    body = sent(
        asked(
            user("Hi"),
            assistant(
                Thinking("mine", Signature("anthropic", "sig")),
                Thinking(sealed=Signature("anthropic", "enc")),
                Thinking("theirs", Signature("gemini", "sig")),
                Thinking(sealed=Signature("openai.responses", "enc")),
                Thinking("unsigned"),
                "Hello",
            ),
            user("Go"),
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
    body = sent(asked(user("Hi"), assistant(Text("Hi", (Citation("https://x.test"),))), user("Go")))
    assert body["messages"][1] == {"role": "assistant", "content": "Hi"}
