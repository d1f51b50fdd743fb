"""What a client gets in the place of an answer that a guard withholds: an answer that says so, in its dialect.

Vendors whose filters stop an answer end it with a reason of their own rather than with an error:
`content_filter` at OpenAI and Azure, `refusal` at Anthropic, `SAFETY` at Google, `content_filtered` at
Bedrock. SDKs know these, so the same is written here. A stream that has begun is read again, as the client
has it, to know what is open.
"""

from __future__ import annotations

import re

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
from penstock.pipeline.translation import asked, chat_of
from penstock.ports.translation import WireEvent
from penstock.providers.registry import chat_provider
from penstock.shapes.converse.framing import wire_event
from penstock.shapes.openai_request import OpenAIRequest
from penstock.upstream.client_framing import ClientFraming
from penstock.wire.aws_events import AwsEventDecoder
from penstock.wire.sse import data_of, name_of

_encode = msgspec.json.Encoder().encode
# Encoders leave a stream of their own shape to end by itself, so that they are told it as anybody's. Events of
# the Responses API carry the ids of what they belong to, which only its own frames have.
_RESPONSES = "openai.responses"
# Chunks of these all carry one id.
_NAMED = frozenset({"openai.chat", "openai.completions"})
_OURS = re.compile(rb'"id":"(?:chat)?cmpl-[^"]*"')


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
    open_parts: dict[tuple[int, int], None] = {}
    choices: dict[int, int] = {}  # by choice: the number of its parts
    begun = spoken = False
    first = ""
    for frame in _frames(endpoint.shape, endpoint.framed(query), b"".join(released)):
        framing.frame(encoder.write(frame if endpoint.shape == _RESPONSES else plain(frame)))
        for event in frame.events:
            if isinstance(event, Started):
                begun, first = True, event.id or first
            elif isinstance(event, PartStarted):
                open_parts[event.choice, event.index] = None
                choices[event.choice] = max(choices.get(event.choice, 0), event.index + 1)
            elif isinstance(event, TextDelta):
                spoken = spoken or bool(event.text)
            elif isinstance(event, PartEnded):
                open_parts.pop((event.choice, event.index), None)
    events: list[Event] = []
    if not begun:
        events.append(Started(facts.request_id, facts.model, facts.ts_ms // 1000))
    events += [PartEnded(choice, index) for choice, index in open_parts]
    if not spoken:
        at = choices.get(0, 0)
        events += (PartStarted(0, at, Refused("")), TextDelta(0, at, told), PartEnded(0, at))
        choices.setdefault(0, at)
    events += [ChoiceFinished(choice, "content_filter") for choice in choices]
    if usage is not None:
        events.append(UsageReported(ReplyUsage(usage)))
    events.append(Ended())
    out = [framing.frame(encoder.write(Frame(events=(event,)))) for event in events]
    tail = b"".join([*out, framing.frame(encoder.end()), framing.close()])
    return _OURS.sub(b'"id":' + _encode(first), tail) if first and endpoint.shape in _NAMED else tail


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
