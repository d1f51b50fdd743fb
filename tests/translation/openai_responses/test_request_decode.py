"""What a client of the Responses API says, in the pivot."""

from typing import Any

import pytest

from penstock.core.chat import FunctionTool, Message, OpaqueTool
from penstock.core.errors import ShapeError
from penstock.core.parts import (
    Audio,
    CacheHint,
    Document,
    FileRef,
    Image,
    Inline,
    Link,
    Opaque,
    Refused,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from penstock.core.seals import into_id, wrap
from penstock.shapes.openai_responses.names import SHAPE
from tests.translation.openai_responses.both_sides import got, sent


def _message(item: dict[str, object]) -> Message:
    (message,) = got({"input": [item]}).messages
    return message


def test_a_string_is_what_the_user_says_after_the_instructions() -> None:
    """Instructions are the first system message, a string as input is one user's text."""
    system, user = got({"model": "m", "instructions": "Be kind.", "input": "Hi"}).messages
    assert (system.role, [part.text for part in system.parts if isinstance(part, Text)]) == (
        "system",
        ["Be kind."],
    )
    assert (user.role, user.parts) == ("user", (Text("Hi"),))


def test_content_parts_are_read_by_their_kind() -> None:
    """Texts, pictures, files and sound have their sources, whatever way they came."""
    content = [
        {"type": "input_text", "text": "see", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"}},
        {"type": "input_image", "image_url": "https://pics.test/a.png", "detail": "low"},
        {"type": "input_image", "image_url": "data:image/gif;base64,R0lG", "file_id": None},
        {"type": "input_image", "file_id": "file-7"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"},
        {"type": "input_file", "filename": "b.csv", "file_data": "YTti"},
        {"type": "input_file", "file_url": "https://docs.test/c.pdf"},
        {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
        {"type": "input_smell", "grams": 3},
    ]
    parts = _message({"role": "user", "content": content}).parts
    text = parts[0]
    assert isinstance(text, Text)
    assert isinstance(text.cache, CacheHint)
    assert text.cache.ttl_s == 1800
    sources = [part.source for part in parts if isinstance(part, Image | Document | Audio)]
    assert sources == [
        Link("https://pics.test/a.png"),
        Inline("image/gif", "R0lG"),
        FileRef("file-7"),
        Inline("application/pdf", "JVBE"),
        Inline("text/csv", "YTti"),
        Link("https://docs.test/c.pdf"),
        Inline("audio/wav", "UklG"),
    ]
    assert parts[-1] == Opaque(SHAPE, {"type": "input_smell", "grams": 3})


def test_calls_and_their_outputs_belong_together() -> None:
    """Function and free-text calls, and outputs that are text or content."""
    items = [
        {"type": "function_call", "call_id": "c1", "name": "add", "arguments": '{"a":1}', "id": "fc_1"},
        {"type": "custom_tool_call", "call_id": "c2", "name": "patch", "input": "*** go"},
        {"type": "function_call_output", "call_id": "c1", "output": "2"},
        {
            "type": "custom_tool_call_output",
            "call_id": "c2",
            "output": [{"type": "input_image", "image_url": "data:image/png;base64,AAAA"}],
        },
    ]
    messages = got({"input": items}).messages
    assert [message.role for message in messages] == ["assistant", "assistant", "tool", "tool"]
    one, two, first, second = [message.parts[0] for message in messages]
    assert isinstance(one, ToolCall)
    assert (one.id, one.name, one.arguments, one.type) == ("c1", "add", '{"a":1}', "function")
    assert isinstance(two, ToolCall)
    assert (two.arguments, two.type) == ("*** go", "custom")
    assert isinstance(first, ToolResult)
    assert first.content == (Text("2"),)
    assert isinstance(second, ToolResult)
    assert isinstance(second.content[0], Image)


def test_reasoning_has_text_and_a_seal() -> None:
    """Summaries and thoughts are one text; the vendor's seal seals thinking, a wrapped one is what it was."""
    item: dict[str, object] = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "One."}, {"type": "summary_text", "text": "Two."}],
        "content": [{"type": "reasoning_text", "text": "Three."}],
        "encrypted_content": "gAAA",
    }
    (own,) = _message(item).parts
    assert isinstance(own, Thinking)
    assert (own.text, own.id, own.sealed) == ("One.\n\nTwo.\n\nThree.", "rs_1", Signature(SHAPE, "gAAA"))
    for signer, field in (("anthropic", "signature"), ("anthropic~sealed", "sealed")):
        (part,) = _message({**item, "encrypted_content": wrap(Signature(signer, "xyz"), SHAPE)}).parts
        assert getattr(part, field) == Signature("anthropic", "xyz")


def test_thinking_that_travelled_in_a_calls_id_stands_before_the_call() -> None:
    """The call has its own id again, and so has its output."""
    carried = Thinking("so", signature=Signature("anthropic", "s"))
    call_id = into_id("call_9", (carried,), Signature("gemini", "g"))
    items = [
        {"type": "function_call", "call_id": call_id, "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": call_id, "output": ""},
    ]
    call, output = got({"input": items}).messages
    assert call.parts[0] == carried
    assert isinstance(call.parts[1], ToolCall)
    assert (call.parts[1].id, call.parts[1].signature) == ("call_9", Signature("gemini", "g"))
    assert isinstance(output.parts[0], ToolResult)
    assert output.parts[0].call_id == "call_9"


def test_a_calls_seal_that_stands_after_it_is_put_back() -> None:
    """An item of ours that seals the call before it becomes that call's signature."""
    seal = wrap(Signature("gemini~call", "g"), SHAPE)
    items: list[Any] = [
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "reasoning", "summary": [], "encrypted_content": seal},
        {"type": "function_call_output", "call_id": "c", "output": "ok"},
    ]
    call, _ = got({"input": items}).messages
    assert isinstance(call.parts[0], ToolCall)
    assert call.parts[0].signature == Signature("gemini", "g")


def test_items_of_built_in_tools_are_kept_whole() -> None:
    """What only this API knows is opaque, and stands in the turn of whoever said it."""
    items: list[dict[str, object]] = [
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}},
        {"type": "shell_call_output", "call_id": "s", "output": []},
        {"type": "item_reference", "id": "msg_1"},
        {"id": "msg_2"},
        {"role": "critic", "content": "meh"},
    ]
    messages = got({"input": items}).messages
    assert [message.parts for message in messages] == [(Opaque(SHAPE, item),) for item in items]
    assert [message.role for message in messages] == [
        "assistant",
        "user",
        "assistant",
        "assistant",
        "assistant",
    ]


def test_an_earlier_answer_is_read_with_its_refusal_and_its_sources() -> None:
    """Output items may be sent back as they came."""
    annotation = {
        "type": "url_citation",
        "url": "https://a.test",
        "title": "A",
        "start_index": 0,
        "end_index": 2,
    }
    content = [
        {"type": "output_text", "text": "ok", "annotations": [annotation]},
        {"type": "refusal", "refusal": "no"},
    ]
    text, refusal = _message({"type": "message", "id": "msg_1", "role": "assistant", "content": content}).parts
    assert isinstance(text, Text)
    assert (text.citations[0].url, text.citations[0].title, text.citations[0].end) == ("https://a.test", "A", 2)
    assert isinstance(refusal, Refused)
    assert refusal.text == "no"


def test_parameters_are_read() -> None:
    """Every parameter that other APIs have too stands in its field."""
    request = got(
        {
            "model": "m",
            "input": "x",
            "max_output_tokens": 9,
            "temperature": 0.5,
            "top_p": 0.9,
            "top_logprobs": 3,
            "include": ["message.output_text.logprobs"],
            "parallel_tool_calls": False,
            "reasoning": {"effort": "low", "summary": "auto"},
            "text": {
                "format": {"type": "json_schema", "name": "n", "schema": {}, "strict": True},
                "verbosity": "low",
            },
            "service_tier": "flex",
            "user": "u",
            "metadata": {"k": "v"},
            "prompt_cache_key": "p",
            "store": False,
            "previous_response_id": "resp_1",
            "stream": True,
            "truncation": "auto",
        }
    )
    assert (request.max_output_tokens, request.temperature, request.top_p) == (9, 0.5, 0.9)
    assert (request.logprobs, request.top_logprobs, request.parallel_tool_calls) == (True, 3, False)
    assert request.reasoning is not None
    assert (request.reasoning.effort, request.reasoning.summary) == ("low", "auto")
    assert request.output is not None
    assert (request.output.kind, request.output.schema, request.output.name) == ("schema", {}, "n")
    assert request.output.strict is True
    assert (request.verbosity, request.service_tier, request.user, request.cache_key) == (
        "low",
        "flex",
        "u",
        "p",
    )
    assert (request.store, request.previous_response_id, request.stream) == (False, "resp_1", True)
    assert request.metadata == {"k": "v"}
    assert request.extras is not None
    assert request.extras.fields["truncation"] == "auto"


def test_tools_and_choices_are_read() -> None:
    """Own tools are tools, built-in ones opaque; a set of allowed tools keeps its mode."""
    tools = [
        {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}, "strict": True},
        {"type": "custom", "name": "p", "format": {"type": "text"}},
        {"type": "web_search"},
    ]
    request = got({"input": "x", "tools": tools, "tool_choice": "required"})
    function, custom, search = request.tools
    assert isinstance(function, FunctionTool)
    assert (function.name, function.strict, function.type) == ("f", True, "function")
    assert isinstance(custom, FunctionTool)
    assert custom.type == "custom"
    assert search == OpaqueTool(SHAPE, {"type": "web_search"})
    choices: list[Any] = [
        ("none", "none", ""),
        ({"type": "function", "name": "f"}, "named", "f"),
        ({"type": "allowed_tools", "mode": "auto", "tools": []}, "auto", ""),
        ({"type": "file_search"}, "required", ""),
    ]
    for written, mode, name in choices:
        body = {"input": "x", "tools": tools, "tool_choice": written}
        choice = got(body).tool_choice
        assert choice is not None
        assert (choice.mode, choice.name) == (mode, name)
        assert sent(got(body))[0]["tool_choice"] == written


_WRONG: list[tuple[dict[str, Any], str]] = [
    ({"input": 3}, "input"),
    ({"input": ["x"]}, r"input\[0\]"),
    ({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}, r"input\[0\].content\[0\].text"),
    ({"input": [{"role": "user", "content": 1}]}, "content"),
    ({"input": [{"type": "function_call", "name": "f"}]}, "call_id"),
    ({"input": [{"type": "function_call_output", "call_id": "c", "output": {}}]}, "output"),
    ({"input": "", "tools": [{"type": "function"}]}, r"tools\[0\].name"),
    ({"input": "", "tool_choice": "maybe"}, "tool_choice"),
    ({"input": "", "text": {"format": "json"}}, "text.format"),
    ({"input": "", "temperature": "hot"}, "temperature"),
    ({"input": "", "metadata": {"a": 1}}, "metadata"),
    ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": {}}]}]}, "image_url"),
]


@pytest.mark.parametrize(("body", "where"), _WRONG)
def test_a_field_of_the_wrong_type_is_named(body: dict[str, Any], where: str) -> None:
    """The client is told which field is wrong."""
    with pytest.raises(ShapeError, match=where):
        got(body)
