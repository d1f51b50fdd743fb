"""Every recorded exchange of the Responses API comes back equal."""

import json
from typing import Any, cast

import pytest

from penstock.core.assemble import assemble
from penstock.core.chat import ChatRequest
from penstock.core.errors import ShapeError
from penstock.core.events import Ended, Event, UsageReported
from penstock.core.losses import Losses
from penstock.core.parts import Opaque, Refused, Text, ToolCall
from penstock.core.profile import profile_for
from penstock.core.usage import Usage
from penstock.dialects.openai_responses.dialect import OpenaiResponsesDialect
from penstock.ports.translation import Addressee, Asked
from penstock.providers.openai_responses.api import OpenaiResponsesProvider
from penstock.providers.openai_responses.errors import read_error
from penstock.providers.openai_responses.profile import DEFAULT, ROWS
from penstock.wire.sse import SseDecoder, data_of, name_of
from tests.translation.recordings import Exchange, cut, difference, exchanges

DIALECT, PROVIDER = OpenaiResponsesDialect(), OpenaiResponsesProvider()
ASKED = Asked(ChatRequest(model="m"), "m", "req_1", 1)
APIS = ["openai.responses", "openai.responses.manage", "openai.responses.input_tokens"]


def _report(failures: list[str]) -> None:
    assert not failures, f"{len(failures)} differ:\n" + "\n".join(failures[:10])


def _is_response(exchange: Exchange) -> bool:
    """Lists of input items and confirmations of a deletion pass raw; a chat completion is none either."""
    return "output" in exchange.json


@pytest.mark.parametrize("api", APIS[:2])
def test_recorded_replies_come_back_equal(api: str) -> None:
    """A recorded response, read into the pivot and written again, is the same JSON in any vendor's form."""
    failures: list[str] = []
    for each in exchanges(api):
        if each.status != 200 or each.streaming or not _is_response(each):
            continue
        reply = PROVIDER.decode_reply(each.json)
        found = difference(each.json, DIALECT.encode_reply(reply, ASKED))
        if found:
            failures.append(f"{each.id} {found}")
        usage = _reported(each.json.get("usage"))
        if (reply.usage.counts if reply.usage is not None else Usage()) != usage:
            failures.append(f"{each.id} usage {reply.usage}")
    _report(failures)


def test_recorded_bodies_without_output_are_not_taken_for_answers() -> None:
    """What a vendor answers in another API's form cannot be read, and says so."""
    for each in exchanges(*APIS[:2]):
        if each.status == 200 and not each.streaming and not _is_response(each):
            with pytest.raises(ShapeError, match="output"):
                PROVIDER.decode_reply(each.json)


def test_recorded_streams_come_back_equal() -> None:
    """Each event of a stream, cut anywhere, comes back equal; their fold is the response that they end in."""
    failures: list[str] = []
    for each in exchanges("openai.responses"):
        if each.status == 200 and each.streaming:
            failures += [f"{each.id} {found}" for found in _stream_differences(each)]
    _report(failures)


def _stream_differences(exchange: Exchange) -> list[str]:
    framer, decoder, encoder = SseDecoder(), PROVIDER.stream(), DIALECT.stream(ASKED)
    raw = [event for piece in cut(exchange.body, exchange.id) for event in framer.feed(piece)] + framer.finish()
    events: list[Event] = []
    final: dict[str, Any] = {}
    for event in raw:
        data = data_of(event)
        if not data:
            continue
        frame = decoder.read(name_of(event).decode(), data)
        events += frame.events
        written = encoder.write(frame)
        if len(written) != 1 or written[0].name != frame.name:
            return [f"{len(written)} events for one"]
        if data == b"[DONE]":
            continue
        final = json.loads(data)
        if found := difference(final, json.loads(written[0].data)):
            return [f"{final.get('type')} {found}"]
    if encoder.end():
        return ["something follows its end"]
    if [event for event in events if isinstance(event, Ended)] != [Ended()]:
        return []  # several streams in a row
    return _fold_differences(events, final.get("response") or {})


def _fold_differences(events: list[Event], response: dict[str, Any]) -> list[str]:
    if response.get("status") == "failed":
        return []
    out: list[str] = []
    folded = assemble(events)
    if not response.get("output"):  # one backend leaves the output out of its last event
        return []
    whole = PROVIDER.decode_reply(response)
    (one,), (two,) = folded.choices, whole.choices
    for kind, text in ((Text, "text"), (Refused, "text"), (ToolCall, "arguments"), (ToolCall, "id")):
        these = sorted(getattr(part, text) for part in one.parts if isinstance(part, kind))
        those = sorted(getattr(part, text) for part in two.parts if isinstance(part, kind))
        if these != those:
            out.append(f"{kind.__name__} {these} {those}")
    if len([part for part in one.parts if isinstance(part, Opaque)]) != len(
        [part for part in two.parts if isinstance(part, Opaque)]
    ):
        out.append("opaque parts")
    if (one.finish, folded.model, folded.usage) != (two.finish, whole.model, whole.usage):
        out.append(f"{one.finish} {two.finish} {folded.usage}")
    if not isinstance(events[-1], Ended) or not any(isinstance(each, UsageReported) for each in events):
        out.append("no end or no usage")
    return out


def _reported(usage: dict[str, Any] | None) -> Usage:
    """The counts of a recorded usage, read without the gateway's reader."""
    found = usage or {}
    asked = cast("dict[str, int]", found.get("input_tokens_details") or {})
    made = cast("dict[str, int]", found.get("output_tokens_details") or {})
    return Usage(
        input_tokens=found.get("input_tokens", 0),
        output_tokens=found.get("output_tokens", 0),
        cache_read_tokens=asked.get("cached_tokens", 0),
        cache_write_tokens=asked.get("cache_write_tokens", 0),
        reasoning_tokens=made.get("reasoning_tokens", 0),
    )


def test_recorded_requests_come_back_equal() -> None:
    """A recorded request comes back equal; where its vendor took it, its profile finds nothing lacking."""
    failures: list[str] = []
    for each in exchanges(*APIS):
        if not each.as_sent:
            continue
        sent: dict[str, Any] = each.request
        model = sent.get("model") or ""
        request = DIALECT.decode_request(sent, model, stream=sent.get("stream") is True)
        to = Addressee(model, profile_for(model, ROWS, DEFAULT), Losses())
        if found := difference(sent, PROVIDER.encode_request(request, to)):
            failures.append(f"{each.id} {found}")
        if each.status == 200 and to.losses.warning():
            failures.append(f"{each.id} {to.losses.warning()}")
    _report(failures)


def test_recorded_errors_are_read() -> None:
    """Each recorded error body gives its sentence."""
    found = 0
    for each in exchanges(*APIS):
        if each.status >= 400:
            error = read_error(each.body)
            inner = each.json["error"]
            assert error.message == (inner if isinstance(inner, str) else inner["message"])
            assert error.code == (each.json.get("code") if isinstance(inner, str) else inner["code"])
            found += 1
    assert found
