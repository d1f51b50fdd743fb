"""Recorded exchanges: decoded and encoded in the same shape they are what they were."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from penstock.core.events import UsageReported
from penstock.dialects.converse.decode import decode_count as decode_count_request
from penstock.dialects.converse.dialect import encode_count as encode_count_reply
from penstock.providers.converse.api import decode_count
from penstock.providers.converse.errors import read_error
from penstock.providers.converse.request import encode_count
from penstock.shapes.converse.framing import to_bytes, wire_event
from penstock.wire.aws_events import AwsEventDecoder, encode_message
from tests.translation.converse.made import DIALECT, PROVIDER, addressee, asked
from tests.translation.recordings import Exchange, cut, difference, exchanges

_CHAT = ("bedrock.converse", "bedrock.converse_stream")


def _verdict(failures: list[str], seen: int) -> None:
    assert seen, "no recording was looked at"
    assert not failures, f"{len(failures)} of {seen} differ:\n" + "\n".join(failures[:5])


def _totals(usage: dict[str, Any]) -> tuple[int, int, int, int]:
    """Input, output, cache reads and writes, from the vendor's object alone."""
    read, written = usage.get("cacheReadInputTokens", 0), usage.get("cacheWriteInputTokens", 0)
    return usage["totalTokens"] - usage["outputTokens"], usage["outputTokens"], read, written


def _counts(usage: Any) -> tuple[int, int, int, int]:
    counts = usage.counts
    return counts.input_tokens, counts.output_tokens, counts.cache_read_tokens, counts.cache_write_tokens


def test_recorded_replies_come_back_equal_with_their_usage() -> None:
    """Each reply with status 200; the input's total is what the vendor's own total says."""
    failures: list[str] = []
    rows = [each for each in exchanges("bedrock.converse") if each.status == 200]
    for each in rows:
        reply = PROVIDER.decode_reply(each.json)
        found = difference(each.json, DIALECT.encode_reply(reply, asked()))
        usage = each.json.get("usage")
        if not found and usage and (reply.usage is None or _counts(reply.usage) != _totals(usage)):
            found = f"usage {reply.usage} is not {usage}"
        failures += [f"{each.id}: {found}"] if found else []
    _verdict(failures, len(rows))


def test_input_tokens_are_exclusive_of_the_cache_in_recordings() -> None:
    """`totalTokens` is the sum of all four counts wherever the cache was used."""
    used = 0
    for each in exchanges("bedrock.converse"):
        usage: dict[str, Any] = each.json["usage"] if each.status == 200 else {}
        read, written = usage.get("cacheReadInputTokens", 0), usage.get("cacheWriteInputTokens", 0)
        if read or written:
            used += 1
            assert usage["inputTokens"] + usage["outputTokens"] + read + written == usage["totalTokens"]
    assert used


def _stream_difference(each: Exchange) -> str:
    framer, decoder, encoder = AwsEventDecoder(), PROVIDER.stream(), DIALECT.stream(asked())
    usage = None
    out = b""
    for piece in cut(each.body, each.id):
        for message in framer.feed(piece):
            event = wire_event(message)
            frame = decoder.read(*event)
            for told in frame.events:
                usage = told.usage if isinstance(told, UsageReported) else usage
            got = encoder.write(frame)
            if len(got) != 1 or got[0].name != event.name:
                return f"{event} became {got}"
            if found := difference(json.loads(event.data), json.loads(got[0].data)):
                return f"{event.name}{found}"
            if event.name == "metadata" and "usage" in json.loads(event.data):
                assert usage is not None
                assert _counts(usage) == _totals(json.loads(event.data)["usage"])
            out += to_bytes(got[0])
    framer.finish()
    assert encoder.end() == []
    names = [message.text(":event-type") for message in AwsEventDecoder().feed(out)]
    assert names == [message.text(":event-type") for message in AwsEventDecoder().feed(each.body)]
    return ""


def test_recorded_streams_come_back_event_for_event() -> None:
    """Cut at random bytes; usage as reported; nothing is added at the end."""
    rows = [each for each in exchanges("bedrock.converse_stream") if each.status == 200]
    failures = [f"{each.id}: {found}" for each in rows if (found := _stream_difference(each))]
    _verdict(failures, len(rows))


def test_recorded_frames_are_written_as_the_vendor_wrote_them() -> None:
    """Every recorded event stream, model-specific ones too, is the same bytes after reading and writing."""
    rows = [
        each
        for each in exchanges("bedrock.converse_stream", "bedrock.invoke_stream")
        if each.status == 200 and each.body[:1] == b"\0"
    ]
    for each in rows:
        framer = AwsEventDecoder()
        messages = [message for piece in cut(each.body, each.id) for message in framer.feed(piece)]
        framer.finish()
        assert b"".join([encode_message(*message) for message in messages]) == each.body
        for message in messages:
            data = json.loads(message.payload)
            assert each.api != "bedrock.invoke_stream" or json.loads(base64.b64decode(data["bytes"]))
    assert rows


@pytest.mark.parametrize("api", _CHAT)
def test_recorded_requests_come_back_equal(api: str) -> None:
    """Each request that was recorded as sent, for the model that it was sent to; nothing is lost."""
    failures: list[str] = []
    rows = [each for each in exchanges(api) if each.as_sent]
    for each in rows:
        to = addressee(each.model)
        request = DIALECT.decode_request(each.request, each.model, stream=each.streaming)
        found = difference(each.request, PROVIDER.encode_request(request, to)) or to.losses.warning()
        failures += [f"{each.id}: {found}"] if found else []
    _verdict(failures, len(rows))


def test_recorded_counts_of_tokens() -> None:
    """Requests in Converse's words and all answers come back; those in a model's own words are not read."""
    for each in exchanges("bedrock.count_tokens"):
        request = decode_count_request(each.request, each.model)
        assert (request is None) is ("invokeModel" in each.request["input"])
        if request is not None:
            assert not difference(each.request, encode_count(request, addressee(each.model)))
        if each.status == 200:
            assert encode_count_reply(decode_count(each.json)) == each.json


def test_recorded_errors_are_read() -> None:
    """Each body with an error status gives its sentence, and the header its type."""
    rows = [each for each in exchanges(*_CHAT, "bedrock.count_tokens") if each.status >= 400]
    assert rows
    for each in rows:
        header = each.headers.get("x-amzn-errortype", "")
        error = read_error(each.body, header)
        assert error.message == each.json["message"]
        assert (error.type or "") == header.partition(":")[0]
