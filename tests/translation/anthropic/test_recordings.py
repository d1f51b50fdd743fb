"""Recorded exchanges of the Messages API come back from the pivot as they went in."""

from __future__ import annotations

import json
from typing import Any, cast

import msgspec
import pytest
from msgspec.structs import replace

from penstock.core.assemble import Assembler, assemble, tell
from penstock.core.chat import ChatReply, ChatRequest
from penstock.core.events import ChoiceFinished, Ended, Frame, UsageReported
from penstock.core.losses import Losses
from penstock.core.parts import Citation, Opaque, Text, Thinking, ToolCall
from penstock.core.profile import profile_for
from penstock.core.usage import Usage
from penstock.dialects.anthropic.count import decode_count, encode_count
from penstock.dialects.anthropic.dialect import AnthropicDialect
from penstock.ports.translation import Addressee, Asked, WireEvent
from penstock.providers.anthropic import count
from penstock.providers.anthropic.api import AnthropicProvider
from penstock.providers.anthropic.errors import read_error
from penstock.providers.anthropic.profile import DEFAULT, ROWS
from penstock.wire.sse import SseDecoder, data_of, name_of
from tests.translation.recordings import Exchange, cut, difference, exchanges

_DIALECT, _PROVIDER = AnthropicDialect(), AnthropicProvider()
_APIS = ["anthropic.messages", "bedrock.invoke"]


def _asked(model: str) -> Asked:
    return Asked(ChatRequest(model=model), model, "req_1", 1_700_000_000)


def _messages(api: str) -> list[Exchange]:
    """Exchanges whose reply is a message; other models behind Bedrock's `invoke` have shapes of their own."""
    found = exchanges(api)
    return [each for each in found if not api.startswith("bedrock") or _member(each.json, "type") == "message"]


def _member(value: Any, name: str) -> Any:
    return cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None


def _report(failures: list[str], seen: int) -> None:
    assert seen, "no recording was compared"
    assert not failures, f"{len(failures)} of {seen}:\n" + "\n".join(failures[:8])


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _expected_usage(usage: dict[str, Any]) -> Usage:
    """The counts, added up without the code under test."""
    made, read = (
        _number(usage.get("cache_creation_input_tokens")),
        _number(usage.get("cache_read_input_tokens")),
    )
    calls = cast("list[dict[str, Any]]", usage.get("iterations") or [])
    others = [each for each in calls if each["type"] in ("compaction", "advisor_message")]
    assert all(_number(each["cache_creation_input_tokens"]) == 0 for each in others)
    read += sum(_number(each["cache_read_input_tokens"]) for each in others)
    given = _number(usage.get("input_tokens")) + sum(_number(each["input_tokens"]) for each in others)
    created = cast("dict[str, Any]", usage.get("cache_creation") or {})
    details = cast("dict[str, Any]", usage.get("output_tokens_details") or {})
    return Usage(
        input_tokens=given + made + read,
        output_tokens=_number(usage.get("output_tokens")) + sum(_number(e["output_tokens"]) for e in others),
        cache_read_tokens=read,
        cache_write_tokens=made,
        cache_write_1h_tokens=_number(created.get("ephemeral_1h_input_tokens")),
        reasoning_tokens=_number(details.get("thinking_tokens")),
    )


@pytest.mark.parametrize("api", _APIS)
def test_each_reply_comes_back_equal(api: str) -> None:
    """A recorded message, decoded and encoded, is the same JSON, and its usage is the reported one."""
    failures: list[str] = []
    replies = [each for each in _messages(api) if each.status == 200 and not each.streaming and each.json]
    for each in replies:
        reply = _PROVIDER.decode_reply(each.json)
        found = difference(each.json, _DIALECT.encode_reply(reply, _asked(each.model)))
        if found:
            failures.append(f"{each.id} {found}")
        assert reply.usage is not None
        if reply.usage.counts != _expected_usage(each.json["usage"]):
            failures.append(f"{each.id} usage {reply.usage.counts}")
    _report(failures, len(replies))


def _wire_events(each: Exchange) -> list[WireEvent]:
    decoder = SseDecoder()
    events = [event for piece in cut(each.body, each.id) for event in decoder.feed(piece)]
    rest = decoder.finish()
    whole = [*events, *rest, *([decoder.rest() + b"\n\n"] if decoder.rest().strip() else [])]
    found = [WireEvent(name_of(event).decode(), data_of(event)) for event in whole]
    return [event for event in found if event.data]


def test_each_stream_comes_back_event_for_event() -> None:
    """A recorded stream, cut anywhere, gives back each event; its fold has the usage and the end it told."""
    failures: list[str] = []
    streams = [each for each in _messages("anthropic.messages") if each.status == 200 and each.streaming]
    for each in streams:
        decoder, encoder, assembler = _PROVIDER.stream(), _DIALECT.stream(_asked(each.model)), Assembler()
        told: dict[str, Any] = {}
        for event in _wire_events(each):
            frame = decoder.read(event.name, event.data)
            out = encoder.write(frame)
            for said in frame.events:
                assembler.add(said)
            value = json.loads(event.data)
            usage: dict[str, Any] = value.get("message", value).get("usage") or {}
            told.update({name: number for name, number in usage.items() if number is not None})
            if [each.name for each in out] != [event.name] or difference(value, json.loads(out[0].data)):
                failures.append(f"{each.id} {event.name} {difference(value, json.loads(out[0].data))}")
        if encoder.end():
            failures.append(f"{each.id} was not closed")
        reply = assembler.reply()
        if reply.usage is None or reply.usage.counts != _expected_usage(told):
            failures.append(f"{each.id} usage {reply.usage}")
        if reply.choices[0].finish is None:
            failures.append(f"{each.id} did not finish")
    _report(failures, len(streams))


@pytest.mark.parametrize("api", [*_APIS, "bedrock.invoke_stream", "anthropic.count_tokens"])
def test_each_request_comes_back_equal(api: str) -> None:
    """A recorded request, decoded and encoded for the same API, is the same JSON, and nothing is lost."""
    failures: list[str] = []
    sent = [
        each
        for each in exchanges(api)
        if each.as_sent and _member(each.request, "messages") is not None
        if api.startswith("anthropic") or "claude" in each.model
    ]
    for each in sent:
        body = each.request
        model, losses = str(body.get("model", each.model)), Losses("error")
        to = Addressee(model, profile_for(model, ROWS, DEFAULT), losses)
        if api == "anthropic.count_tokens":
            request = decode_count(body, model)
            again = count.encode_count(request, to)
        else:
            request = _DIALECT.decode_request(body, model, stream=body.get("stream") is True)
            again = _PROVIDER.encode_request(request, to)
        if found := difference(body, again):
            failures.append(f"{each.id} {found}")
    _report(failures, len(sent))


def test_counts_come_back_equal() -> None:
    """A recorded count is read and written as it was."""
    counted = [each for each in exchanges("anthropic.count_tokens") if each.status == 200]
    assert counted
    assert all(encode_count(count.decode_count(each.json)) == each.json for each in counted)


def test_recorded_errors_are_read() -> None:
    """Every recorded error gives its message, and Anthropic's their type."""
    failed = [
        each for api in [*_APIS, "anthropic.count_tokens"] for each in exchanges(api) if each.status >= 400
    ]
    for each in failed:
        error = read_error(each.body)
        assert error.message
        assert error.type == each.json.get("error", {}).get("type")
    assert failed


def test_streams_tell_what_replies_tell() -> None:
    """A recorded stream's last events are its finish, its usage and its end."""
    for each in _messages("anthropic.messages"):
        if each.status == 200 and each.streaming:
            decoder = _PROVIDER.stream()
            events = [e for wire in _wire_events(each) for e in decoder.read(wire.name, wire.data).events]
            assert isinstance(events[-1], Ended)
            assert isinstance(events[-2], UsageReported)
            assert isinstance(events[-3], ChoiceFinished)


def _without_extras(value: Any) -> Any:
    """The same as another vendor would have said it: nothing that only this shape knows."""
    if isinstance(value, tuple):
        return tuple([_without_extras(each) for each in cast("tuple[Any, ...]", value)])
    if not isinstance(value, msgspec.Struct) or isinstance(value, Opaque | Citation):
        return value
    names = [field for field in value.__struct_fields__ if field != "name"]
    changes = {name: _without_extras(getattr(value, name)) for name in names}
    if "extras" in changes:
        changes["extras"] = None
    return replace(value, **changes)


def _told(reply: ChatReply) -> list[Any]:
    """What a client can see of a reply: text, calls, thinking with its seals, the finish and the counts."""
    (choice,) = reply.choices
    assert reply.usage is not None
    parts: list[Any] = []
    for part in choice.parts:
        if isinstance(part, Text):
            parts += [part.text, len(part.citations)] if part.text else []
        elif isinstance(part, ToolCall):
            parts += [part.id, part.name, json.loads(part.arguments or "{}")]
        elif isinstance(part, Thinking):
            parts += [part.text, part.signature, part.sealed]
        elif isinstance(part, Opaque):
            parts.append(part.value)
    calls = any(isinstance(part, ToolCall) for part in choice.parts)
    return [parts, "tool_calls" if calls and choice.finish == "stop" else choice.finish, reply.usage.counts]


def _plain(reply: ChatReply) -> Any:
    return msgspec.to_builtins(_told(reply))


def test_recorded_answers_survive_the_way_of_foreign_ones() -> None:
    """Stripped of what only this shape knows, each answer reads the same, whole and as a stream."""
    failures: list[str] = []
    found = [
        each for each in _messages("anthropic.messages") if each.status == 200 and (each.json or each.streaming)
    ]
    for each in found:
        if each.body.count(b"event: message_start") > 1:
            continue  # two answers in one recording
        encoder, again = _DIALECT.stream(_asked(each.model)), _PROVIDER.stream()
        if each.streaming:
            decoder = _PROVIDER.stream()
            frames = [decoder.read(wire.name, wire.data) for wire in _wire_events(each)]
            reply = assemble([event for frame in frames for event in frame.events])
        else:
            reply = _PROVIDER.decode_reply(each.json)
            frames = [Frame("", tuple(tell(reply)))]
        wires = [wire for frame in frames for wire in encoder.write(_without_extras(frame))]
        told = [again.read(wire.name, wire.data) for wire in [*wires, *encoder.end()]]
        whole = _PROVIDER.decode_reply(_DIALECT.encode_reply(_without_extras(reply), _asked(each.model)))
        others = (whole, assemble([event for frame in told for event in frame.events]))
        lost = [difference(_plain(reply), _plain(other)) for other in others]
        failures += [f"{each.id} {each_lost}" for each_lost in lost if each_lost]
    _report(failures, len(found))
