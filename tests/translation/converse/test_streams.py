"""Streams: Bedrock's messages as events, and other vendors' events as Bedrock's messages."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from msgspec.structs import replace

from penstock.core.assemble import assemble, tell
from penstock.core.chat import ChatReply, Choice, ReplyUsage
from penstock.core.events import (
    ArgumentsDelta,
    ChoiceFinished,
    CitationAdded,
    Ended,
    Event,
    Frame,
    PartEnded,
    PartStarted,
    SignatureDelta,
    Started,
    TextDelta,
    UsageReported,
)
from penstock.core.parts import (
    Audio,
    Citation,
    Image,
    Inline,
    Opaque,
    Refused,
    Signature,
    Text,
    Thinking,
    ToolCall,
)
from penstock.core.seals import unwrap
from penstock.core.usage import Usage
from tests.translation.converse.made import CLAUDE, DIALECT, PROVIDER, asked, read, shown, written

_BEGIN = ("messageStart", {"role": "assistant"})
_NO_USAGE = (
    "metadata",
    {"usage": {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0}, "metrics": {"latencyMs": 0}},
)


def _delta(index: int, **delta: Any) -> tuple[str, Any]:
    return "contentBlockDelta", {"delta": delta, "contentBlockIndex": index}


def _stop(index: int) -> tuple[str, Any]:
    return "contentBlockStop", {"contentBlockIndex": index}


_VENDOR: list[tuple[str, Any]] = [
    ("messageStart", {"role": "assistant", "p": "ab"}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "Hm."}}, "p": "a"}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": "Eu8B"}}}),
    _stop(0),
    (
        "contentBlockDelta",
        {"contentBlockIndex": 1, "delta": {"reasoningContent": {"redactedContent": "RXZRQw=="}}},
    ),
    _stop(1),
    ("contentBlockStart", {"contentBlockIndex": 2, "start": {}}),
    ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"text": "Hi", "new": 1}}),
    ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"citation": {"title": "T", "location": {}}}}),
    ("contentBlockStop", {"contentBlockIndex": 2, "p": "x"}),
    (
        "contentBlockStart",
        {"contentBlockIndex": 3, "start": {"toolUse": {"toolUseId": "t", "name": "f", "type": "q"}}},
    ),
    ("contentBlockDelta", {"contentBlockIndex": 3, "delta": {"toolUse": {"input": '{"a"'}}}),
    ("contentBlockDelta", {"contentBlockIndex": 3, "delta": {"toolUse": {"input": ":1}"}}}),
    _stop(3),
    (
        "contentBlockStart",
        {
            "contentBlockIndex": 4,
            "start": {"toolUse": {"toolUseId": "s", "name": "g", "type": "server_tool_use"}},
        },
    ),
    ("contentBlockDelta", {"contentBlockIndex": 4, "delta": {"toolUse": {"input": "{}"}}}),
    _stop(4),
    (
        "contentBlockStart",
        {"contentBlockIndex": 5, "start": {"toolResult": {"toolUseId": "s", "type": "g_result"}}},
    ),
    ("contentBlockDelta", {"contentBlockIndex": 5, "delta": {"toolResult": [{"text": "x"}, {"json": {}}]}}),
    _stop(5),
    ("contentBlockStart", {"contentBlockIndex": 6, "start": {"image": {"format": "png"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 6, "delta": {"image": {"source": {"bytes": "aGk="}}}}),
    _stop(6),
    ("contentBlockDelta", {"contentBlockIndex": 7, "delta": {"brandNew": True}}),
    ("brandNewEvent", {"x": [1]}),
    ("messageStop", {"stopReason": "tool_use", "additionalModelResponseFields": {"stop_sequence": "|"}}),
    (
        "metadata",
        {
            "usage": {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7, "new": 1},
            "metrics": {"latencyMs": 5},
        },
    ),
]


def test_a_vendors_stream_as_a_reply() -> None:
    """Each block as its part; built-in tools' blocks whole; the end after the last message."""
    events = read(*_VENDOR)
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Ended)
    reply = assemble(events)
    choice = reply.choices[0]
    thinking, sealed, text, call, built_in, result, image = choice.parts
    assert thinking == Thinking("Hm.", Signature("anthropic", "Eu8B"))
    assert sealed == Thinking(sealed=Signature("anthropic", "EvQC"))
    assert isinstance(text, Text)
    assert (text.text, text.citations[0].title) == ("Hi", "T")
    assert isinstance(call, ToolCall)
    assert (call.id, call.name, call.arguments) == ("t", "f", '{"a":1}')
    assert isinstance(built_in, Opaque)
    assert built_in.value["toolUse"]["input"] == {}
    assert isinstance(result, Opaque)
    assert result.value["toolResult"]["content"] == [{"text": "x"}, {"json": {}}]
    assert image == Image(Inline("image/png", "aGk="))
    assert (choice.finish, choice.native, choice.stop_sequence) == ("tool_calls", "tool_use", "|")
    assert reply.usage is not None
    assert reply.usage.counts == Usage(input_tokens=3, output_tokens=4)


def test_a_vendors_stream_comes_back() -> None:
    """Message for message, odd and unknown ones too; nothing is added at the end."""
    decoder, encoder = PROVIDER.stream(), DIALECT.stream(asked())
    got = [
        each for name, data in _VENDOR for each in encoder.write(decoder.read(name, json.dumps(data).encode()))
    ]
    assert shown(got) == _VENDOR
    assert encoder.end() == []


def _changed(event: Event, changes: dict[type, dict[str, Any]]) -> Event:
    if isinstance(event, PartStarted) and not isinstance(event.part, ToolCall):
        return event
    return replace(event, **changes[type(event)]) if type(event) in changes else event


def test_a_change_in_the_pivot_changes_the_message() -> None:
    """Text, arguments, names, seals, reasons and counts come from the events."""
    changes: dict[type, dict[str, Any]] = {
        TextDelta: {"text": "NEW"},
        ArgumentsDelta: {"text": "NEW"},
        SignatureDelta: {"signature": Signature("anthropic", "NEW")},
        CitationAdded: {"citation": Citation(title="NEW")},
        PartStarted: {"part": ToolCall("NEW", "NEW")},
        ChoiceFinished: {"finish": "length"},
        UsageReported: {"usage": ReplyUsage(Usage(input_tokens=99, output_tokens=1))},
    }
    decoder, encoder = PROVIDER.stream(), DIALECT.stream(asked())
    changed = 0
    for name, data in _VENDOR:
        frame = decoder.read(name, json.dumps(data).encode())
        events = tuple([_changed(event, changes) for event in frame.events])
        got = shown(encoder.write(replace(frame, events=events)))
        if got != [(name, data)]:
            changed += 1
            said = json.dumps(got)
            assert any(word in said for word in ("NEW", base64.b64encode(b"NEW").decode(), "max_tokens", "99"))
    assert changed == 10


def test_foreign_events_without_ends() -> None:
    """Blocks are closed when the next begins, the stream at its end; choices but the first are left out."""
    usage = UsageReported(ReplyUsage(Usage(input_tokens=5, output_tokens=2)))
    assert written(
        Started("chatcmpl-1", "gpt", 1),
        PartStarted(0, 0, Text("")),
        TextDelta(0, 0, "Hea"),
        TextDelta(1, 0, "other"),
        TextDelta(0, 0, "ps"),
        PartStarted(0, 1, ToolCall("call_1", "f")),
        ArgumentsDelta(0, 1, '{"a":'),
        ArgumentsDelta(0, 1, "1}"),
        PartStarted(0, 2, ToolCall("call_2", "g", "{}")),
        usage,
    ) == [
        _BEGIN,
        _delta(0, text="Hea"),
        _delta(0, text="ps"),
        _stop(0),
        (
            "contentBlockStart",
            {"start": {"toolUse": {"toolUseId": "call_1", "name": "f"}}, "contentBlockIndex": 1},
        ),
        _delta(1, toolUse={"input": '{"a":'}),
        _delta(1, toolUse={"input": "1}"}),
        _stop(1),
        (
            "contentBlockStart",
            {"start": {"toolUse": {"toolUseId": "call_2", "name": "g"}}, "contentBlockIndex": 2},
        ),
        _delta(2, toolUse={"input": "{}"}),
        _stop(2),
        ("messageStop", {"stopReason": "tool_use"}),
        (
            "metadata",
            {"usage": {"inputTokens": 5, "outputTokens": 2, "totalTokens": 7}, "metrics": {"latencyMs": 0}},
        ),
    ]


def test_usage_may_come_after_the_finish() -> None:
    """`messageStop` and `metadata` go out when the stream ends, and then nothing more."""
    encoder = DIALECT.stream(asked())
    early = (Started(), ChoiceFinished(0, "stop_sequence", "x", "|"))
    assert [each.name for each in encoder.write(Frame("", early))] == ["messageStart"]
    last = UsageReported(ReplyUsage(Usage(input_tokens=1, output_tokens=1)))
    stop, told = encoder.write(Frame("", (last, Ended())))
    assert (stop.name, told.name) == ("messageStop", "metadata")
    assert json.loads(stop.data)["stopReason"] == "stop_sequence"
    assert encoder.end() == []
    assert encoder.write(Frame("", (TextDelta(0, 0, "late"),))) == []


def test_an_empty_stream_is_a_whole_one() -> None:
    """A vendor that says nothing leaves an answer that SDKs can read."""
    assert written() == [_BEGIN, ("messageStop", {"stopReason": "end_turn"}), _NO_USAGE]


def test_text_and_thinking_that_alternate() -> None:
    """A part that goes on after another began gets a block of its own, since blocks are not reopened."""
    assert written(
        PartStarted(0, 0, Thinking()),
        TextDelta(0, 0, "A"),
        PartStarted(0, 1, Text("")),
        TextDelta(0, 1, "B"),
        TextDelta(0, 0, "C"),
        SignatureDelta(0, 0, Signature("anthropic", "Eu8B")),
        TextDelta(0, 1, "D"),
        end=False,
    ) == [
        _BEGIN,
        _delta(0, reasoningContent={"text": "A"}),
        _stop(0),
        _delta(1, text="B"),
        _stop(1),
        _delta(2, reasoningContent={"text": "C"}),
        _delta(2, reasoningContent={"signature": "Eu8B"}),
        _stop(2),
        _delta(3, text="D"),
    ]


def test_parts_that_come_whole_or_cannot_be_shown() -> None:
    """Refusals are text, pictures a block, transcripts text; parts of other shapes nothing."""
    assert written(
        PartStarted(0, 0, Refused("No.")),
        PartEnded(0, 0),
        PartStarted(0, 1, Image(Inline("image/png", "aGk="))),
        PartStarted(0, 2, Opaque("openai.responses", {"type": "web_search_call"})),
        PartStarted(0, 3, Audio(None, "wav", transcript="Hea")),
        TextDelta(0, 3, "ps"),
        PartStarted(0, 4, Text("x", (Citation(url="https://e.org/a"),))),
        PartStarted(0, 5, Text("")),
        ArgumentsDelta(0, 9, "lost"),
        end=False,
    ) == [
        _BEGIN,
        _delta(0, text="No."),
        _stop(0),
        ("contentBlockStart", {"start": {"image": {"format": "png"}}, "contentBlockIndex": 1}),
        _delta(1, image={"source": {"bytes": "aGk="}}),
        _stop(1),
        _delta(2, text="Hea"),
        _delta(2, text="ps"),
        _stop(2),
        _delta(3, text="x"),
        _delta(3, citation={"location": {"web": {"url": "https://e.org/a", "domain": "e.org"}}}),
        _stop(3),
    ]


@pytest.mark.parametrize(
    "part",
    [
        Thinking("Hm.", Signature("anthropic", "Eu8B")),
        Thinking("Hm.", Signature("gemini", "c2ln")),
        Thinking(sealed=Signature("anthropic", "EvQC")),
        Thinking(sealed=Signature("openai.responses", "gAAA"), id="rs_1"),
        Thinking("Sum.", sealed=Signature("openai.responses", "gAAA"), id="rs_1"),
    ],
)
def test_seals_travel_through_a_streams_client(part: Thinking) -> None:
    """What a client gathers from the stream and sends back is what the vendor said."""
    whole = assemble(read(*written(*tell(ChatReply(choices=(Choice(parts=(part,)),))))))
    turn = DIALECT.encode_reply(whole, asked())["output"]["message"]
    back = DIALECT.decode_request({"messages": [turn]}, CLAUDE, stream=False)
    assert back.messages[0].parts == (part,)


def test_a_seal_that_comes_with_the_end_of_its_part() -> None:
    """OpenAI gives the encrypted thinking only when the item is done."""
    sealed = Thinking(sealed=Signature("openai.responses", "gAAA"), id="rs_1")
    got = written(PartStarted(0, 0, Thinking(id="rs_1")), PartEnded(0, 0, sealed), end=False)
    assert [name for name, _ in got] == ["messageStart", "contentBlockDelta", "contentBlockStop"]
    seal = got[1][1]["delta"]["reasoningContent"]["signature"]
    assert unwrap(seal, "anthropic").signer == "thinking"


def test_a_call_s_own_seal_is_in_its_id_or_follows_it() -> None:
    """A seal known when the call begins is in the id; a later one comes back from a block of its own."""
    call = ToolCall("c", "f", "{}", signature=Signature("gemini", "c2ln"))
    got = written(PartStarted(0, 0, call), end=False)
    assert got[1][1]["start"]["toolUse"]["toolUseId"].startswith("c-ps1-")
    for events in (
        [*tell(ChatReply(choices=(Choice(parts=(call,)),)))],
        [PartStarted(0, 0, replace(call, signature=None)), PartEnded(0, 0, call)],
        [PartStarted(0, 0, call)],
    ):
        turn = DIALECT.encode_reply(assemble(read(*written(*events))), asked())["output"]["message"]
        back = DIALECT.decode_request({"messages": [turn]}, CLAUDE, stream=False)
        assert back.messages[0].parts == (call,)


def test_what_only_the_end_of_a_part_tells() -> None:
    """Vendors that send no deltas of a part say it whole at its end."""
    assert written(
        *(PartStarted(0, 0, Text("")), PartEnded(0, 0, Text("Hi."))),
        *(PartStarted(0, 1, ToolCall("c", "f")), PartEnded(0, 1, ToolCall("c", "f", "{}"))),
        *(PartStarted(0, 2, Text("")), TextDelta(0, 2, "A"), PartEnded(0, 2, Text("A"))),
        end=False,
    ) == [
        _BEGIN,
        _delta(0, text="Hi."),
        _stop(0),
        ("contentBlockStart", {"start": {"toolUse": {"toolUseId": "c", "name": "f"}}, "contentBlockIndex": 1}),
        _delta(1, toolUse={"input": "{}"}),
        _stop(1),
        _delta(2, text="A"),
        _stop(2),
    ]
