"""What holders and the owner of accounts say to each other: batches of messages, each batch one frame.

A frame is its length (32 bits, big-endian) and a list in msgpack. A message is a list that begins with its
verb. Counters go by a number that their holder gives them when it opens them.
"""

from __future__ import annotations

import struct
from typing import Any

import msgspec

VERSION = 2
MAX_FRAME = 64 * 1024 * 1024

# A holder says:
HELLO = 0  # version, boot
OPEN = 1  # number, counter, kind, limit, window_s, ends_ms, patient, held, told, uses [[at, amount], …]
HERE = 2  # all that it holds has been said
RULE = 3  # number, limit, patient
CLOSE = 4  # number
WANT = 5  # number, least, most
USED = 6  # number, amount, at
BACK = 7  # number, amount
ANSWERED = 8  # number: what could be given back after a recall was
# The owner says:
READY = 20  # what was said before HERE is known
GRANTED = 21  # number, amount, from which instant on (0: at once)
DENIED = 22  # number, wait_s (-1 for never)
RECALLED = 23  # number
KNOWN = 24  # number, spent, leased

Message = list[Any]
_LENGTH = struct.Struct(">I")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[list[Any]]).decode


class FrameError(Exception):
    """These are not frames."""


def frame(messages: list[Message]) -> bytes:
    """One batch as bytes."""
    payload = _encode(messages)
    return _LENGTH.pack(len(payload)) + payload


class Frames:
    """Bytes in whatever pieces to batches."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[list[Message]]:
        """The batches that are complete now. Raises FrameError."""
        data = self._rest + data if self._rest else data
        batches: list[list[Message]] = []
        start = 0
        while len(data) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(data, start)
            if length > MAX_FRAME:
                raise FrameError(f"a frame of {length} bytes")
            end = start + _LENGTH.size + length
            if end > len(data):
                break
            try:
                batches.append(_decode(memoryview(data)[start + _LENGTH.size : end]))
            except msgspec.DecodeError as error:
                raise FrameError(str(error)) from None
            start = end
        self._rest = data[start:]
        return batches
