"""Run recordings through a dialect and a provider, and gather where they differ."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from penstock.core.chat import ChatReply, ChatRequest
from penstock.core.errors import ShapeError
from penstock.core.events import Event
from penstock.core.losses import Losses
from penstock.core.profile import Profile
from penstock.ports.translation import Addressee, Asked, ChatDialect, ChatProvider, StreamEncoder, WireEvent
from penstock.wire.sse import SseDecoder, data_of, name_of
from tests.translation.recordings import Exchange, cut, difference

ASKED = Asked(ChatRequest(model="asked-model"), "asked-model", "r1", 1700000000)


def to(profile: Profile | None = None, model: str = "m", losses: Losses | None = None) -> Addressee:
    """An addressee that takes everything, unless told otherwise."""
    return Addressee(model, profile or Profile(), losses or Losses())


@dataclass
class Tally:
    """How many were compared, and what was wrong."""

    seen: int = 0
    wrong: list[str] = field(default_factory=list[str])

    def add(self, exchange: Exchange, found: str) -> None:
        """One comparison; `found` is empty where it held."""
        self.seen += 1
        if found:
            self.wrong.append(f"{exchange.id} {found}")

    def check(self, least: int) -> None:
        """Fails with the first few."""
        shown = "\n".join(self.wrong[:5])
        assert not self.wrong, f"{len(self.wrong)} of {self.seen} differ:\n{shown}"
        assert self.seen >= least


def wire_events(body: bytes, seed: str) -> Iterator[tuple[str, bytes]]:
    """The events with data, whatever places the body is cut at."""
    framer = SseDecoder()
    for piece in cut(body, seed):
        for event in framer.feed(piece):
            if data := data_of(event):
                yield name_of(event).decode(), data


def request_difference(exchange: Exchange, dialect: ChatDialect, provider: ChatProvider) -> str:
    """What a recorded request loses between its dialect and a provider."""
    body: dict[str, Any] = copy.deepcopy(exchange.request)
    try:
        request = dialect.decode_request(body, body["model"], stream=bool(body.get("stream")))
    except ShapeError as error:
        return str(error)
    return difference(exchange.request, provider.encode_request(request, to(model=exchange.request["model"])))


def reply_difference(exchange: Exchange, dialect: ChatDialect, provider: ChatProvider) -> str:
    """What a recorded reply loses between its provider and the dialect of the same shape."""
    encoded = dialect.encode_reply(provider.decode_reply(copy.deepcopy(exchange.json)), ASKED)
    return difference(exchange.json, json.loads(json.dumps(encoded)))


def stream_difference(exchange: Exchange, dialect: ChatDialect, provider: ChatProvider) -> str:
    """Where a recorded stream's events differ from those that come out again."""
    decoder, encoder = provider.stream(), dialect.stream(ASKED)
    for name, data in wire_events(exchange.body, exchange.id):
        written = encoder.write(decoder.read(name, data))
        if len(written) != 1 or written[0].name != name:
            return f"{written} for {data[:200]!r}"
        if found := difference(_json(data), _json(written[0].data)):
            return f"{found} in {data[:200]!r}"
    return ""


def _json(data: bytes) -> Any:
    return data.decode() if data == b"[DONE]" else json.loads(data)


def stream_events(body: bytes, seed: str, provider: ChatProvider) -> list[Event]:
    """All events of a stream."""
    decoder = provider.stream()
    return [event for name, data in wire_events(body, seed) for event in decoder.read(name, data).events]


def chunks(written: list[WireEvent]) -> list[Any]:
    """The wire events as JSON values."""
    return [_json(each.data) for each in written]


def through(events: list[tuple[str, bytes]], provider: ChatProvider, encoder: StreamEncoder) -> list[WireEvent]:
    """A stream decoded by a provider and written by an encoder to its end."""
    decoder = provider.stream()
    out: list[WireEvent] = []
    for name, data in events:
        out += encoder.write(decoder.read(name, data))
    return out + encoder.end()


def told(reply: ChatReply) -> list[Any]:
    """What a reply says, extras aside: parts and reason of each answer, and the counts."""
    said: list[Any] = []
    for choice in reply.choices:
        parts = [
            (
                type(part).__name__,
                getattr(part, "text", ""),
                getattr(part, "name", ""),
                getattr(part, "arguments", ""),
            )
            for part in choice.parts
        ]
        said.append((choice.index, parts, choice.finish))
    return [said, reply.usage.counts if reply.usage is not None else None]
