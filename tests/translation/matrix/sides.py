"""The sides of the matrix: client dialects, provider APIs, and which of them recordings are of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from penstock.core.assemble import assemble
from penstock.core.chat import ChatReply, ChatRequest
from penstock.core.errors import ShapeError
from penstock.core.events import Frame
from penstock.core.profile import Profile, profile_for
from penstock.dialects.registry import chat_dialect
from penstock.ports.translation import Asked, WireEvent
from penstock.providers.profiles import profiles_of
from penstock.providers.registry import chat_provider
from penstock.providers.vendors.row import Vendor
from penstock.shapes.converse.framing import to_bytes
from penstock.upstream.framing import framer, opened
from penstock.wire.aws_events import EventStreamError
from penstock.wire.json_array import JsonArrayDecoder
from tests.translation.recordings import Exchange, cut

DIALECTS = ("openai.chat", "openai.completions", "openai.responses", "anthropic", "gemini", "converse")
TARGETS = (
    "openai.chat",
    "openai.responses",
    "anthropic",
    "gemini",
    "converse",
    "cohere",
    "mistral",
    "ollama",
)
# The shape of each recorded API whose replies are decoded.
APIS = {
    "openai.chat": "openai.chat",
    "openai.completions": "openai.completions",
    "openai.responses": "openai.responses",
    "anthropic.messages": "anthropic",
    "gemini.generateContent": "gemini",
    "gemini.streamGenerateContent": "gemini",
    "bedrock.converse": "converse",
    "bedrock.converse_stream": "converse",
    "cohere.chat_v2": "cohere",
    "mistral.chat": "mistral",
    "ollama.chat": "ollama",
}


def asked(request: ChatRequest | None = None) -> Asked:
    """What an encoder knows of a request."""
    return Asked(request or ChatRequest(model="a-route"), "a-route", "req-1", 1_700_000_000)


def recorded_wire_events(each: Exchange, shape: str) -> Iterator[WireEvent]:
    """The events of a recorded stream, cut at random places."""
    if isinstance(each.json, list):
        cutter = JsonArrayDecoder()
        for piece in cut(each.body, each.id):
            yield from (WireEvent("", event) for event in cutter.feed(piece))
        return
    framing = chat_provider(shape).framing
    events = framer(framing)
    raw = [event for piece in cut(each.body, each.id) for event in events.feed(piece)]
    if rest := events.rest():
        raw.append(rest)
    for event in raw:
        wire = opened(framing, event)
        if wire.data:
            yield wire


def frames_of(each: Exchange, shape: str) -> list[Frame]:
    """A recorded stream, decoded."""
    decoder = chat_provider(shape).stream()
    return [decoder.read(wire.name, wire.data) for wire in recorded_wire_events(each, shape)]


def folded(frames: list[Frame]) -> ChatReply:
    """The reply that frames tell."""
    return assemble([event for frame in frames for event in frame.events])


def retold(frames: list[Frame], shape: str, to: Asked) -> list[Frame]:
    """Frames written in a dialect, put into its framing, and read again by the provider of its shape."""
    encoder, decoder = chat_dialect(shape).stream(to), chat_provider(shape).stream()
    written = [wire for frame in frames for wire in encoder.write(frame)] + encoder.end()
    return [decoder.read(wire.name, wire.data) for wire in reframed(written, shape)]


def reframed(written: list[WireEvent], shape: str) -> list[WireEvent]:
    """Wire events as they arrive, having been bytes in between where their framing is binary."""
    if shape != "converse":
        return written
    cutter = framer("aws")
    return [opened("aws", event) for wire in written for event in cutter.feed(to_bytes(wire))]


def written_whole(reply: ChatReply, shape: str, to: Asked) -> Any:
    """A reply in a dialect, as the JSON value that a client reads."""
    return json.loads(json.dumps(chat_dialect(shape).encode_reply(reply, to)))


FRAMING_ERRORS = (EventStreamError, ShapeError)


def profile_of(shape: str, model: str = "") -> Profile:
    """What a model of this API takes; without a name, one of which nothing more is known."""
    # OpenAI's own families stand behind its shapes; who serves other models has profiles of its own.
    kind = "openai" if shape.startswith("openai.") else f"some-{shape}"
    rows, default = profiles_of(Vendor(kind=kind, title="Somebody", api=shape))
    return profile_for(model, rows, default)
