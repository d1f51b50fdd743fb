"""Requests of Google's clients become conversations in no vendor's words."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from penstock.core.chat import ChatRequest, FunctionTool, OpaqueTool, Reasoning, ToolChoice
from penstock.core.errors import ShapeError
from penstock.core.parts import (
    Audio,
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
from penstock.core.seals import Carried, into_id, wrap
from penstock.shapes.gemini.seals import sealed_text
from tests.translation.gemini.replay import DIALECT, PROVIDER, to


def _decode(body: dict[str, Any]) -> ChatRequest:
    return DIALECT.decode_request(body, "m", stream=False)


def _parts(*parts: dict[str, Any], role: str = "user") -> Any:
    request = _decode({"contents": [{"role": role, "parts": list(parts)}]})
    return [
        replace(each, extras=None) if hasattr(each, "extras") else each for each in request.messages[0].parts
    ]


BOTH: dict[str, Any] = {
    "system_instruction": "Be brief.",
    "contents": {"role": "user", "parts": {"text": "hi"}},
    "generation_config": {
        "max_output_tokens": 5,
        "temperature": 1,
        "topK": 40.0,
        "stop_sequences": ["a"],
        "response_mime_type": "application/json",
        "response_schema": {"type": "OBJECT", "properties": {"a": {"type": "STRING", "nullable": True}}},
        "thinking_config": {"thinking_level": "HIGH", "include_thoughts": True},
        "speechConfig": {"voiceConfig": {}},
    },
    "tool_config": {"function_calling_config": {"mode": "any", "allowed_function_names": ["f"]}},
    "tools": [
        {"function_declarations": [{"name": "f", "parameters": {"type": "OBJECT"}}], "google_search": {}},
        {"codeExecution": {}},
    ],
    "safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
    "service_tier": "flex",
    "labels": {"team": "a"},
    "cachedContent": "cachedContents/1",
}


def test_either_spelling_is_read_and_given_back() -> None:
    """Snake case, camel case, single objects for lists and a string for the instruction mean the same."""
    request = _decode(BOTH)
    assert [each.role for each in request.messages] == ["system", "user"]
    assert request.messages[0].parts == (Text("Be brief."),)
    assert (request.max_output_tokens, request.temperature, request.top_k) == (5, 1, 40)
    assert request.stop == ("a",)
    assert request.service_tier == "flex"
    assert request.metadata == {"team": "a"}
    assert request.output is not None
    assert request.output.schema == {"type": "object", "properties": {"a": {"type": ["string", "null"]}}}
    assert request.reasoning is not None
    assert (request.reasoning.effort, request.reasoning.summary) == ("high", "auto")
    assert request.tool_choice is not None
    assert replace(request.tool_choice, extras=None) == ToolChoice("named", "f")
    function, search, code = request.tools
    assert isinstance(function, FunctionTool)
    assert function.parameters == {"type": "object"}
    assert isinstance(search, OpaqueTool)
    assert search.value["google_search"] == {}
    assert code == OpaqueTool("gemini", {"codeExecution": {}})
    assert PROVIDER.encode_request(request, to()) == BOTH


def test_media_are_told_apart_by_their_type() -> None:
    """A picture, sound, a film, a document, plain text, an uploaded file."""
    assert _parts(
        {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
        {"inline_data": {"mime_type": "audio/wav", "data": "BBBB"}},
        {"fileData": {"fileUri": "https://youtu.be/1"}},
        {"fileData": {"fileUri": "gs://b/x.pdf", "mimeType": "application/pdf"}},
        {"inlineData": {"mimeType": "text/plain", "data": "aGk="}},
        {
            "fileData": {
                "fileUri": "https://generativelanguage.googleapis.com/v1beta/files/1",
                "mimeType": "image/png",
            }
        },
    ) == [
        Image(Inline("image/png", "AAAA")),
        Audio(Inline("audio/wav", "BBBB"), "wav"),
        Video(Link("https://youtu.be/1")),
        Document(Link("gs://b/x.pdf", "application/pdf")),
        Document(Plain("hi")),
        Image(FileRef("https://generativelanguage.googleapis.com/v1beta/files/1", "image/png")),
    ]


def test_calls_without_ids_get_the_same_ones_as_their_responses() -> None:
    """Google names functions only; the first response of a name answers its first open call."""
    body = {
        "contents": [
            {
                "role": "model",
                "parts": [
                    {"functionCall": {"name": "f", "args": {"n": 1}}},
                    {"functionCall": {"name": "f", "args": {"n": 2}}},
                ],
            },
            {
                "role": "function",
                "parts": [
                    {"functionResponse": {"name": "f", "response": {"output": "one"}}},
                    {"functionResponse": {"name": "f", "response": {"error": "two"}}},
                ],
            },
        ]
    }
    request = _decode(body)
    calls, results = request.messages[0].parts, request.messages[1].parts
    assert request.messages[1].role == "tool"
    ids = [each.id for each in calls if isinstance(each, ToolCall)]
    assert len(set(ids)) == 2
    assert [each.call_id for each in results if isinstance(each, ToolResult)] == ids
    assert [(each.content, each.is_error) for each in results if isinstance(each, ToolResult)] == [
        ((Text("one"),), None),
        ((Text("two"),), True),
    ]
    assert _decode(body) == request
    assert PROVIDER.encode_request(request, to()) == body


def test_a_response_is_its_value_its_text_and_its_media() -> None:
    """Whatever the function gave can be shown to another vendor."""
    body = {"name": "f", "id": "1"}
    picture = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    image = Image(Inline("image/png", "AAAA"))
    rows: list[tuple[dict[str, Any], ToolResult]] = [
        ({"response": {"a": 1}}, ToolResult("1", "f", value={"a": 1})),
        ({"response": {"result": [1]}}, ToolResult("1", "f", value=[1])),
        ({"response": {"result": "x"}, "parts": [picture]}, ToolResult("1", "f", (Text("x"), image))),
        ({"response": {}, "parts": [picture]}, ToolResult("1", "f", (image,))),
        ({"response": {"a": 1}, "parts": [picture]}, ToolResult("1", "f", (Text('{"a":1}'), image))),
    ]
    for fields, expected in rows:
        part = {"functionResponse": {**body, **fields}}
        assert _parts(part) == [expected]
        whole = {"contents": [{"role": "user", "parts": [part]}]}
        assert PROVIDER.encode_request(_decode(whole), to()) == whole


def test_seals_of_another_vendor_come_back_from_a_signature() -> None:
    """Thinking that travelled in a signature replaces the thoughts that were shown of it."""
    thinking = Thinking("all of it", Signature("anthropic", "sig"))
    seal = sealed_text((thinking,), None)
    assert seal is not None
    url_safe = seal.replace("+", "-").replace("/", "_")
    for text in (seal, url_safe):
        parts = _parts(
            {"text": "all of", "thought": True},
            {"functionCall": {"name": "f", "id": "1"}, "thoughtSignature": text},
            role="model",
        )
        assert parts == [thinking, ToolCall("1", "f")]
    assert _parts({"text": "x", "thoughtSignature": wrap(Signature("mistral", "s"), "gemini")}) == [
        Text("x", signature=Signature("mistral", "s"))
    ]


def test_seals_in_the_id_of_a_call_are_read_too() -> None:
    """A conversation may have begun in a dialect without a field for seals."""
    thinking = Thinking("deep", Signature("anthropic", "sig"))
    carrying = into_id("c1", (thinking,), Signature("gemini", "own"))
    request = _decode(
        {
            "contents": [
                {"role": "model", "parts": [{"functionCall": {"name": "f", "id": carrying}}]},
                {
                    "role": "user",
                    "parts": [{"functionResponse": {"name": "f", "id": carrying, "response": {}}}],
                },
            ]
        }
    )
    call = request.messages[0].parts[1]
    assert request.messages[0].parts[0] == thinking
    assert isinstance(call, ToolCall)
    assert (call.id, call.signature) == ("c1", Signature("gemini", "own"))
    result = request.messages[1].parts[0]
    assert isinstance(result, ToolResult)
    assert result.call_id == "c1"
    assert Carried().thinking == ()


def test_what_only_google_understands_is_kept_whole() -> None:
    """Code that ran at Google, its searches, and parts that nobody knows yet."""
    parts = [
        {"executableCode": {"language": "PYTHON", "code": "1+1"}, "thoughtSignature": "AAA"},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "2"}},
        {"toolCall": {"id": "1", "tool_type": "GOOGLE_SEARCH_WEB"}},
        {"somethingNew": {"a": [1]}},
        {},
    ]
    assert _parts(*parts, role="model") == [Opaque("gemini", each) for each in parts]


def test_budgets_of_thinking_say_yes_no_or_how_much() -> None:
    """Zero is off, minus one is as much as the model wants."""
    for budget, expected in ((0, Reasoning(budget_tokens=0, enabled=False)), (-1, Reasoning(enabled=True))):
        body: dict[str, Any] = {
            "contents": [],
            "generationConfig": {"thinkingConfig": {"thinkingBudget": budget}},
        }
        request = _decode(body)
        assert request.reasoning is not None
        assert replace(request.reasoning, extras=None) == expected
        assert PROVIDER.encode_request(request, to()) == body


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"contents": "hi"}, "contents"),
        ({"contents": [{"parts": [{"text": 5}]}]}, "contents[0].parts[0].text"),
        ({"contents": [], "generationConfig": {"temperature": "hot"}}, "generationConfig.temperature"),
        ({"contents": [], "tools": [{"functionDeclarations": [3]}]}, "tools[0].functionDeclarations[0]"),
        ({"contents": [], "generationConfig": {"~config": 1}}, "generationConfig.~config"),
    ],
)
def test_a_wrong_type_is_named(body: dict[str, Any], where: str) -> None:
    """The client learns which field it is."""
    with pytest.raises(ShapeError) as caught:
        _decode(body)
    assert caught.value.where == where
