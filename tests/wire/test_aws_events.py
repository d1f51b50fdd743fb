from __future__ import annotations

import contextlib
import datetime as dt
import random
import struct
import uuid
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.wire.aws_events import (
    MAX_HEADERS_BYTES,
    MAX_PAYLOAD_BYTES,
    AwsEventDecoder,
    AwsMessage,
    Byte,
    EventStreamError,
    HeaderValue,
    Long,
    Short,
    encode_message,
)

_CALM = settings(deadline=None)  # a busy machine is no finding
_EVENT = {":event-type": "messageStop", ":content-type": "application/json", ":message-type": "event"}
_TIMES = st.integers(-(2**40), 2**41).map(
    lambda ms: dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=ms)
)
_VALUES: st.SearchStrategy[HeaderValue] = st.one_of(
    st.booleans(),
    st.integers(-(2**7), 2**7 - 1).map(Byte),
    st.integers(-(2**15), 2**15 - 1).map(Short),
    st.integers(-(2**31), 2**31 - 1),
    st.integers(-(2**63), 2**63 - 1).map(Long),
    st.binary(max_size=40),
    st.text(max_size=40),
    _TIMES,
    st.uuids(),
)
_NAMES = st.text(min_size=1, max_size=20).filter(lambda name: 0 < len(name.encode()) < 256)
_MESSAGES = st.lists(
    st.tuples(st.dictionaries(_NAMES, _VALUES, max_size=5), st.binary(max_size=200)), max_size=4
).map(lambda pairs: [AwsMessage(headers, payload) for headers, payload in pairs])


def _stream(messages: list[AwsMessage]) -> bytes:
    return b"".join([encode_message(message.headers, message.payload) for message in messages])


def _read_all(wire: bytes, found: list[AwsMessage]) -> None:
    decoder = AwsEventDecoder()
    for at in range(0, len(wire), 50):
        found += decoder.feed(wire[at : at + 50])
    decoder.finish()


def test_a_message_is_written_as_the_format_says() -> None:
    """An event with an empty object is the same bytes as botocore's parser was seen to read."""
    wire = encode_message(_EVENT, b"{}")
    assert wire[:4] == len(wire).to_bytes(4)
    assert wire[12:38] == b"\x0b:event-type\x07\x00\x0bmessageStop"
    assert AwsEventDecoder().feed(wire) == [AwsMessage(dict(_EVENT), b"{}")]


@_CALM
@given(_MESSAGES, st.integers(0, 2**32), st.sampled_from([1, 3, 17, 1000]))
def test_a_stream_cut_anywhere_gives_the_same_messages(
    messages: list[AwsMessage], seed: int, most: int
) -> None:
    """Headers of every type and payloads come back, whatever the pieces are; number widths are kept."""
    wire, draw, decoder = _stream(messages), random.Random(seed), AwsEventDecoder()
    found: list[AwsMessage] = []
    at = 0
    while at < len(wire):
        size = draw.randint(1, most)
        found += decoder.feed(wire[at : at + size])
        at += size
    decoder.finish()
    assert found == messages
    assert _stream(found) == wire


@_CALM
@given(_MESSAGES.filter(bool), st.data())
def test_a_flipped_bit_is_an_error_and_never_another_message(
    messages: list[AwsMessage], data: st.DataObject
) -> None:
    """What was read before the damage is right, the damaged message is never given out, and an error comes."""
    wire = bytearray(_stream(messages))
    bit = data.draw(st.integers(0, len(wire) * 8 - 1))
    wire[bit // 8] ^= 1 << bit % 8
    found: list[AwsMessage] = []
    with pytest.raises(EventStreamError):
        _read_all(bytes(wire), found)
    assert found == messages[: len(found)]
    assert len(found) < len(messages)


@_CALM
@given(st.binary(max_size=300))
def test_random_bytes_raise_nothing_but_the_streams_own_error(data: bytes) -> None:
    """Neither in a stream nor as a message's headers, with checksums that hold."""
    with contextlib.suppress(EventStreamError):
        AwsEventDecoder().feed(data)
    prelude = struct.pack(">II", 16 + len(data), len(data))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + data
    with contextlib.suppress(EventStreamError):
        AwsEventDecoder().feed(message + struct.pack(">I", zlib.crc32(message)))


@pytest.mark.parametrize(
    ("total", "headers"),
    [(15, 0), (16, 1), (2**32 - 1, 0), (MAX_PAYLOAD_BYTES + 17, 0), (2**31, MAX_HEADERS_BYTES + 1)],
)
def test_sizes_that_cannot_be_are_refused_at_the_prelude(total: int, headers: int) -> None:
    """A message that claims to be huge is refused before anything is held back for it."""
    prelude = struct.pack(">II", total, headers)
    with pytest.raises(EventStreamError):
        AwsEventDecoder().feed(prelude + struct.pack(">I", zlib.crc32(prelude)))


def test_after_an_error_nothing_is_read_and_a_cut_stream_is_an_error() -> None:
    """Good messages before the damage are given out; every later call says that the stream broke."""
    good, decoder = encode_message(_EVENT, b"{}"), AwsEventDecoder()
    assert len(decoder.feed(good + b"\0" * 12)) == 1
    with pytest.raises(EventStreamError):
        decoder.feed(good)
    short = AwsEventDecoder()
    short.feed(good[:-1])
    with pytest.raises(EventStreamError):
        short.finish()


def test_what_does_not_fit_is_not_written() -> None:
    """Names, numbers and sizes outside the format are the caller's error, not a broken stream."""
    for headers in ({"": "x"}, {"n" * 256: "x"}, {"n": 2**31}, {"n": Byte(200)}, {"n": "x" * 70000}):
        with pytest.raises(EventStreamError):
            encode_message(headers, b"")
    with pytest.raises(EventStreamError):
        encode_message({}, b"x" * (MAX_PAYLOAD_BYTES + 1))


def test_a_header_that_stands_twice_or_is_of_no_known_type_is_refused() -> None:
    """Readers of different makers would disagree about such a message."""
    for headers in (b"\x01a\x00\x01a\x01", b"\x01a\x0a", b"\x00\x00", b"\x01a\x09abc", b"\x01\xff\x00"):
        prelude = struct.pack(">II", 16 + len(headers), len(headers))
        message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers
        with pytest.raises(EventStreamError):
            AwsEventDecoder().feed(message + struct.pack(">I", zlib.crc32(message)))


def test_text_of_a_header() -> None:
    """A header that is missing or no string reads as empty."""
    message = AwsMessage({"a": "x", "b": 1, "c": uuid.UUID(int=0)}, b"")
    assert [message.text(name) for name in "abcd"] == ["x", "", "", ""]
