"""Server-sent events: cut anywhere, the same events and every byte."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.wire.sse import EventTooLargeError, SseDecoder, data_of, name_of, with_data

LINES = st.sampled_from(
    [b"data: a", b"data:b", b"data", b": comment", b"event: x", b"id: 1", b"", b"\xff\xfe", b"data: {}"]
)
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
STREAMS = st.lists(st.tuples(LINES, ENDS), max_size=24).map(lambda pairs: b"".join(a + b for a, b in pairs))


def whole(stream: bytes) -> list[bytes]:
    """The independent reading: data of each event, by lines, as the standard's algorithm has it."""
    found: list[bytes] = []
    data: list[bytes] = []
    lines = re.split(rb"\r\n|\n|\r", stream)
    for line in lines[:-1]:
        if not line:
            if data:
                found.append(b"\n".join(data))
            data = []
        elif line.startswith(b"data:"):
            data.append(line[5:].removeprefix(b" "))
    return found


def decode(pieces: list[bytes]) -> tuple[list[bytes], bytes]:
    """All events and what is left."""
    decoder = SseDecoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return events + decoder.finish(), decoder.rest()


@given(STREAMS, st.lists(st.integers(0, 200), max_size=6))
def test_a_stream_cut_anywhere_gives_the_same_data_and_loses_no_byte(stream: bytes, places: list[int]) -> None:
    """The events' data are those of the standard's line algorithm, and events and rest join to the stream."""
    cuts = sorted({min(place, len(stream)) for place in places})
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    events, rest = decode(pieces)
    assert b"".join(events) + rest == stream
    assert [data for event in events if (data := data_of(event)) or b"data:" in event] == whole(stream)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_each_byte_alone_gives_each_event_once(end: bytes) -> None:
    """All three line ends work byte by byte."""
    stream = (b"event: x" + end + b"data: 1" + end + b"data: 2" + end + end) * 3
    events, rest = decode([bytes([byte]) for byte in stream])
    assert [(name_of(event), data_of(event)) for event in events] == [(b"x", b"1\n2")] * 3
    assert rest == b""


def test_an_event_may_not_grow_without_bound() -> None:
    """Past the limit the decoder refuses rather than keeps."""
    decoder = SseDecoder(10)
    with pytest.raises(EventTooLargeError):
        decoder.feed(b"data: 12345")


@given(st.binary(max_size=20).filter(lambda data: not re.search(rb"[\r\n]", data)))
def test_replaced_data_is_read_back(data: bytes) -> None:
    """An event with new data keeps its name and has that data."""
    event = with_data(b"event: n\r\ndata: old\r\n\r\n", data)
    assert (name_of(event), data_of(event)) == (b"n", data)
