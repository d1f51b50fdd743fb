"""Requests of Anthropic's own clients: read into the pivot, and written again as they were said."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from penstock.core.chat import FunctionTool, Message, OpaqueTool, OutputFormat, Reasoning, ToolChoice
from penstock.core.errors import ShapeError
from penstock.core.parts import (
    CacheHint,
    Citation,
    Document,
    Extras,
    FileRef,
    Image,
    Inline,
    Link,
    Opaque,
    Part,
    Plain,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from penstock.core.seals import into_id, wrap
from penstock.dialects.anthropic.decode import has_foreign_seals
from penstock.shapes.anthropic import NO_SEAL, SHAPE
from tests.translation.anthropic.speaking import again, read
from tests.translation.recordings import difference


def _user_part(block: dict[str, Any]) -> Part:
    (part,) = read(messages=[{"role": "user", "content": [block]}]).messages[0].parts
    return part


def _bare(part: Part) -> Part:
    """The part without what only this shape knows."""
    return part if isinstance(part, Opaque) else replace(part, extras=None)


_PLACE = {"type": "char_location", "start_char_index": 0, "end_char_index": 3}


@pytest.mark.parametrize(
    ("block", "part"),
    [
        ({"type": "text", "text": "Hi", "new": 1}, Text("Hi")),
        (
            {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral", "ttl": "1h", "scope": "x"}},
            Text("Hi", cache=CacheHint(3600, Extras(SHAPE, {"scope": "x"}))),
        ),
        (
            {
                "type": "text",
                "text": "Hi",
                "citations": [{**_PLACE, "cited_text": "abc", "document_index": 0, "document_title": "T"}],
            },
            Text("Hi", (Citation("", "T", "abc", document=0, extras=Extras(SHAPE, _PLACE)),)),
        ),
        (
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}, "q": 1},
            Image(Inline("image/png", "AA")),
        ),
        ({"type": "image", "source": {"type": "url", "url": "https://x.test"}}, Image(Link("https://x.test"))),
        ({"type": "image", "source": {"type": "file", "file_id": "f", "x": 1}}, Image(FileRef("f"))),
        (
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "words"},
                "title": "T",
                "context": None,
                "citations": {"enabled": True},
            },
            Document(Plain("words"), title="T", citable=True),
        ),
        (
            {
                "type": "document",
                "source": {
                    "type": "content",
                    "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
                },
                "citations": {"enabled": False},
            },
            Document(Plain("a\nb")),
        ),
        ({"type": "document", "source": {"type": "content", "content": "a"}}, Document(Plain("a"))),
        (
            {
                "type": "search_result",
                "source": "https://x.test",
                "title": "T",
                "content": [{"type": "text", "text": "found"}],
                "citations": {"enabled": True},
            },
            Document(Plain("found"), title="T", citable=True),
        ),
        ({"type": "tool_use", "id": "a", "name": "f", "input": {"n": 1.0}}, ToolCall("a", "f", '{"n":1.0}')),
        ({"type": "tool_use", "id": "a", "name": "f", "input": {}, "caller": {}}, ToolCall("a", "f", "{}")),
        ({"type": "tool_result", "tool_use_id": "a"}, ToolResult("a")),
        ({"type": "tool_result", "tool_use_id": "a", "content": []}, ToolResult("a")),
        (
            {"type": "tool_result", "tool_use_id": "a", "content": "r", "is_error": False},
            ToolResult("a", content=(Text("r"),), is_error=False),
        ),
        (
            {
                "type": "tool_result",
                "tool_use_id": "a",
                "content": [
                    {"type": "text", "text": "r"},
                    {"type": "image", "source": {"type": "url", "url": "https://x.test"}},
                    {"type": "tool_reference", "tool_name": "f"},
                ],
            },
            ToolResult(
                "a",
                content=(
                    Text("r"),
                    Image(Link("https://x.test")),
                    Opaque(SHAPE, {"type": "tool_reference", "tool_name": "f"}),
                ),
            ),
        ),
        (
            {"type": "thinking", "thinking": "hm", "signature": "s"},
            Thinking("hm", Signature("anthropic", "s")),
        ),
        ({"type": "thinking", "thinking": "hm", "signature": ""}, Thinking("hm")),
        ({"type": "redacted_thinking", "data": "e"}, Thinking(sealed=Signature("anthropic", "e"))),
        (
            {"type": "container_upload", "file_id": "f"},
            Opaque(SHAPE, {"type": "container_upload", "file_id": "f"}),
        ),
        ({"type": "not_known_yet", "x": [1]}, Opaque(SHAPE, {"type": "not_known_yet", "x": [1]})),
    ],
)
def test_each_block_is_read_and_written(block: dict[str, Any], part: Part) -> None:
    """Every kind of content has its part, and comes back with all that it had."""
    found = _user_part(block)
    assert _bare(found) == _bare(part)
    body = again(read(messages=[{"role": "user", "content": [block]}]))
    assert difference(body["messages"][0]["content"], [block]) == ""


@pytest.mark.parametrize(
    ("members", "fields"),
    [
        (
            {"thinking": {"type": "adaptive", "display": "summarized"}},
            {"reasoning": Reasoning(enabled=True, summary="auto")},
        ),
        (
            {
                "thinking": {"type": "enabled", "budget_tokens": 2000},
                "output_config": {"effort": "low", "task_budget": {}},
            },
            {"reasoning": Reasoning("low", 2000, enabled=True)},
        ),
        ({"thinking": {"type": "disabled"}}, {"reasoning": Reasoning(enabled=False)}),
        (
            {"thinking": {"type": "between_tools"}},
            {"reasoning": Reasoning(enabled=False, extras=Extras(SHAPE, {"type": "between_tools"}))},
        ),
        ({"thinking": {"type": "not_known_yet"}}, {"reasoning": None}),
        (
            {
                "output_config": {
                    "format": {"type": "json_schema", "schema": {"type": "object"}},
                    "effort": None,
                }
            },
            {"output": OutputFormat("schema", {"type": "object"}), "reasoning": None},
        ),
        (
            {"output_format": {"type": "json_schema", "schema": {"type": "object"}}},
            {
                "output": OutputFormat(
                    "schema", {"type": "object"}, extras=Extras(SHAPE, {"~place": "output_format"})
                )
            },
        ),
        (
            {"tools": [{"name": "f", "input_schema": {"type": "object"}}], "tool_choice": {"type": "any"}},
            {"tool_choice": ToolChoice("required"), "tools": (FunctionTool("f", None, {"type": "object"}),)},
        ),
        (
            {"tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": False}},
            {"tool_choice": ToolChoice("named", "f"), "parallel_tool_calls": True},
        ),
        (
            {"tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 2}]},
            {
                "tools": (
                    OpaqueTool(SHAPE, {"type": "web_search_20250305", "name": "web_search", "max_uses": 2}),
                )
            },
        ),
        ({"tools": [], "stop_sequences": [], "stream": False, "metadata": {}}, {"tools": (), "stop": ()}),
        ({"stop_sequences": ["a"], "top_k": 3, "top_p": 1, "temperature": 0.5}, {"stop": ("a",), "top_k": 3}),
        (
            {"metadata": {"user_id": "u", "x": 1}, "service_tier": "standard_only"},
            {"user": "u", "service_tier": "default"},
        ),
        (
            {"service_tier": "later", "container": "c", "context_management": {"edits": []}},
            {"service_tier": None},
        ),
        ({"system": []}, {}),
        ({"mcp_servers": [{"type": "url", "url": "https://x.test", "name": "n"}], "cache_control": None}, {}),
    ],
)
def test_each_field_is_read_and_written(members: dict[str, Any], fields: dict[str, Any]) -> None:
    """What the pivot knows is in it; everything comes back as it was said."""
    request = read(**members)
    assert {name: getattr(request, name) for name in fields} == fields
    expected = {"model": "claude", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}], **members}
    assert difference(again(request), expected) == ""


def test_system_as_text_and_as_blocks() -> None:
    """The `system` member is the first message; its form is remembered, and so is a later message's place."""
    later = [{"role": "user", "content": "Hi"}, {"role": "system", "content": [{"type": "text", "text": "Go"}]}]
    for system in (
        "Be brief.",
        [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    ):
        request = read(system=system, messages=later)
        assert [each.role for each in request.messages] == ["system", "user", "system"]
        assert request.messages[0].parts[0] == Text(
            "Be brief.", cache=None if isinstance(system, str) else CacheHint()
        )
        body = again(request)
        assert (body["system"], body["messages"]) == (system, later)


def test_what_travelled_in_an_id_is_found() -> None:
    """Another vendor's thinking and seal come back from the id of a call; the result has the call's own id."""
    seal = Signature("gemini", "sig")
    carried = into_id("a", (Thinking("hm", seal),), seal)
    request = read(
        messages=[
            {"role": "assistant", "content": [{"type": "tool_use", "id": carried, "name": "f", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": carried}]},
        ]
    )
    assert request.messages[0].parts == (Thinking("hm", seal), ToolCall("a", "f", "{}", signature=seal))
    assert request.messages[1].parts == (ToolResult("a"),)


def test_other_vendors_seals_are_read_from_thinking_blocks() -> None:
    """A wrapped signature names its signer; the stand-in for none is none."""
    foreign = Signature("openai.responses", "enc")
    blocks = [
        {"type": "thinking", "thinking": "a", "signature": wrap(foreign, SHAPE)},
        {"type": "thinking", "thinking": "b", "signature": NO_SEAL},
        {"type": "redacted_thinking", "data": wrap(foreign, SHAPE)},
    ]
    request = read(messages=[{"role": "assistant", "content": blocks}])
    unsealed = Thinking("b", extras=Extras(SHAPE, {"~form": "unsealed"}))
    assert request.messages[0].parts == (Thinking("a", foreign), unsealed, Thinking(sealed=foreign))


def test_what_others_sealed_does_not_go_to_anthropic() -> None:
    """A client that changes from another vendor to Claude repeats that vendor's seals; Claude refuses them."""
    foreign = Signature("openai.responses", "enc")
    cited = {
        "type": "web_search_result_location",
        "url": "https://x.test",
        "cited_text": "",
        "encrypted_index": NO_SEAL,
    }
    carried = into_id("a", (Thinking("hm", foreign),), None)
    blocks: list[dict[str, Any]] = [
        {"type": "thinking", "thinking": "a", "signature": wrap(foreign, SHAPE)},
        {"type": "thinking", "thinking": "b", "signature": NO_SEAL},
        {"type": "redacted_thinking", "data": wrap(foreign, SHAPE)},
        {"type": "thinking", "thinking": "c", "signature": "claudes"},
        {"type": "text", "text": "Hi", "citations": [cited]},
        {"type": "tool_use", "id": carried, "name": "f", "input": {}},
    ]
    messages = [{"role": "assistant", "content": blocks[:3]}, {"role": "assistant", "content": blocks}]
    assert again(read(messages=messages))["messages"] == [
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "c", "signature": "claudes"},
                {"type": "text", "text": "Hi"},
                {"type": "tool_use", "id": "a", "name": "f", "input": {}},
            ],
        }
    ]
    assert [has_foreign_seals(json.dumps(each).encode()) for each in blocks] == [
        True,
        True,
        True,
        False,
        True,
        True,
    ]


def test_changes_in_the_pivot_reach_the_body() -> None:
    """What was kept for the same shape never hides what the pivot says now."""
    request = read(
        system="S",
        tools=[{"name": "f", "input_schema": {}, "type": "custom"}],
        thinking={"type": "enabled", "budget_tokens": 2000},
        output_config={"effort": "low"},
        messages=[{"role": "user", "content": "Hi"}],
        metadata={"user_id": "u"},
    )
    changed = replace(
        request,
        messages=(
            replace(request.messages[0], parts=(Text("T"),)),
            replace(request.messages[1], parts=(Text("Ho"), Text("again"))),
            Message("assistant", (Text("Yes"),)),
        ),
        tools=(replace(request.tools[0], name="g"),),
        reasoning=Reasoning("high", enabled=True),
        max_output_tokens=11,
        user="v",
        stream=True,
    )
    assert again(changed, "claude-other") == {
        "model": "claude-other",
        "max_tokens": 11,
        "stream": True,
        "system": "T",
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Ho"}, {"type": "text", "text": "again"}]},
            {"role": "assistant", "content": [{"type": "text", "text": "Yes"}]},
        ],
        "tools": [{"name": "g", "input_schema": {}, "type": "custom"}],
        "thinking": {"type": "adaptive"},
        "output_config": {"effort": "high"},
        "metadata": {"user_id": "v"},
    }


def test_changed_text_of_a_list_wins_over_the_list() -> None:
    """A search result whose text was redacted is written with the new text."""
    block = {
        "type": "search_result",
        "source": "s",
        "title": "T",
        "content": [{"type": "text", "text": "secret"}],
    }
    request = read(messages=[{"role": "user", "content": [block]}])
    (part,) = request.messages[0].parts
    assert isinstance(part, Document)
    redacted = replace(part, source=Plain("[hidden]"))
    body = again(replace(request, messages=(Message("user", (redacted,)),)))
    assert body["messages"][0]["content"] == [{**block, "content": [{"type": "text", "text": "[hidden]"}]}]


_MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"messages": None}, "messages"),
    ({"messages": ["x"]}, "messages[0]"),
    ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
    ({"messages": [{"role": "user"}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
    ({"messages": [{"role": "user", "content": [{"type": ["text"]}]}]}, "messages[0].content[0].type"),
    ({"max_tokens": "many"}, "max_tokens"),
    ({"tools": [{"input_schema": {}}]}, "tools[0].name"),
    ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
    ({"system": 3}, "system"),
]


@pytest.mark.parametrize(("members", "where"), _MISTAKES)
def test_a_mistake_is_named(members: dict[str, Any], where: str) -> None:
    """The client is told which field is wrong."""
    with pytest.raises(ShapeError) as caught:
        read(**members)
    assert caught.value.where == where
