"""Replay recorded exchanges through the decoder and the encoder of the same shape."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from penstock.core.chat import ChatRequest
from penstock.core.events import Event
from penstock.core.losses import Losses
from penstock.core.profile import Profile
from penstock.dialects.gemini.dialect import GeminiDialect
from penstock.ports.translation import Addressee, Asked, WireEvent
from penstock.providers.gemini.api import GeminiProvider
from penstock.providers.gemini.profile import DEFAULT
from penstock.wire.json_array import JsonArrayDecoder
from penstock.wire.sse import SseDecoder, data_of
from tests.translation.recordings import Exchange, cut

DIALECT = GeminiDialect()
PROVIDER = GeminiProvider()


def asked(model: str = "a-route", **fields: Any) -> Asked:
    """What an encoder knows of the request."""
    return Asked(ChatRequest(model=model, **fields), model, "req_1", 1_700_000_000)


def to(model: str = "gemini-3-pro", profile: Profile = DEFAULT, losses: Losses | None = None) -> Addressee:
    """To whom a request goes."""
    return Addressee(model, profile, losses if losses is not None else Losses())


def wire_events(each: Exchange) -> Iterator[bytes]:
    """The events of a recorded stream, cut at random places; comments and bare lines are passed over."""
    framer = JsonArrayDecoder() if isinstance(each.json, list) else SseDecoder()
    for piece in cut(each.body, each.id):
        for event in framer.feed(piece):
            data = event if isinstance(framer, JsonArrayDecoder) else data_of(event)
            if data:
                yield data
    if isinstance(framer, SseDecoder) and (data := data_of(framer.rest())):
        yield data


def replayed(payloads: Iterable[bytes]) -> tuple[list[Event], list[WireEvent]]:
    """What a stream says, and what the same shape makes of it."""
    decoder, encoder = PROVIDER.stream(), DIALECT.stream(asked())
    events: list[Event] = []
    out: list[WireEvent] = []
    for data in payloads:
        frame = decoder.read("", data)
        events += frame.events
        out += encoder.write(frame)
    return events, out + encoder.end()


def whole(reply: dict[str, Any]) -> Any:
    """What the same shape makes of a whole reply."""
    return json.loads(json.dumps(DIALECT.encode_reply(PROVIDER.decode_reply(reply), asked())))
