"""Streams of other vendors as typed events, and a vendor's typed events in the pivot."""

import json
from typing import Any

import pytest

from penstock.core.assemble import assemble, tell
from penstock.core.chat import ChatReply, ChatRequest, Choice, FunctionTool, Logprobs, ReplyUsage, TokenLogprob
from penstock.core.errors import ShapeError
from penstock.core.events import (
    ArgumentsDelta,
    Broke,
    ChoiceFinished,
    CitationAdded,
    Ended,
    Event,
    Frame,
    LogprobsAdded,
    PartEnded,
    PartStarted,
    SignatureDelta,
    Started,
    TextDelta,
    UsageReported,
)
from penstock.core.parts import Citation, Image, Inline, Opaque, Refused, Signature, Text, Thinking, ToolCall
from penstock.core.usage import Usage
from tests.translation.openai_responses.both_sides import DIALECT, PROVIDER, asked, got, shown, streamed


def _types(bodies: list[dict[str, Any]]) -> list[str]:
    return [body["type"].removeprefix("response.") for body in bodies]


def test_a_text_goes_through_all_the_events_of_the_api() -> None:
    """A text opens its message and its part, and closes both before the response is complete."""
    bodies = streamed(
        Started("x", "claude", 7),
        PartStarted(0, 0, Text("")),
        TextDelta(0, 0, "Sun"),
        TextDelta(0, 0, "day"),
        PartEnded(0, 0),
        ChoiceFinished(0, "stop"),
        UsageReported(ReplyUsage(Usage(3, 2))),
        Ended(),
    )
    assert _types(bodies) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    item_id = bodies[2]["item"]["id"]
    delta: dict[str, Any] = {
        "item_id": item_id,
        "output_index": 0,
        "content_index": 0,
        "delta": "Sun",
        "logprobs": [],
    }
    assert bodies[4] == {"type": "response.output_text.delta", "sequence_number": 4, **delta}
    content: dict[str, Any] = {"type": "output_text", "text": "Sunday", "annotations": [], "logprobs": []}
    message: dict[str, Any] = {
        "id": item_id,
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [content],
    }
    assert bodies[8]["item"] == message
    response = bodies[9]["response"]
    assert (response["id"], response["model"], response["created_at"]) == ("resp_77", "claude", 7)
    assert (response["output"], response["usage"]["total_tokens"]) == ([message], 5)
    assert (bodies[0]["response"]["status"], bodies[0]["response"]["output"]) == ("in_progress", [])


def test_a_stream_without_ends_is_ended() -> None:
    """Parts that nobody closed, interleaved arguments and a missing end make a complete stream all the same."""
    bodies = streamed(
        PartStarted(0, 0, Thinking()),
        TextDelta(0, 0, "Hm"),
        PartStarted(0, 1, ToolCall("a", "f")),
        PartStarted(0, 2, ToolCall("b", "g")),
        ArgumentsDelta(0, 1, '{"x"'),
        ArgumentsDelta(0, 2, "{}"),
        ArgumentsDelta(0, 1, ":1}"),
        SignatureDelta(0, 0, Signature("anthropic", "si")),
        SignatureDelta(0, 0, Signature("anthropic", "g")),
    )
    assert _types(bodies)[2:6] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
    ]
    output = bodies[-1]["response"]["output"]
    assert [item["type"] for item in output] == ["reasoning", "function_call", "function_call"]
    assert [item.get("arguments") for item in output] == [None, '{"x":1}', "{}"]
    done = [body["item"] for body in bodies if body["type"] == "response.output_item.done"]
    assert done == output
    thinking = got({"input": output}).messages[0].parts[0]
    assert isinstance(thinking, Thinking)
    assert (thinking.text, thinking.signature) == ("Hm", Signature("anthropic", "sig"))


_REPLIES = [
    (Text("a"), Text("b"), ToolCall("c", "f", "{}"), Text("d")),
    (
        Thinking("t", signature=Signature("anthropic", "s")),
        Text("a", (Citation("https://a.test", "A", "", 0, 1),)),
    ),
    (Thinking(sealed=Signature("anthropic", "s")), Refused("no")),
    (Text(""), Image(Inline("image/png", "AAAA")), ToolCall("p", "patch", '{"input":"x"}')),
    (Opaque("gemini", {"x": 1}), ToolCall("c", "f"), ToolCall("d", "f")),
    (),
]


@pytest.mark.parametrize("parts", _REPLIES)
def test_a_stream_ends_in_the_response_that_the_whole_reply_is(parts: Any) -> None:
    """Streamed or not, the same answer gives the same response."""
    request = ChatRequest(model="m", tools=(FunctionTool("patch", type="custom"),))
    logprobs = (
        Logprobs((TokenLogprob("a", -1.0),))
        if parts and isinstance(parts[0], Text) and len(parts) == 1
        else None
    )
    reply = ChatReply(choices=(Choice(0, parts, "length", logprobs=logprobs),), usage=ReplyUsage(Usage(1, 2)))
    bodies = streamed(*tell(reply), request=request, ends=False)
    whole, last = shown(reply, request), bodies[-1]["response"]
    for item in (*whole["output"], *last["output"]):
        item.pop("status", None)  # an item that ended before the answer did was complete
    assert last == whole


def test_a_part_that_comes_whole_at_its_end_is_told() -> None:
    """Where a vendor sends no deltas, or fewer than the whole, the rest is told before the part closes."""
    bodies = streamed(
        PartStarted(0, 0, Text("")),
        TextDelta(0, 0, "ab"),
        PartEnded(0, 0, Text("abc", (Citation("https://a.test"),))),
        PartStarted(0, 1, ToolCall("c", "f")),
        PartEnded(0, 1, ToolCall("c", "f", '{"a":1}')),
    )
    deltas = [body["delta"] for body in bodies if body["type"].endswith(".delta")]
    assert deltas == ["ab", "c", '{"a":1}']
    assert bodies[-1]["response"]["output"][0]["content"][0]["annotations"][0]["end_index"] == 3


def test_log_probabilities_go_with_their_text() -> None:
    """Those of a frame stand in its delta, late ones where the text is complete."""
    encoder = DIALECT.stream(asked())
    one, two = Logprobs((TokenLogprob("a", -1.0),)), Logprobs((TokenLogprob("b", -2.0),))
    first = encoder.write(Frame("", (PartStarted(0, 0, Text("")), TextDelta(0, 0, "a"), LogprobsAdded(0, one))))
    assert json.loads(first[-1].data)["logprobs"][0]["token"] == "a"
    encoder.write(Frame("", (LogprobsAdded(0, two),)))
    done = next(json.loads(each.data) for each in encoder.end() if each.name == "response.output_text.done")
    assert [each["token"] for each in done["logprobs"]] == ["a", "b"]


def test_an_error_in_mid_stream_is_an_event_and_a_failed_response() -> None:
    """The error comes as SDKs raise it, and the response says that it failed; nothing follows."""
    encoder = DIALECT.stream(asked())
    encoder.write(Frame("", (Started(), PartStarted(0, 0, Text("")), TextDelta(0, 0, "a"))))
    written = encoder.fail(Broke("too busy", "overloaded_error", "overloaded", 529))
    bodies = [json.loads(each.data) for each in written]
    assert [each.name for each in written] == ["error", "response.failed"]
    assert bodies[0]["error"] == {
        "type": "overloaded_error",
        "code": "overloaded",
        "message": "too busy",
        "param": None,
    }
    assert bodies[0]["message"] == "too busy"
    assert bodies[1]["response"]["error"] == {"code": "server_error", "message": "too busy"}
    assert bodies[1]["sequence_number"] == bodies[0]["sequence_number"] + 1
    assert (encoder.end(), encoder.fail(Broke("again"))) == ([], [])


def test_an_error_frame_of_another_vendor_ends_the_stream() -> None:
    """A break that the vendor reports is told like one that the gateway finds."""
    bodies = streamed(Broke("limit", "rate_limit_error", "", 429), TextDelta(0, 0, "late"))
    assert _types(bodies) == ["created", "in_progress", "error", "failed"]
    assert bodies[-1]["response"]["error"]["code"] == "rate_limit_exceeded"


def _read(*bodies: dict[str, Any]) -> list[Event]:
    decoder = PROVIDER.stream()
    return [event for body in bodies for event in decoder.read("", json.dumps(body).encode()).events]


def _response(**fields: Any) -> dict[str, Any]:
    return {"id": "resp_1", "model": "m", "created_at": 5, "status": "completed", "output": [], **fields}


def test_a_vendor_that_tells_only_what_is_done_is_understood() -> None:
    """Items without deltas, and items that stand in the last event alone, are told as parts."""
    call = {"type": "function_call", "id": "fc", "call_id": "c", "name": "f", "arguments": "{}"}
    message = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}
    done = {"type": "response.output_item.done", "output_index": 0, "item": call}
    usage = {"input_tokens": 1, "output_tokens": 2}
    events = _read(
        {"type": "response.created", "response": _response(status="in_progress")},
        done,
        {"type": "response.completed", "response": _response(output=[call, message], usage=usage)},
    )
    (choice,) = assemble(events).choices
    call_part, text = choice.parts
    assert isinstance(call_part, ToolCall)
    assert (call_part.id, call_part.arguments) == ("c", "{}")
    assert isinstance(text, Text)
    assert text.text == "Hi"
    assert choice.finish == "tool_calls"
    told = [event for event in events if isinstance(event, TextDelta | ArgumentsDelta)]
    assert [event.text for event in told] == ["{}", "Hi"]


def test_deltas_without_a_beginning_begin_a_part() -> None:
    """A server that leaves the opening events out is understood."""
    delta = {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "x"}
    thought = {"type": "response.reasoning_text.delta", "output_index": 1, "content_index": 0, "delta": "y"}
    reply = assemble(_read(delta, delta, thought))
    assert reply.choices[0].parts == (Text("xx"), Thinking("y"))


def test_pieces_of_a_summary_are_parted_by_a_blank_line() -> None:
    """Several summaries are one thinking, the text of the item when it is done; the last seal counts."""
    added: dict[str, Any] = {
        "type": "response.output_item.added",
        "output_index": 0,
        "item": {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "early"},
    }
    deltas = [
        {"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": at, "delta": text}
        for at, text in ((0, "A"), (0, "B"), (1, "C"))
    ]
    item = {
        "type": "reasoning",
        "id": "rs",
        "summary": [{"type": "summary_text", "text": "AB"}, {"type": "summary_text", "text": "C"}],
        "encrypted_content": "late",
    }
    events = _read(added, *deltas)
    assert assemble(events).choices[0].parts == (Thinking("AB\n\nC", id="rs"),)
    events = _read(added, *deltas, {"type": "response.output_item.done", "output_index": 0, "item": item})
    (part,) = assemble(events).choices[0].parts
    assert isinstance(part, Thinking)
    assert (part.text, part.sealed) == ("AB\n\nC", Signature("openai.responses", "late"))
    seal = SignatureDelta(0, 0, Signature("openai.responses", "late"), sealed=True)
    assert seal in events


def test_sources_are_told_as_they_come() -> None:
    """An annotation is a citation of its text."""
    annotation = {
        "type": "url_citation",
        "url": "https://a.test",
        "title": "A",
        "start_index": 0,
        "end_index": 1,
    }
    place = {"output_index": 0, "content_index": 0}
    events = _read(
        {"type": "response.output_text.delta", **place, "delta": "x"},
        {
            "type": "response.output_text.annotation.added",
            **place,
            "annotation_index": 0,
            "annotation": annotation,
        },
    )
    assert isinstance(events[-1], CitationAdded)
    assert events[-1].citation.url == "https://a.test"


def test_a_failure_is_told_once() -> None:
    """The error event and the failed response are one break."""
    error = {"code": "rate_limit_exceeded", "message": "slow", "type": "tokens"}
    events = _read(
        {"type": "error", "error": error, "sequence_number": 2},
        {"type": "response.failed", "response": _response(status="failed", error=error)},
    )
    assert events == [Broke("slow", "tokens", "rate_limit_exceeded")]
    assert _read({"type": "error", "code": "x", "message": "flat"}) == [Broke("flat", "", "x")]


def test_what_is_no_event_is_an_error() -> None:
    """Data that is not an object cannot be read; the mark of an end is none."""
    decoder = PROVIDER.stream()
    for data in (b"", b"[]", b"nonsense", b"[" * 100_000, b'{"type":1}'):
        with pytest.raises(ShapeError):
            decoder.read("", data)
    frame = decoder.read("", b"[DONE]")
    assert [each.data for each in DIALECT.stream(asked()).write(frame)] == [b"[DONE]"]
