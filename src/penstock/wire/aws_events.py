"""AWS event streams (`application/vnd.amazon.eventstream`): cut bytes into messages, and write messages.

A message is a prelude (total length, length of the headers, CRC-32 of these), headers, a payload, and a CRC-32
of everything before it; numbers are big-endian. The format is in
https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html#streaming-event-stream.
"""

from __future__ import annotations

import datetime as dt
import struct
import uuid
import zlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple, TypeAlias

PRELUDE_BYTES = 12
_SMALLEST = 16  # a prelude and the last checksum
MAX_HEADERS_BYTES = 128 * 1024
MAX_PAYLOAD_BYTES = 24 * 1024 * 1024
_COMMON = 200  # bytes of headers that are worth remembering
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND = dt.timedelta(milliseconds=1)


class Byte(int):
    """A header value of one byte."""


class Short(int):
    """A header value of two bytes."""


class Long(int):
    """A header value of eight bytes; a plain int has four."""


HeaderValue: TypeAlias = bool | int | bytes | str | dt.datetime | uuid.UUID


class EventStreamError(ValueError):
    """The bytes are not an event stream: a checksum fails, a size is wrong, or the stream was cut off."""


class AwsMessage(NamedTuple):
    """One message. Widths of numbers are kept: a four-byte one is an int, others are Byte, Short and Long."""

    headers: dict[str, HeaderValue]
    payload: bytes

    def text(self, header: str) -> str:
        """A header that is a string; empty where there is none."""
        value = self.headers.get(header)
        return value if isinstance(value, str) else ""


class AwsEventDecoder:
    """Cuts a stream into messages, at whatever places it arrives cut.

    A message is given out only when both its checksums hold; after an error the stream cannot be read on.
    """

    __slots__ = ("_broken", "_need", "_rest")

    def __init__(self) -> None:
        self._rest = bytearray()
        self._need = 0  # size of the message that has begun, 0 before its prelude is complete
        self._broken = False

    def feed(self, data: bytes) -> list[AwsMessage]:
        """The messages that `data` completes. Raises EventStreamError, also at every later call."""
        if self._broken:
            raise EventStreamError("the event stream broke before")
        rest = self._rest
        rest += data
        messages: list[AwsMessage] = []
        at = 0
        try:
            while len(rest) - at >= (self._need or PRELUDE_BYTES):
                if not self._need:
                    self._need = _size(rest, at)
                    continue
                messages.append(_message(bytes(memoryview(rest)[at : at + self._need])))
                at += self._need
                self._need = 0
        except EventStreamError:
            self._broken = True
            if not messages:
                raise
        del rest[:at]
        return messages

    def finish(self) -> None:
        """At the end of the stream. Raises EventStreamError where a message is incomplete."""
        if self._broken or self._rest:
            self._broken = True
            raise EventStreamError("the event stream ends inside a message, or broke before")


def _size(data: bytearray, at: int) -> int:
    """The size of the message at this place, from a prelude that has been checked."""
    total, headers, check = struct.unpack_from(">III", data, at)
    if zlib.crc32(memoryview(data)[at : at + 8]) != check:
        raise EventStreamError("the checksum of a message's prelude is wrong")
    if headers > MAX_HEADERS_BYTES:
        raise EventStreamError(f"a message's headers are larger than {MAX_HEADERS_BYTES} bytes")
    payload = total - headers - _SMALLEST
    if payload < 0:
        raise EventStreamError("a message is smaller than its parts")
    if payload > MAX_PAYLOAD_BYTES:
        raise EventStreamError(f"a message is larger than {MAX_PAYLOAD_BYTES} bytes")
    return int(total)


def _message(data: bytes) -> AwsMessage:
    if zlib.crc32(data[:-4]) != int.from_bytes(data[-4:]):
        raise EventStreamError("the checksum of a message is wrong")
    end = PRELUDE_BYTES + int.from_bytes(data[4:8])
    return AwsMessage(_headers(data[PRELUDE_BYTES:end]), data[end:-4])


def _headers(data: bytes) -> dict[str, HeaderValue]:
    return dict(_common_headers(data)) if len(data) < _COMMON else _read_headers(data)


def _read_headers(data: bytes) -> dict[str, HeaderValue]:
    headers: dict[str, HeaderValue] = {}
    at = 0
    try:
        while at < len(data):
            name_end = at + 1 + data[at]
            name = data[at + 1 : name_end].decode()
            if not name or name in headers:
                raise EventStreamError("a header has no name, or one that stands twice")
            headers[name], at = _READERS[data[name_end]](data, name_end + 1)
            if at > len(data):
                raise EventStreamError("a header is longer than the headers")
    except (IndexError, KeyError, UnicodeDecodeError, OverflowError) as error:
        raise EventStreamError("a header cannot be read") from error
    return headers


def _number(kind: Callable[[int], int], width: int) -> Callable[[bytes, int], tuple[HeaderValue, int]]:
    def read(data: bytes, at: int) -> tuple[HeaderValue, int]:
        return kind(int.from_bytes(data[at : at + width], signed=True)), at + width

    return read


def _sized(data: bytes, at: int) -> tuple[bytes, int]:
    start = at + 2
    end = start + int.from_bytes(data[at:start])
    return data[start:end], end


def _string(data: bytes, at: int) -> tuple[HeaderValue, int]:
    text, end = _sized(data, at)
    return text.decode(), end


def _time(data: bytes, at: int) -> tuple[HeaderValue, int]:
    return _EPOCH + int.from_bytes(data[at : at + 8], signed=True) * _MILLISECOND, at + 8


def _uuid(data: bytes, at: int) -> tuple[HeaderValue, int]:
    if at + 16 > len(data):
        raise EventStreamError("a header is longer than the headers")
    return uuid.UUID(bytes=data[at : at + 16]), at + 16


_READERS: dict[int, Callable[[bytes, int], tuple[HeaderValue, int]]] = {
    0: lambda _, at: (True, at),
    1: lambda _, at: (False, at),
    2: _number(Byte, 1),
    3: _number(Short, 2),
    4: _number(int, 4),
    5: _number(Long, 8),
    6: _sized,
    7: _string,
    8: _time,
    9: _uuid,
}


# The messages of a stream have a handful of different headers between them.
_common_headers = lru_cache(maxsize=64)(_read_headers)


def encode_headers(headers: Mapping[str, HeaderValue]) -> bytes:
    """Headers as `framed` takes them. Raises EventStreamError where one is larger than the format allows."""
    return b"".join([_header(name, value) for name, value in headers.items()])


def framed(headers: bytes, payload: bytes) -> bytes:
    """A message. Raises EventStreamError where it is larger than the format allows."""
    if len(headers) > MAX_HEADERS_BYTES or len(payload) > MAX_PAYLOAD_BYTES:
        raise EventStreamError("a message is larger than the format allows")
    lengths = struct.pack(">II", _SMALLEST + len(headers) + len(payload), len(headers))
    checked = b"".join((lengths, zlib.crc32(lengths).to_bytes(4), headers, payload))
    return checked + zlib.crc32(checked).to_bytes(4)


def encode_message(headers: Mapping[str, HeaderValue], payload: bytes) -> bytes:
    """A message from its headers."""
    return framed(encode_headers(headers), payload)


def _header(name: str, value: HeaderValue) -> bytes:
    title = name.encode()
    if not 0 < len(title) < 256:
        raise EventStreamError("a header's name has 1 to 255 bytes")
    try:
        return bytes((len(title),)) + title + _value(value)
    except (OverflowError, struct.error) as error:
        raise EventStreamError(f"the value of the header {name} does not fit") from error


def _value(value: HeaderValue) -> bytes:
    if isinstance(value, str):
        text = value.encode()
        return b"\x07" + len(text).to_bytes(2) + text
    if isinstance(value, bool):
        return b"\x00" if value else b"\x01"
    if isinstance(value, int):
        kind, width = _WIDTHS.get(type(value), (4, 4))
        return bytes((kind,)) + int(value).to_bytes(width, signed=True)
    if isinstance(value, bytes):
        return b"\x06" + len(value).to_bytes(2) + value
    if isinstance(value, uuid.UUID):
        return b"\x09" + value.bytes
    return b"\x08" + ((value - _EPOCH) // _MILLISECOND).to_bytes(8, signed=True)


_WIDTHS: dict[type, tuple[int, int]] = {Byte: (2, 1), Short: (3, 2), Long: (5, 8)}
