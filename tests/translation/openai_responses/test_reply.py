"""Answers of other vendors as a `response`, and a vendor's `response` in the pivot."""

from typing import Any

import msgspec
import pytest

from penstock.core.chat import ChatReply, ChatRequest, Choice, FunctionTool, Logprobs, ReplyUsage, TokenLogprob
from penstock.core.errors import ShapeError
from penstock.core.parts import (
    Citation,
    Image,
    Inline,
    Opaque,
    Part,
    Refused,
    Signature,
    Text,
    Thinking,
    ToolCall,
)
from penstock.core.usage import Usage
from penstock.dialects.openai_responses.errors import error_body
from penstock.providers.openai_responses.errors import read_error
from tests.translation.openai_responses.both_sides import PROVIDER, got, shown

_USAGE = ReplyUsage(Usage(12, 8, cache_read_tokens=4, cache_write_tokens=2, reasoning_tokens=3))


def _reply(*parts: Part, finish: Any = "stop", logprobs: Logprobs | None = None) -> ChatReply:
    return ChatReply(choices=(Choice(0, parts, finish, logprobs=logprobs),), usage=_USAGE)


def _output(*parts: Part, request: ChatRequest | None = None) -> list[dict[str, Any]]:
    """The output without the ids that were made."""
    return [{name: value for name, value in item.items() if name != "id"} for item in _whole(parts, request)]


def _whole(parts: tuple[Part, ...], request: ChatRequest | None) -> list[dict[str, Any]]:
    output: list[dict[str, Any]] = shown(_reply(*parts), request)["output"]
    assert len({item["id"] for item in output}) == len(output)
    return output


_REQUEST: dict[str, Any] = {
    "model": "house",
    "input": "Hi",
    "instructions": "Be kind.",
    "temperature": 0.3,
    "reasoning": {"effort": "low"},
    "text": {"format": {"type": "json_object"}},
    "tools": [
        {"type": "function", "name": "f", "parameters": {}, "strict": True},
        {"type": "web_search"},
    ],
    "tool_choice": "required",
    "metadata": {"a": "b"},
    "parallel_tool_calls": False,
    "max_output_tokens": 50,
    "truncation": "auto",
    "conversation": "conv_1",
    "store": False,
}
_RESPONSE: dict[str, Any] = {
    "id": "resp_77",
    "object": "response",
    "created_at": 1_700_000_000,
    "status": "completed",
    "background": False,
    "conversation": {"id": "conv_1"},
    "error": None,
    "incomplete_details": None,
    "instructions": "Be kind.",
    "max_output_tokens": 50,
    "max_tool_calls": None,
    "metadata": {"a": "b"},
    "model": "claude",
    "output": [],
    "parallel_tool_calls": False,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": "low", "summary": None},
    "safety_identifier": None,
    "service_tier": "default",
    "store": False,
    "temperature": 0.3,
    "text": {"format": {"type": "json_object"}, "verbosity": "medium"},
    "tool_choice": "required",
    "tools": [{"type": "function", "name": "f", "parameters": {}, "strict": True}, {"type": "web_search"}],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "auto",
    "usage": {
        "input_tokens": 12,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
        "output_tokens": 8,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 20,
    },
    "user": None,
}


def test_a_foreign_answer_is_a_complete_response_that_repeats_the_request() -> None:
    """Every field that the official client requires is there, with what the request said."""
    request = got(_REQUEST)
    response = shown(
        ChatReply(model="claude", choices=(Choice(0, (Text("Hello."),), "stop"),), usage=_USAGE), request
    )
    message_id = response["output"][0].pop("id")
    assert message_id.startswith("msg_")
    content: dict[str, Any] = {"type": "output_text", "text": "Hello.", "annotations": [], "logprobs": []}
    message: dict[str, Any] = {
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [content],
    }
    assert response == {**_RESPONSE, "output": [message]}


def test_thinking_is_a_reasoning_item_whose_seal_comes_back() -> None:
    """Whatever another vendor sealed is the same after the client sent the item back."""
    thoughts = (
        Thinking("Hm.", signature=Signature("anthropic", "sig")),
        Thinking(sealed=Signature("anthropic", "secret")),
        Thinking("Open."),
    )
    output = _whole(thoughts, None)
    assert [item["summary"] for item in output] == [
        [{"type": "summary_text", "text": "Hm."}],
        [],
        [{"type": "summary_text", "text": "Open."}],
    ]
    back = [message.parts[0] for message in got({"input": output}).messages]
    assert [(part.text, part.signature, part.sealed) for part in back if isinstance(part, Thinking)] == [
        (part.text, part.signature, part.sealed) for part in thoughts
    ]


def test_neighbouring_texts_share_a_message_and_calls_stand_apart() -> None:
    """Texts and refusals gather in one message until something else comes."""
    output = _output(Text("a"), Refused("b"), ToolCall("c1", "f", '{"x":1}'), ToolCall("", "g"), Text("c"))
    assert [item["type"] for item in output] == ["message", "function_call", "function_call", "message"]
    assert [part["type"] for part in output[0]["content"]] == ["output_text", "refusal"]
    call = {
        "type": "function_call",
        "status": "completed",
        "call_id": "c1",
        "name": "f",
        "arguments": '{"x":1}',
    }
    assert output[1] == call
    assert output[2]["call_id"].startswith("call_")
    assert output[2]["arguments"] == "{}"


def test_a_seal_on_a_call_travels_in_its_id() -> None:
    """The call's id brings the seal back, and the result finds its call."""
    (item,) = _whole((ToolCall("c", "f", "{}", signature=Signature("gemini", "g")),), None)
    result = {"type": "function_call_output", "call_id": item["call_id"], "output": "1"}
    call, output = got({"input": [item, result]}).messages
    assert isinstance(call.parts[0], ToolCall)
    assert (call.parts[0].id, call.parts[0].signature) == ("c", Signature("gemini", "g"))
    assert output.parts[0].call_id == "c"  # type: ignore[union-attr]


def test_a_free_text_tool_that_the_vendor_knew_as_a_function_is_one_again() -> None:
    """The only string among the function's arguments is the tool's input."""
    request = ChatRequest(model="m", tools=(FunctionTool("patch", type="custom"),))
    one, two = _output(
        ToolCall("c", "patch", '{"input":"*** x"}'), ToolCall("d", "patch", "raw"), request=request
    )
    assert (one["type"], one["input"]) == ("custom_tool_call", "*** x")
    assert (two["type"], two["input"]) == ("custom_tool_call", "raw")


def test_sources_pictures_and_other_vendors_parts() -> None:
    """Web sources, documents and pictures have their items; another vendor's own parts have none."""
    sources = (
        Citation("https://a.test", "A", "", 1, 3),
        Citation("https://b.test", "B"),
        Citation("", "Doc", "q"),
    )
    message, image = _output(
        Text("text", sources), Image(Inline("image/png", "AAAA")), Opaque("anthropic", {"type": "x"})
    )
    assert message["content"][0]["annotations"] == [
        {"type": "url_citation", "url": "https://a.test", "title": "A", "start_index": 1, "end_index": 3},
        {"type": "url_citation", "url": "https://b.test", "title": "B", "start_index": 0, "end_index": 4},
        {"type": "file_citation", "file_id": "", "filename": "Doc", "index": 0},
    ]
    assert image == {"type": "image_generation_call", "status": "completed", "result": "AAAA"}


@pytest.mark.parametrize(
    ("finish", "status", "reason"),
    [
        ("stop", "completed", None),
        ("tool_calls", "completed", None),
        ("stop_sequence", "completed", None),
        (None, "completed", None),
        ("length", "incomplete", "max_output_tokens"),
        ("content_filter", "incomplete", "content_filter"),
        ("refusal", "incomplete", "content_filter"),
        ("error", "failed", None),
    ],
)
def test_the_finish_is_a_status(finish: Any, status: str, reason: str | None) -> None:
    """Why the answer ended is said by the status and its details, and is read back as the same."""
    response = shown(_reply(Text("x"), finish=finish))
    assert response["status"] == status
    assert response["incomplete_details"] == ({"reason": reason} if reason else None)
    assert (response["error"] is not None) == (status == "failed")
    expected = {"refusal": "content_filter", "stop_sequence": "stop", "tool_calls": "stop", None: "stop"}
    assert PROVIDER.decode_reply(response).choices[0].finish == expected.get(finish, finish)


def test_a_refusal_in_words_is_complete() -> None:
    """Where the model says why it declines, nothing is missing."""
    response = shown(_reply(Refused("No."), finish="refusal"))
    assert response["status"] == "completed"
    assert PROVIDER.decode_reply(response).choices[0].finish == "refusal"


def test_log_probabilities_stand_with_the_text() -> None:
    """Tokens, their bytes and the alternatives."""
    logprobs = Logprobs((TokenLogprob("é", -0.5, (("e", -2.0),)),))
    response = shown(_reply(Text("é"), logprobs=logprobs))
    assert response["output"][0]["content"][0]["logprobs"] == [
        {
            "token": "é",
            "bytes": [195, 169],
            "logprob": -0.5,
            "top_logprobs": [{"token": "e", "bytes": [101], "logprob": -2.0}],
        }
    ]
    assert PROVIDER.decode_reply(response).choices[0].logprobs == logprobs


def test_an_empty_answer_is_still_a_response() -> None:
    """No choice, no usage, no text."""
    response = shown(ChatReply())
    assert (response["output"], response["usage"], response["status"]) == ([], None, "completed")


def test_costs_are_read_in_nano_dollars() -> None:
    """XAI counts ticks, OpenRouter dollars."""
    for usage, cost in (({"cost_in_usd_ticks": 8_524_505}, 852_451), ({"cost": 0.00012}, 120_000), ({}, None)):
        reply = PROVIDER.decode_reply({"output": [], "usage": {"input_tokens": 1, **usage}})
        assert reply.usage is not None
        assert reply.usage.cost_nanousd == cost


def test_a_body_without_output_is_no_answer() -> None:
    """A vendor's body in another form cannot be read."""
    with pytest.raises(ShapeError, match="output"):
        PROVIDER.decode_reply({"object": "chat.completion", "choices": []})


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        (b'{"error":{"message":"m","type":"t","code":"c"}}', "m", "c"),
        (b'{"code":"c","error":"m"}', "m", "c"),
        (b'{"message":"m"}', "m", None),
        (b"<html>", None, None),
        (b"[" * 5000, None, None),
    ],
)
def test_error_bodies_are_read(body: bytes, message: str | None, code: str | None) -> None:
    """OpenAI's object, xAI's sentence, and whatever a proxy answers."""
    error = read_error(body)
    assert (error.message, error.code) == (message, code)


def test_errors_are_written_in_the_apis_shape() -> None:
    """An error body has the fields that SDKs read."""
    body = msgspec.json.decode(error_body("rate_limited", "rate_limit", "slow down", None, "req_1"))
    assert body["error"]["type"] == "rate_limit_error"
    assert body["error"]["code"] == "rate_limited"
