"""Recorded answers with something new in them come back as they were changed, whole and in streams."""

from __future__ import annotations

import copy
import json
import random
from typing import Any, cast

import msgspec
import pytest

from penstock.core.errors import ShapeError
from penstock.dialects.registry import chat_dialect
from penstock.providers.registry import chat_provider
from tests.translation.matrix.sides import APIS, DIALECTS, asked, recorded_wire_events
from tests.translation.recordings import Exchange, difference, exchanges
from tests.translation.replay import Tally

SAME = {api: shape for api, shape in APIS.items() if shape in DIALECTS}
_NEW = {"deep": [1, None, {"x": ""}]}
_SAMPLE = 120
# A choice in OpenAI's shapes and a candidate in Google's is known by its index: a new kind of them is none.
_COUNTED = ("choices", "candidates")


def _places(value: Any, found: list[tuple[dict[str, Any], str]]) -> None:
    """Every member of every object."""
    if isinstance(value, dict):
        holder = cast("dict[str, Any]", value)
        for name in holder:
            found.append((holder, name))
            _places(holder[name], found)
    elif isinstance(value, list):
        for each in cast("list[Any]", value):
            _places(each, found)


def _changed(value: Any, draw: random.Random) -> Any:
    """A copy with a new member, another word, or an item of a new kind; None where nothing fits."""
    out = copy.deepcopy(value)
    places: list[tuple[dict[str, Any], str]] = []
    _places(out, places)
    draw.shuffle(places)
    for holder, name in places:
        old = holder[name]
        if isinstance(old, dict):
            old["a_new_member"] = _NEW
        elif isinstance(old, str) and name in (
            "type",
            "finish_reason",
            "stop_reason",
            "finishReason",
            "status",
        ):
            holder[name] = "a_new_word"
        elif isinstance(old, list) and old and isinstance(old[0], dict) and name not in _COUNTED:
            cast("list[Any]", old).append({"type": "a_new_kind", **_NEW})
        else:
            continue
        return out
    return None


def _whole(each: Exchange, shape: str, draw: random.Random) -> str:
    changed = _changed(each.json, draw)
    try:
        reply = chat_provider(shape).decode_reply(copy.deepcopy(changed))
    except ShapeError as error:
        return str(error)
    return difference(changed, json.loads(json.dumps(chat_dialect(shape).encode_reply(reply, asked()))))


def _streamed(each: Exchange, shape: str, draw: random.Random) -> str:
    events = list(recorded_wire_events(each, shape))
    at = draw.randrange(len(events))
    if not events[at].data.startswith(b"{"):
        return ""
    changed = _changed(json.loads(events[at].data), draw)
    decoder, encoder = chat_provider(shape).stream(), chat_dialect(shape).stream(asked())
    for place, event in enumerate(events):
        data = msgspec.json.encode(changed) if place == at and changed is not None else event.data
        written = encoder.write(decoder.read(event.name, data))
        if len(written) != 1:
            return f"{written} for {data[:200]!r}"
        if data.startswith(b"{") and (found := difference(json.loads(data), json.loads(written[0].data))):
            return f"{found} in {data[:300]!r}"
    return ""


@pytest.mark.parametrize("api", SAME)
def test_what_is_new_in_an_answer_comes_back(api: str) -> None:
    """Other members, other words, other kinds of items: a client of the vendor's own API sees them all."""
    shape, draw, tally = SAME[api], random.Random(api), Tally()
    answers = [each for each in exchanges(api) if each.status == 200 and len(each.body) < 60_000]
    for each in draw.sample(answers, min(_SAMPLE, len(answers))):
        if each.streaming:
            tally.add(each, _streamed(each, shape, draw))
        elif each.body.startswith(b"{") and (
            shape != "openai.responses" or '"output"' in json.dumps(each.json)
        ):
            tally.add(each, _whole(each, shape, draw))
    tally.check(10)
