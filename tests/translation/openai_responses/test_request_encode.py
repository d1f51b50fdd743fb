"""Conversations of other dialects as a vendor's Responses API gets them."""

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
from penstock.core.losses import UnsupportedError
from penstock.core.parts import (
    Audio,
    Document,
    Extras,
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
from penstock.core.profile import Profile
from tests.translation.openai_responses.both_sides import got, sent


def _input(*messages: Message) -> list[dict[str, object]]:
    return sent(ChatRequest(model="m", messages=messages))[0]["input"]


def _user(*parts: Part) -> Message:
    return Message("user", parts)


def test_leading_system_messages_are_the_instructions() -> None:
    """Where the conversation begins with them they are instructions; later ones stay where they stand."""
    body, warning = sent(
        ChatRequest(
            model="m",
            messages=(
                Message("system", (Text("Short."), Text("Plain."))),
                Message("developer", (Text("Metric."),)),
                _user(Text("Hi")),
                Message("system", (Text("New rule."),)),
            ),
        )
    )
    assert body["instructions"] == "Short.\n\nPlain.\n\nMetric."
    assert body["input"] == [{"role": "user", "content": "Hi"}, {"role": "system", "content": "New rule."}]
    assert warning == ""


def test_media_are_content_parts() -> None:
    """Pictures and files by address and in line, a plain text as text."""
    (item,) = _input(
        _user(
            Text("See"),
            Image(Link("https://p.test/a.png"), "high"),
            Image(Inline("image/png", "AAAA")),
            Document(Inline("application/pdf", "JVBE"), title="Report"),
            Document(Link("https://p.test/b.pdf")),
            Document(Plain("Once."), title="Tale"),
        )
    )
    assert item["content"] == [
        {"type": "input_text", "text": "See"},
        {"type": "input_image", "image_url": "https://p.test/a.png", "detail": "high"},
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"},
        {"type": "input_file", "filename": "Report.pdf", "file_data": "data:application/pdf;base64,JVBE"},
        {"type": "input_file", "file_url": "https://p.test/b.pdf"},
        {"type": "input_text", "text": "Tale\n\nOnce."},
    ]


def test_what_cannot_be_sent_is_noted() -> None:
    """Sound and moving pictures have no place, nor has a picture in a bucket."""
    parts = (
        Audio(Inline("audio/wav", "UklG"), "wav"),
        Video(Link("https://v.test")),
        Image(Link("gs://b/a.png")),
    )
    body, warning = sent(ChatRequest(model="m", messages=(_user(Text("?"), *parts),)))
    assert body["input"] == [{"role": "user", "content": "?"}]
    assert warning == "dropped=audio,video,image.link"


def test_calls_and_results_are_items_of_their_own() -> None:
    """Parallel and free-text calls, and results in whichever message they stand, in order."""
    items = _input(
        Message(
            "assistant", (Text("Let me see."), ToolCall("c1", "f", "{}"), ToolCall("c2", "p", "go", "custom"))
        ),
        Message("tool", (ToolResult("c1", content=(Text("1"),)),)),
        _user(ToolResult("c2", content=(Text("2"), Image(Inline("image/png", "AAAA")))), Text("Next")),
        Message("tool", (ToolResult("c3", value={"a": [1]}),)),
        Message("tool", (ToolResult("c4"),)),
    )
    image = {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"}
    assert items == [
        {"role": "assistant", "content": "Let me see."},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "c2", "name": "p", "input": "go"},
        {"type": "function_call_output", "call_id": "c1", "output": "1"},
        {
            "type": "custom_tool_call_output",
            "call_id": "c2",
            "output": [{"type": "input_text", "text": "2"}, image],
        },
        {"role": "user", "content": "Next"},
        {"type": "function_call_output", "call_id": "c3", "output": '{"a":[1]}'},
        {"type": "function_call_output", "call_id": "c4", "output": ""},
    ]


def test_only_the_vendors_own_thinking_is_sent() -> None:
    """Foreign and unsealed thinking is left out, silently; a seal of this API goes back as it came."""
    body, warning = sent(
        ChatRequest(
            model="m",
            messages=(
                _user(Text("?")),
                Message(
                    "assistant",
                    (
                        Thinking("a", signature=Signature("anthropic", "x")),
                        Thinking("b"),
                        Thinking("c", sealed=Signature("openai.responses", "gAAA"), id="rs_1"),
                        Text("!"),
                    ),
                ),
            ),
        )
    )
    assert body["input"][1:] == [
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "c"}],
            "encrypted_content": "gAAA",
        },
        {"role": "assistant", "content": "!"},
    ]
    assert warning == ""


def test_ids_that_the_gateway_made_do_not_reach_the_vendor() -> None:
    """An answer that another vendor gave comes back with our ids, which this vendor would look up in vain."""
    items: list[Any] = [
        {
            "type": "reasoning",
            "id": "rs_penstock1",
            "summary": [],
            "encrypted_content": "cGVuc3RvY2sxOmFudGhyb3BpYzp4",
        },
        {"type": "message", "id": "msg_penstock2", "role": "assistant", "content": "ok"},
        {"type": "function_call", "id": "fc_penstock3", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "image_generation_call", "id": "ig_penstock4", "status": "completed", "result": "AAAA"},
    ]
    body, warning = sent(got({"input": items}))
    assert warning == "dropped=image"
    assert body["input"] == [
        {"type": "message", "role": "assistant", "content": "ok"},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    ]


def test_what_is_too_long_for_the_api_is_made_short() -> None:
    """A call and its result keep the same id; users and keys stay distinct; empty arguments are an object."""
    long = "x" * 65
    body, warning = sent(
        ChatRequest(
            model="m",
            messages=(
                _user(Text("?")),
                Message("assistant", (ToolCall(long, "f"),)),
                Message("tool", (ToolResult(long, content=(Text("1"),)),)),
            ),
            user=long,
            cache_key=long,
            metadata={"a": "b", long: "c"},
        )
    )
    _, call, result = body["input"]
    assert call["call_id"] == result["call_id"]
    assert call["arguments"] == "{}"
    assert all(len(each) <= 64 for each in (call["call_id"], body["user"], body["prompt_cache_key"]))
    assert (body["metadata"], warning) == ({"a": "b"}, "")


def test_odd_messages_make_valid_input() -> None:
    """Empty content, refusals, several texts, parts of another vendor's tools."""
    items = _input(
        _user(),
        Message("assistant"),
        Message("assistant", (Refused("no"),)),
        Message("assistant", (Text("a"), Text("b"))),
        _user(Opaque("anthropic", {"type": "server_tool_use"})),
    )
    assert items == [
        {"role": "user", "content": ""},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
        {
            "role": "assistant",
            "content": [
                {"type": "output_text", "text": "a", "annotations": []},
                {"type": "output_text", "text": "b", "annotations": []},
            ],
        },
    ]


_SENT: dict[str, Any] = {
    "model": "gpt-5.2",
    "input": [{"role": "user", "content": "?"}],
    "tools": [
        {
            "type": "function",
            "name": "f",
            "description": "d",
            "parameters": {"type": "object"},
            "strict": False,
        },
        {"type": "custom", "name": "p"},
        {
            "type": "function",
            "name": "g",
            "parameters": {"type": "object", "properties": {}},
            "strict": False,
        },
    ],
    "tool_choice": {"type": "custom", "name": "p"},
    "parallel_tool_calls": False,
    "text": {
        "format": {
            "type": "json_schema",
            "name": "my_answer",
            "schema": {"type": "object"},
            "strict": True,
        },
        "verbosity": "high",
    },
    "reasoning": {"effort": "none"},
    "max_output_tokens": 64,
    "temperature": 0.2,
    "top_logprobs": 2,
    "include": ["message.output_text.logprobs", "reasoning.encrypted_content"],
    "service_tier": "default",
    "store": False,
    "stream": True,
}


def test_parameters_have_their_names_here() -> None:
    """What the API can say is said, and the vendor keeps nothing that the client did not ask it to keep."""
    body, warning = sent(
        ChatRequest(
            model="m",
            messages=(_user(Text("?")),),
            tools=(
                FunctionTool("f", "d", {"type": "object"}),
                FunctionTool("p", type="custom"),
                FunctionTool("g"),
            ),
            tool_choice=ToolChoice("named", "p", Extras("openai.chat", {"type": "custom"})),
            parallel_tool_calls=False,
            output=OutputFormat("schema", {"type": "object"}, "my answer", strict=True),
            reasoning=Reasoning(effort="none"),
            max_output_tokens=64,
            temperature=0.2,
            logprobs=True,
            top_logprobs=2,
            verbosity="high",
            service_tier="standard_only",
            stream=True,
        )
    )
    assert warning == ""
    assert body == _SENT


@pytest.mark.parametrize(
    ("wish", "model", "expected", "warning"),
    [
        (Reasoning(effort="high"), "gpt-5.2", {"effort": "high"}, ""),
        (Reasoning(effort="minimal"), "o3", {"effort": "low"}, "mapped=reasoning.effort"),
        (Reasoning(effort="max"), "gpt-5.2", {"effort": "xhigh"}, "mapped=reasoning.effort"),
        (Reasoning(enabled=False), "gpt-5.1", {"effort": "none"}, ""),
        (Reasoning(enabled=True), "gpt-5.1", {"summary": "auto"}, ""),
        (
            Reasoning(budget_tokens=1024, enabled=True),
            "gpt-5",
            {"effort": "low", "summary": "auto"},
            "mapped=reasoning.budget_tokens",
        ),
        (Reasoning(effort="low", summary="omitted"), "gpt-5", {"effort": "low"}, ""),
        (Reasoning(effort="low"), "gpt-4o", None, "dropped=reasoning"),
    ],
)
def test_a_wish_for_thinking_is_said_in_effort(
    wish: Reasoning, model: str, expected: dict[str, str] | None, warning: str
) -> None:
    """Budgets and switches become the nearest effort that the model knows."""
    body, said = sent(ChatRequest(model="m", messages=(_user(Text("?")),), reasoning=wish), model)
    assert (body.get("reasoning"), said) == (expected, warning)
    assert ("include" in body) == (model != "gpt-4o")


def test_losses_are_named() -> None:
    """What the API or the model has not is dropped by its name."""
    body, warning = sent(
        ChatRequest(
            model="m",
            messages=(_user(Text("?")),),
            tools=(OpaqueTool("anthropic", {"type": "bash"}),),
            tool_choice=ToolChoice("required"),
            stop=("x",),
            seed=1,
            top_k=2,
            logit_bias={"1": 1.0},
            choices=2,
            presence_penalty=0.5,
            temperature=0.5,
            max_output_tokens=1,
            reasoning=Reasoning(effort="high"),
        )
    )
    dropped, _, mapped = warning.removeprefix("dropped=").partition("; mapped=")
    assert set(dropped.split(",")) == {
        "top_k", "seed", "stop", "logit_bias", "choices", "temperature", "presence_penalty", "tool.opaque",
    }  # fmt: skip
    assert mapped == "max_output_tokens"
    assert body["max_output_tokens"] == 16
    assert "tool_choice" not in body


def test_a_caller_may_want_an_error_instead() -> None:
    """With the policy `error` a loss is refused by its name."""
    with pytest.raises(UnsupportedError) as caught:
        sent(ChatRequest(model="m", messages=(_user(Text("?")),), stop=("x",)), policy="error")
    assert caught.value.feature == "stop"


def test_a_model_without_schemas_gets_plain_json() -> None:
    """The nearest thing to a schema is any JSON object."""
    request = ChatRequest(model="m", messages=(_user(Text("?")),), output=OutputFormat("schema", {}, "n"))
    body, warning = sent(request, profile=Profile(schema="json"))
    assert (body["text"], warning) == ({"format": {"type": "json_object"}}, "mapped=output.schema")
