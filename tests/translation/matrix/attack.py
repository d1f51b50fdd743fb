"""Run any JSON value through every decoder, and what could be decoded through every encoder."""

from __future__ import annotations

import copy
import json
import random
from contextlib import suppress
from typing import Any, cast

import msgspec

from penstock.core.assemble import assemble, tell
from penstock.core.errors import ShapeError
from penstock.core.events import Event, Frame
from penstock.core.losses import Losses, UnsupportedError
from penstock.dialects.cohere.dialect import CohereDialect
from penstock.dialects.ollama.dialect import OllamaDialect
from penstock.dialects.registry import chat_dialect
from penstock.ports.translation import Addressee, ChatDialect
from penstock.providers.registry import chat_provider
from penstock.upstream.framing import framer, opened
from penstock.wire.json_array import ArrayFormatError, JsonArrayDecoder
from penstock.wire.ndjson import LineTooLongError
from penstock.wire.sse import EventTooLargeError
from tests.translation.matrix.classify import CURIOUS
from tests.translation.matrix.reply_probes import PROBES as REPLIES
from tests.translation.matrix.request_probes import PROBES as REQUESTS
from tests.translation.matrix.sides import DIALECTS, TARGETS, profile_of

PROVIDERS = (*TARGETS, "openai.completions")
_ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 10**20, 10**400, 1e308, "", "x", "\0", "a" * 5000, "data:;base64,!", "x-ps1-AAAA",
    [], {}, [None], [[]], {"type": "x"}, {"k" * 3000: 1},
)  # fmt: skip


def dialect_of(shape: str) -> ChatDialect:
    """A dialect, those included that only tests speak."""
    if shape in ("cohere", "ollama"):
        return CohereDialect() if shape == "cohere" else OllamaDialect()
    return chat_dialect("openai.chat" if shape == "mistral" else shape)


def request_seeds(shape: str) -> list[dict[str, Any]]:
    """Every probe as a request of this shape."""
    bodies: list[dict[str, Any]] = []
    for probe in REQUESTS:
        with suppress(UnsupportedError):
            to = Addressee("m", profile_of(shape), Losses())
            bodies.append(json.loads(json.dumps(chat_provider(shape).encode_request(probe.request, to))))
    return bodies


def reply_seeds(shape: str) -> list[dict[str, Any]]:
    """Every probe as a reply of this shape."""
    return [json.loads(json.dumps(dialect_of(shape).encode_reply(each.reply, CURIOUS))) for each in REPLIES]


def stream_seeds(shape: str) -> list[list[tuple[str, Any]]]:
    """Every probe as the events of a stream of this shape."""
    seeds: list[list[tuple[str, Any]]] = []
    for probe in REPLIES:
        encoder = dialect_of(shape).stream(CURIOUS)
        written = [wire for event in tell(probe.reply) for wire in encoder.write(Frame("", (event,)))]
        events = written + encoder.end()
        seeds.append([(name, json.loads(data)) for name, data in events if data not in (b"[DONE]", b"")])
    return seeds


def mutated(value: Any, draw: random.Random, changes: int = 3) -> Any:
    """A copy in which members are dropped, replaced, doubled or given another type."""
    out = copy.deepcopy(value)
    for _ in range(draw.randint(1, changes)):
        places: list[tuple[Any, Any]] = []
        _gather(out, places)
        if not places:
            return out
        holder, key = draw.choice(places)
        _change(holder, key, draw, places)
    return out


def _gather(value: Any, places: list[tuple[Any, Any]]) -> None:
    if isinstance(value, dict):
        held = cast("dict[str, Any]", value)
        keys: list[Any] = list(held)
    elif isinstance(value, list):
        held, keys = cast("Any", value), list(range(len(cast("list[Any]", value))))
    else:
        return
    for key in keys:
        places.append((held, key))
        _gather(held[key], places)


def _change(holder: Any, key: Any, draw: random.Random, places: list[tuple[Any, Any]]) -> None:
    kind = draw.randrange(5)
    if kind == 0:
        del holder[key]
    elif kind == 1:
        holder[key] = copy.deepcopy(draw.choice(_ODD))
    elif kind == 2:
        other, at = draw.choice(places)
        holder[key] = copy.deepcopy(other[at])
    elif kind == 3:
        holder[key] = [holder[key]] if draw.random() < 0.5 else {"type": "text", "text": holder[key]}
    elif isinstance(holder, list):
        items = cast("list[Any]", holder)
        items.insert(key, copy.deepcopy(items[key]))
    else:
        holder[str(draw.choice(_ODD))] = copy.deepcopy(holder[key])


def _copy(body: dict[str, Any]) -> dict[str, Any]:
    """The body as it arrives."""
    return msgspec.json.decode(msgspec.json.encode(body))


def _sent(value: Any) -> None:
    """What goes out is JSON, apart from lone surrogates, which no client's or vendor's parser lets in."""
    with suppress(UnicodeEncodeError):
        msgspec.json.encode(value)


def attack_request(shape: str, body: dict[str, Any]) -> None:
    """A request of a dialect, for every target."""
    try:
        request = dialect_of(shape).decode_request(_copy(body), "m", stream=False)
    except ShapeError:
        return
    for target in PROVIDERS:
        with suppress(ShapeError, UnsupportedError):
            to = Addressee("m", profile_of(target), Losses())
            _sent(chat_provider(target).encode_request(request, to))


def attack_reply(shape: str, body: dict[str, Any]) -> None:
    """A vendor's reply, for every client."""
    try:
        reply = chat_provider(shape).decode_reply(_copy(body))
    except ShapeError:
        return
    for dialect in DIALECTS:
        with suppress(ShapeError):
            _sent(chat_dialect(dialect).encode_reply(reply, CURIOUS))


def attack_stream(shape: str, events: list[tuple[str, bytes]]) -> None:
    """A vendor's events, for every client."""
    decoder = chat_provider(shape).stream()
    frames: list[Frame] = []
    for name, data in events:
        with suppress(ShapeError):
            frames.append(decoder.read(name, data))
    told: list[Event] = [event for frame in frames for event in frame.events]
    assemble(told)
    for dialect in DIALECTS:
        encoder = chat_dialect(dialect).stream(CURIOUS)
        for frame in frames:
            encoder.write(frame)
        encoder.end()


def attack_framer(data: bytes, cut: int) -> None:
    """Any bytes, in two pieces, as every framing."""
    for framing in ("sse", "ndjson", "aws"):
        cutter = framer(framing)
        for piece in (data[:cut], data[cut:]):
            with suppress(EventTooLargeError, LineTooLongError):
                for event in cutter.feed(piece):
                    with suppress(ShapeError):
                        opened(framing, event)
        cutter.rest()
    array = JsonArrayDecoder()
    for piece in (data[:cut], data[cut:]):
        with suppress(ArrayFormatError, EventTooLargeError):
            array.feed(piece)
