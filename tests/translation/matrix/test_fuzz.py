"""No decoder raises anything but its own error, and what was decoded can be said in every other shape."""

from __future__ import annotations

import json
import random
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.upstream.framing import framer
from penstock.wire.sse import EventTooLargeError
from tests.translation.matrix.attack import (
    PROVIDERS,
    attack_framer,
    attack_reply,
    attack_request,
    attack_stream,
    mutated,
    reply_seeds,
    request_seeds,
    stream_seeds,
)
from tests.translation.matrix.sides import APIS, DIALECTS, recorded_wire_events
from tests.translation.recordings import exchanges

SEEDS = st.integers(0, 2**32)
_SLOW = settings(max_examples=40, deadline=None)
_cached_requests, _cached_replies, _cached_streams = (
    cache(request_seeds),
    cache(reply_seeds),
    cache(stream_seeds),
)
ASKED_OF = {api: shape for api, shape in APIS.items() if shape in DIALECTS}


def _json(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return json.dumps(value).encode()


@pytest.mark.parametrize("shape", DIALECTS)
@_SLOW
@given(seed=SEEDS)
def test_changed_requests_are_refused_or_sent_anywhere(shape: str, seed: int) -> None:
    """Members dropped, replaced, doubled and retyped."""
    draw = random.Random(seed)
    attack_request(shape, mutated(draw.choice(_cached_requests(shape)), draw))


@pytest.mark.parametrize("shape", PROVIDERS)
@_SLOW
@given(seed=SEEDS)
def test_changed_replies_are_refused_or_told_to_anyone(shape: str, seed: int) -> None:
    """The same for whole replies and for the events of streams, some of them in another order."""
    draw = random.Random(seed)
    attack_reply(shape, mutated(draw.choice(_cached_replies(shape)), draw))
    events = [
        (name, _json(mutated(value, draw) if draw.random() < 0.4 else value))
        for name, value in draw.choice(_cached_streams(shape))
        if draw.random() < 0.9
    ]
    if draw.random() < 0.3:
        draw.shuffle(events)
    attack_stream(shape, events)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=80) | st.sampled_from([b"data: {}\n\n", b"[{},{}]", b"\x00\x00\x00\x10" * 5]), SEEDS)
def test_any_bytes_are_cut_into_events_or_refused(data: bytes, seed: int) -> None:
    """Framers raise their own errors alone, and hold back no more than they were given."""
    attack_framer(data, seed % (len(data) + 1))
    for framing in ("sse", "ndjson", "aws"):
        cutter = framer(framing)
        try:
            events = cutter.feed(data)
        except EventTooLargeError:
            continue
        assert sum(map(len, events)) + len(cutter.rest()) <= len(data)


@pytest.mark.parametrize("api", ASKED_OF)
def test_changed_recorded_requests_are_refused_or_sent_anywhere(api: str) -> None:
    """Sixty of each API, the same ones every time."""
    asked = [each for each in exchanges(api) if isinstance(each.request, dict) and len(each.body) < 60_000]
    draw = random.Random(api)
    for each in draw.sample(asked, min(60, len(asked))):
        if len(str(each.request)) < 30_000:
            attack_request(ASKED_OF[api], mutated(each.request, draw, 6))


@pytest.mark.parametrize("api", APIS)
def test_changed_recorded_replies_are_refused_or_told_to_anyone(api: str) -> None:
    """Sixty of each API, whole or as a stream of fifty events."""
    shape, draw = APIS[api], random.Random(api)
    answers = [each for each in exchanges(api) if len(each.body) < 60_000 and each.status == 200]
    for each in draw.sample(answers, min(60, len(answers))):
        if not each.streaming and each.body.startswith(b"{"):
            attack_reply(shape, mutated(each.json, draw, 6))
            continue
        events: list[tuple[str, bytes]] = []
        for wire in list(recorded_wire_events(each, shape))[:50]:
            value: Any = None if wire.data == b"[DONE]" else json.loads(wire.data)
            events.append((wire.name, _json(mutated(value, draw)) if draw.random() < 0.3 else wire.data))
        attack_stream(shape, events)
