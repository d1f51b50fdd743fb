"""What a client gets in the place of an answer that a guard withholds: an answer that says so, in its dialect.

Vendors whose filters stop an answer end it with a reason of their own rather than with an error:
`content_filter` at OpenAI and Azure, `refusal` at Anthropic, `SAFETY` at Google, `content_filtered` at
Bedrock. SDKs know these, so the same is written here. A stream that has begun is read again, as the client
has it, to know what is open.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from penstock.core.chat import ChatReply, Choice, ReplyUsage
from penstock.core.events import (
    ChoiceFinished,
    Ended,
    Event,
    Frame,
    PartEnded,
    PartStarted,
    Started,
    TextDelta,
    UsageReported,
)
from penstock.core.exchange import RequestFacts
from penstock.core.parts import Refused
from penstock.core.splice import plain
from penstock.core.usage import Usage
from penstock.dialects.registry import chat_dialect
from penstock.guardrails.cutting import cutter_of
from penstock.guardrails.stream import decode_event
from penstock.pipeline.translation import asked, chat_of
from penstock.ports.translation import WireEvent
from penstock.providers.registry import chat_provider
from penstock.shapes.converse.framing import wire_event
from penstock.shapes.openai_request import OpenAIRequest
from penstock.upstream.client_framing import ClientFraming
from penstock.wire.aws_events import AwsEventDecoder
from penstock.wire.sse import data_of, name_of

_encode = msgspec.json.Encoder().encode
# Encoders leave a stream of their own shape to end by itself, so that they are told it as anybody's. What then
# has names or numbers of the encoder's own is brought to those that the client has seen.
_NAMED = frozenset({"openai.chat", "openai.completions", "openai.responses"})
_NUMBER = re.compile(rb'"sequence_number":\s*(\d+)')
_OURS = re.compile(rb'"id":"(?:(?:chat)?cmpl-|resp_)[^"]*"')


def withheld_body(request: OpenAIRequest, facts: RequestFacts, told: str, usage: Usage | None) -> bytes:
    """A whole answer without the answer."""
    reply = ChatReply(
        id=facts.request_id,
        model=facts.model,
        created_s=facts.ts_ms // 1000,
        choices=(Choice(0, (Refused(told),), "content_filter"),),
        usage=ReplyUsage(usage) if usage is not None else None,
    )
    return _encode(
        chat_dialect(request.endpoint.shape).encode_reply(reply, asked(request, chat_of(request), facts))
    )


class _Heard:
    """What a client has been told of a stream: its id, which parts are open, whether anything was said."""

    def __init__(self) -> None:
        self.id = ""
        self.begun = False
        self._spoken = False
        self._open: dict[tuple[int, int], None] = {}
        self._choices: dict[int, int] = {}  # by choice: the number of its parts

    def add(self, frame: Frame) -> None:
        """One more event of it."""
        for event in frame.events:
            if isinstance(event, Started):
                self.begun, self.id = True, event.id or self.id
            elif isinstance(event, PartStarted):
                self._open[event.choice, event.index] = None
                self._choices[event.choice] = max(self._choices.get(event.choice, 0), event.index + 1)
            elif isinstance(event, TextDelta):
                self._spoken = self._spoken or bool(event.text)
            elif isinstance(event, PartEnded):
                self._open.pop((event.choice, event.index), None)

    def ending(self, told: str) -> list[Event]:
        """What closes all that is open, with `told` where nothing was said."""
        events: list[Event] = [PartEnded(choice, index) for choice, index in self._open]
        if not self._spoken:
            at = self._choices.get(0, 0)
            events += (PartStarted(0, at, Refused("")), TextDelta(0, at, told), PartEnded(0, at))
            self._choices.setdefault(0, at)
        return [*events, *[ChoiceFinished(choice, "content_filter") for choice in self._choices]]


def withheld_stream(
    request: OpenAIRequest,
    query: bytes,
    facts: RequestFacts,
    released: list[bytes],
    told: str,
    usage: Usage | None,
) -> bytes:
    """What ends a stream of which the client has `released`, so that nothing more of the answer is in it."""
    endpoint = request.endpoint
    encoder = chat_dialect(endpoint.shape).stream(asked(request, chat_of(request), facts))
    framing = ClientFraming(endpoint.framed(query))
    heard = _Heard()
    ours: list[bytes] = []
    for frame in _frames(endpoint.shape, endpoint.framed(query), b"".join(released)):
        ours.append(framing.frame(encoder.write(plain(frame))))
        heard.add(frame)
    events: list[Event] = []
    if not heard.begun:
        events.append(Started(facts.request_id, facts.model, facts.ts_ms // 1000))
    events += heard.ending(told)
    if usage is not None:
        events.append(UsageReported(ReplyUsage(usage)))
    events.append(Ended())
    out = [framing.frame(encoder.write(Frame(events=(event,)))) for event in events]
    tail = b"".join([*out, framing.frame(encoder.end()), framing.close()])
    first = heard.id
    if endpoint.shape == "openai.responses":
        tail = _continued(b"".join(ours), b"".join(released), tail)
    return _OURS.sub(b'"id":' + _encode(first), tail) if first and endpoint.shape in _NAMED else tail


def _continued(ours: bytes, theirs: bytes, tail: bytes) -> bytes:
    """The end of a Responses stream, its items' ids and its events' numbers following what went out."""
    for at, name in _items(ours).items():
        told = _items(theirs).get(at)
        if told:
            tail = tail.replace(_encode(name), _encode(told))
    last, next_ = _NUMBER.findall(theirs), _NUMBER.search(tail)
    if not last or next_ is None:
        return tail
    offset = int(last[-1]) + 1 - int(next_[1])
    return _NUMBER.sub(lambda found: b'"sequence_number":%d' % (int(found[1]) + offset), tail)


def _items(stream: bytes) -> dict[int, str]:
    """The ids of the items that a Responses stream has begun, by their place."""
    found: dict[int, str] = {}
    for event in cutter_of("sse").feed(stream):
        if b"response.output_item.added" in event:
            value: dict[str, Any] = decode_event(data_of(event)) or {}
            item: dict[str, Any] = value.get("item") or {}
            found[value.get("output_index", 0)] = str(item.get("id") or "")
    return found


def _frames(shape: str, framing: str, released: bytes) -> list[Frame]:
    """What the client has been told so far."""
    cutter = cutter_of("aws" if framing == "aws" else "json_array" if framing == "json_array" else "sse")
    decoder = chat_provider(shape).stream()
    frames: list[Frame] = []
    for event in cutter.feed(released):
        if framing == "aws":
            (message,) = AwsEventDecoder().feed(event)
            wire = wire_event(message)
        elif framing == "sse":
            wire = WireEvent(name_of(event).decode("utf-8", "replace"), data_of(event))
        else:
            wire = WireEvent("", event)
        if wire.data:
            frames.append(decoder.read(wire.name, wire.data))
    return frames
