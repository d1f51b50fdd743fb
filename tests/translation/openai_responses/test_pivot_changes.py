"""What is changed in the pivot is changed on the wire: nothing that was kept aside stands in front of it."""

import json
from typing import Any

from msgspec.structs import replace

from penstock.core.chat import ChatReply, OutputFormat, Reasoning, ReplyUsage
from penstock.core.events import (
    Broke,
    ChoiceFinished,
    Event,
    Frame,
    PartEnded,
    Started,
    TextDelta,
    UsageReported,
)
from penstock.core.parts import Part, Text, Thinking, ToolCall
from penstock.core.usage import Usage
from tests.translation.openai_responses.both_sides import DIALECT, PROVIDER, asked, got, sent, shown

_OUTPUT: list[dict[str, Any]] = [
    {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "one"}, {"type": "summary_text", "text": "two"}],
        "encrypted_content": "seal",
    },
    {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "phase": "final_answer",
        "content": [{"type": "output_text", "text": "old", "annotations": [], "logprobs": []}],
    },
    {
        "type": "function_call",
        "id": "fc_1",
        "call_id": "c",
        "name": "f",
        "arguments": "{}",
        "status": "completed",
    },
]
_RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "model": "m",
    "created_at": 5,
    "status": "completed",
    "incomplete_details": None,
    "output": _OUTPUT,
    "usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3, "sources": 4},
}


def _changed(part: Part) -> Part:
    if isinstance(part, Text | Thinking):
        return replace(part, text="new")
    return replace(part, name="g", arguments='{"a":1}', id="d") if isinstance(part, ToolCall) else part


def test_a_changed_reply_is_written_as_changed() -> None:
    """Texts, thinking, calls, usage, finish, id and model; what was not touched stays."""
    reply = PROVIDER.decode_reply(_RESPONSE)
    (choice,) = reply.choices
    choice = replace(choice, parts=tuple([_changed(part) for part in choice.parts]), finish="length")
    changed: ChatReply = replace(
        reply, id="resp_2", model="n", created_s=6, choices=(choice,), usage=ReplyUsage(Usage(7, 8))
    )
    response = shown(changed)
    assert (response["id"], response["model"], response["created_at"]) == ("resp_2", "n", 6)
    assert (response["status"], response["incomplete_details"]) == (
        "incomplete",
        {"reason": "max_output_tokens"},
    )
    assert response["usage"]["total_tokens"] == 15
    thinking, message, call = response["output"]
    assert thinking["summary"] == [{"type": "summary_text", "text": "new"}]
    assert thinking["encrypted_content"] == "seal"
    assert (message["content"][0]["text"], message["phase"]) == ("new", "final_answer")
    assert (call["name"], call["call_id"], call["arguments"], call["id"]) == ("g", "d", '{"a":1}', "fc_1")


def test_changed_counts_keep_what_else_the_vendor_reported() -> None:
    """Other members of the usage stay beside new counts."""
    reply = PROVIDER.decode_reply(_RESPONSE)
    assert reply.usage is not None
    usage = shown(replace(reply, usage=replace(reply.usage, counts=Usage(9, 9))))["usage"]
    assert (usage["input_tokens"], usage["total_tokens"], usage["sources"]) == (9, 18, 4)


def test_a_changed_request_is_written_as_changed() -> None:
    """Messages, tools and parameters of this API's own requests are written from the pivot."""
    request = got(
        {
            "model": "m",
            "instructions": "old",
            "input": "old",
            "tools": [
                {"type": "function", "name": "f", "parameters": {}, "strict": True, "defer_loading": True}
            ],
            "text": {"format": {"type": "text"}},
            "reasoning": {"effort": "low", "summary": "auto"},
            "include": ["message.output_text.logprobs"],
            "truncation": "auto",
        }
    )
    messages = tuple([replace(message, parts=(Text("new"),)) for message in request.messages])
    (tool,) = request.tools
    body, _ = sent(
        replace(
            request,
            messages=messages,
            tools=(replace(tool, name="g", strict=False),),  # type: ignore[call-arg]
            output=OutputFormat("json"),
            reasoning=Reasoning(effort="high"),
            logprobs=None,
            temperature=1,
        ),
        "m",
    )
    assert body == {
        "model": "m",
        "instructions": "new",
        "input": "new",
        "tools": [{"type": "function", "name": "g", "parameters": {}, "strict": False, "defer_loading": True}],
        "text": {"format": {"type": "json_object"}},
        "reasoning": {"effort": "high"},
        "include": [],
        "truncation": "auto",
        "temperature": 1,
    }


def _events() -> list[dict[str, Any]]:
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    part: dict[str, Any] = {"type": "output_text", "text": "old", "annotations": [], "logprobs": []}
    item: dict[str, Any] = {**_OUTPUT[1], "content": [part]}
    begun: dict[str, Any] = {**_RESPONSE, "status": "in_progress", "output": [], "usage": None}
    return [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": []}},
        {"type": "response.content_part.added", **place, "part": {**part, "text": ""}},
        {"type": "response.output_text.delta", **place, "delta": "old"},
        {"type": "response.output_text.done", **place, "text": "old"},
        {"type": "response.content_part.done", **place, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": {**_RESPONSE, "output": [item]}},
    ]


def _edited(event: Event) -> Event:
    if isinstance(event, Started):
        return replace(event, id="resp_2", model="n")
    if isinstance(event, TextDelta):
        return replace(event, text="new")
    if isinstance(event, PartEnded) and isinstance(event.part, Text):
        return replace(event, part=replace(event.part, text="new"))
    if isinstance(event, ChoiceFinished):
        return replace(event, finish="length")
    return replace(event, usage=ReplyUsage(Usage(7, 8))) if isinstance(event, UsageReported) else event


def test_a_changed_stream_repeats_what_it_said() -> None:
    """A delta that was changed is changed in every event that repeats it, up to the response."""
    decoder, encoder = PROVIDER.stream(), DIALECT.stream(asked())
    bodies: list[dict[str, Any]] = []
    for body in _events():
        frame = decoder.read("", json.dumps(body).encode())
        frame = Frame(frame.name, tuple([_edited(event) for event in frame.events]), frame.extras)
        (written,) = encoder.write(frame)
        bodies.append(json.loads(written.data))
    assert b"old" not in json.dumps(bodies).encode()
    assert [body["response"]["id"] for body in bodies if "response" in body] == ["resp_2"] * 3
    last = bodies[-1]["response"]
    assert (last["model"], last["status"], last["usage"]["total_tokens"]) == ("n", "incomplete", 15)
    assert last["output"][0]["content"][0]["text"] == "new"
    assert last["output"][0]["phase"] == "final_answer"


def test_a_stream_of_this_shape_may_fail_at_the_gateway() -> None:
    """The numbers go on, and the failed response is the one that began."""
    decoder, encoder = PROVIDER.stream(), DIALECT.stream(asked())
    for at, body in enumerate(_events()[:5]):
        encoder.write(decoder.read("", json.dumps({**body, "sequence_number": at}).encode()))
    error, failed = [json.loads(each.data) for each in encoder.fail(Broke("cut"))]
    assert (error["sequence_number"], failed["sequence_number"]) == (5, 6)
    assert (failed["response"]["id"], failed["response"]["status"]) == ("resp_1", "failed")
