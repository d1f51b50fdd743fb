"""Each recorded answer, told in every other dialect and read back, says the same."""

from __future__ import annotations

import copy
from typing import Any, cast

import pytest

from penstock.core.chat import ChatReply, ChatRequest, Reasoning
from penstock.core.events import Broke, Frame
from penstock.dialects.registry import chat_dialect
from penstock.ports.translation import StreamEncoder
from penstock.providers.registry import chat_provider
from tests.translation.matrix.said import reply_difference
from tests.translation.matrix.sides import (
    APIS,
    DIALECTS,
    asked,
    folded,
    frames_of,
    reframed,
    retold,
    written_whole,
)
from tests.translation.matrix.table import cells_of
from tests.translation.recordings import Exchange, exchanges
from tests.translation.replay import Tally

# Google keeps thoughts back unless they are asked for.
CURIOUS = asked(ChatRequest(model="a-route", reasoning=Reasoning(summary="auto")))
PAIRS = [(api, dialect) for api, shape in APIS.items() for dialect in DIALECTS if dialect != shape]


def _broken(encoder: StreamEncoder, broke: Broke, dialect: str) -> str:
    """Whether an error inside a stream comes through in the dialect's words."""
    decoder = chat_provider(dialect).stream()
    frames = [decoder.read(wire.name, wire.data) for wire in reframed(encoder.fail(broke), dialect)]
    found = [event for frame in frames for event in frame.events if isinstance(event, Broke)]
    if not found:
        return "an error in the stream is not told"
    return "" if found[0].message == broke.message else f"{broke.message!r} became {found[0].message!r}"


def _stream_difference(frames: list[Frame], dialect: str) -> str:
    for at, frame in enumerate(frames):
        broke = next((event for event in frame.events if isinstance(event, Broke)), None)
        if broke is not None:  # nothing follows
            encoder = chat_dialect(dialect).stream(CURIOUS)
            for before in frames[:at]:
                encoder.write(before)
            return _broken(encoder, broke, dialect)
    back = folded(retold(frames, dialect, CURIOUS))
    return reply_difference(folded(frames), back, cells_of("replies", dialect))


def _whole_difference(reply: ChatReply, dialect: str) -> str:
    body = written_whole(reply, dialect, CURIOUS)
    return reply_difference(reply, chat_provider(dialect).decode_reply(body), cells_of("replies", dialect))


# What opens a stream: some recordings hold two, one after the other.
_OPENERS = (b'"type":"message_start"', b'"type":"response.created"')


def _is_answer(each: Exchange) -> bool:
    """Whether it is one answer of its API, and not an error that came with 200."""
    if each.status != 200:
        return False
    if each.streaming or each.body.startswith(b"["):
        plain = each.body.replace(b'": ', b'":')
        return all(plain.count(opener) <= 1 for opener in _OPENERS)
    body = cast("dict[str, Any]", each.json)
    if each.api == "openai.responses" and "output" not in body:
        return False  # another API's answer, which its decoder refuses
    return not body.get("error")


@pytest.mark.parametrize(("api", "dialect"), PAIRS, ids=["-to-".join(pair) for pair in PAIRS])
def test_a_recorded_answer_says_the_same_in_another_dialect(api: str, dialect: str) -> None:
    """Words, calls, reason and usage come back equal, apart from what the loss table says."""
    tally, shape = Tally(), APIS[api]
    for each in exchanges(api):
        if not _is_answer(each):
            continue
        if each.streaming:
            frames = frames_of(each, shape)
            if folded(frames).choices:
                tally.add(each, _stream_difference(frames, dialect))
            continue
        reply = chat_provider(shape).decode_reply(copy.deepcopy(each.json))
        if reply.choices:
            tally.add(each, _whole_difference(reply, dialect))
    tally.check(1)
