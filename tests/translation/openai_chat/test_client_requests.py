"""Requests of chat completions clients in the pivot."""

from __future__ import annotations

from typing import Any, cast

import pytest

from penstock.core.chat import (
    ChatRequest,
    FunctionTool,
    OpaqueTool,
    ToolChoice,
)
from penstock.core.errors import ShapeError
from penstock.core.parts import (
    Audio,
    Document,
    Image,
    Inline,
    Refused,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from penstock.core.seals import into_id
from penstock.dialects.openai_chat.dialect import OpenaiChatDialect
from penstock.providers.openai_chat.api import OpenaiChatProvider
from tests.translation.replay import to

_PROVIDER, _CLIENT = OpenaiChatProvider(), OpenaiChatDialect()


_SEAL = Signature("anthropic", "c2VhbA==")


def _read(*messages: dict[str, Any], **fields: Any) -> ChatRequest:
    return _CLIENT.decode_request({"model": "m", "messages": list(messages), **fields}, "m", stream=False)


def test_seals_in_the_ids_of_tool_calls_are_thinking_again() -> None:
    """A client that sends back what it got sends back sealed thinking, though it never saw the seal."""
    carried = into_id("toolu_1", (Thinking("Hm.", _SEAL),), Signature("gemini", "sig"))
    request = _read(
        {
            "role": "assistant",
            "content": "So:",
            "reasoning_content": "Well. Hm.",
            "tool_calls": [{"id": carried, "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": carried, "content": "done"},
    )
    assert request.messages[0].parts == (
        Thinking("Well. "),
        Thinking("Hm.", _SEAL),
        Text("So:"),
        ToolCall("toolu_1", "f", "{}", signature=Signature("gemini", "sig")),
    )
    assert request.messages[1].parts == (ToolResult("toolu_1", content=(Text("done"),)),)


def test_a_clients_request_is_read_into_the_pivot() -> None:
    """Every known field has its place; several forms of the same thing mean the same."""
    request = _read(
        {"role": "user", "name": "ann", "content": [
            {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "high"}},
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBE", "filename": "a.pdf"}},
            {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
        ]},
        {"role": "assistant", "content": None, "refusal": "No."},
        max_tokens=3,
        stop="x",
        tool_choice={"type": "function", "function": {"name": "f"}},
        tools=[{"type": "function", "function": {"name": "f", "strict": True}}],
        response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": {}, "strict": True}},
        reasoning={"max_tokens": 100, "exclude": True},
        web_search_options={"search_context_size": "low"},
    )  # fmt: skip
    first, second = request.messages
    assert first.name == "ann"
    assert [type(part) for part in first.parts] == [Text, Image, Document, Audio]
    assert first.parts[0].cache.ttl_s == 3600  # type: ignore[union-attr]
    assert first.parts[1].source == Inline("image/png", "AAAA")  # type: ignore[union-attr]
    assert second.parts == (Refused("No."),)
    assert (request.max_output_tokens, request.stop) == (3, ("x",))
    assert request.tool_choice == ToolChoice("named", "f")
    assert isinstance(request.tools[0], FunctionTool)
    assert request.tools[0].strict is True
    assert isinstance(request.tools[1], OpaqueTool)
    assert request.output is not None
    assert (request.output.kind, request.output.strict) == ("schema", True)
    assert request.reasoning is not None
    assert request.reasoning.budget_tokens == 100


def test_functions_of_before_tools_are_tools() -> None:
    """`functions`, `function_call` and the role function are calls and results with an id of their own."""
    request = _read(
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "1"},
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
        functions=[{"name": "f", "parameters": {}}],
        function_call={"name": "f"},
    )
    call, result = request.messages[0].parts[0], request.messages[1].parts[0]
    assert isinstance(call, ToolCall)
    assert isinstance(result, ToolResult)
    assert call.id == result.call_id != ""
    again = request.messages[2].parts[0]
    assert isinstance(again, ToolCall)
    assert again.id != call.id
    assert request.tool_choice is not None
    assert request.tool_choice.name == "f"


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "messages"),
        ({"messages": [{"content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "robot"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
        ({"messages": [], "temperature": "hot"}, "temperature"),
        ({"messages": [], "tools": [{"type": "function"}]}, "tools[0].function"),
        ({"messages": [], "stop": [1]}, "stop"),
    ],
)
def test_a_clients_mistake_is_named(body: dict[str, Any], where: str) -> None:
    """The error says which field is wrong."""
    with pytest.raises(ShapeError) as raised:
        _CLIENT.decode_request(body, "m", stream=False)
    assert raised.value.where == where


def test_a_change_in_the_pivot_changes_the_request() -> None:
    """Nothing that the pivot knows is shadowed by what was kept of the original."""
    body = {
        "model": "m",
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "old", "x": 1}]},
            {"role": "assistant", "content": "old", "reasoning": "old", "tool_calls": [
                {"id": "old", "index": 0, "type": "function", "function": {"name": "old", "arguments": "old"}},
            ]},
            {"role": "tool", "tool_call_id": "old", "content": "old"},
        ],
        "user": "old",
        "stop": "old",
        "tools": [{"type": "function", "function": {"name": "old", "x": 1}}],
        "tool_choice": {"type": "function", "function": {"name": "old"}},
        "reasoning_effort": "low",
    }  # fmt: skip
    request = _CLIENT.decode_request(body, "m", stream=False)
    text = str(_PROVIDER.encode_request(_renamed(request), to()))
    assert "old" not in text
    assert text.count("new") == 12


def _renamed(value: Any) -> Any:
    """The request with `new` for every `old` in fields of the pivot; extras are left alone."""
    if value == "old":
        return "new"
    if isinstance(value, tuple):
        return tuple([_renamed(each) for each in cast("tuple[Any, ...]", value)])
    fields = getattr(value, "__struct_fields__", None)
    if fields is None or type(value).__name__ == "Extras":
        return value
    return type(value)(**{name: _renamed(getattr(value, name)) for name in fields})
