"""The bytes of a journal segment. Sans-IO: bytes in, records out, and back.

A segment is a sequence of frames: four magic bytes, the payload's length and checksum (little-endian, 32
bits each; the checksum is the CRC-32 of the payload started with its length), the payload. The first frame is
the segment's header, every other a `core.exchange.Record` in msgpack. Segments are preallocated, so zeros
mean: not yet written.

The magic bytes begin with one that no UTF-8 text contains, so that no client can put a frame into a tag.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

import msgspec

from penstock.core.exchange import Record

FORMAT_VERSION = 1
FRAME = struct.Struct("<4sII")
FRAME_BYTES = FRAME.size
RECORD_MAGIC = b"\xf5PR\xff"
HEADER_MAGIC = b"\xf5PH\xff"
# A longer length is garbage in a torn place, not a record.
MAX_PAYLOAD = 1 << 24
SUFFIX = ".journal"

_MAGICS = frozenset({RECORD_MAGIC, HEADER_MAGIC})
_RECORDS = msgspec.msgpack.Decoder(Record)


class SegmentHeader(msgspec.Struct, frozen=True):
    """Who wrote a segment; `number` counts from 1 within a boot."""

    format: int
    boot: str
    number: int
    writer: str
    created_ms: int


@dataclass(slots=True)
class Scan:
    """What a stretch of a segment holds.

    `end` is where to go on reading. `waiting` says that a damaged or half-written place at `end` has valid
    records behind it; `need_rest` that the verdict needs everything up to the segment's end in one piece.
    `undecoded` counts intact records of a kind or shape that this version does not know.
    """

    end: int = 0
    records: list[Record] = field(default_factory=list[Record])
    ends: list[int] = field(default_factory=list[int])
    skipped_bytes: int = 0
    skipped_places: int = 0
    undecoded: int = 0
    waiting: bool = False
    need_rest: bool = False


def frame(payload: bytes, magic: bytes = RECORD_MAGIC) -> bytes:
    """A payload as it stands in a segment."""
    size = len(payload)
    return FRAME.pack(magic, size, zlib.crc32(payload, size)) + payload


def header_frame(header: SegmentHeader) -> bytes:
    """The first frame of a segment."""
    return frame(msgspec.msgpack.encode(header), HEADER_MAGIC)


def file_name(boot: str, number: int) -> str:
    """The name of a segment's file; names of one boot sort by number."""
    return f"{boot}-{number:06d}{SUFFIX}"


def parse_file_name(name: str) -> tuple[str, int] | None:
    """(boot id, number) of a segment's file, compressed or not; None for any other file."""
    boot, dash, rest = name.removesuffix(".gz").partition("-")
    number, suffix = rest[: -len(SUFFIX)], rest[-len(SUFFIX) :]
    if not dash or suffix != SUFFIX or not boot or not number.isdecimal():
        return None
    return boot, int(number)


def scan(data: bytes, *, complete: bool, final: bool, skip_torn: bool = False) -> Scan:
    """Read records from `data`, which begins at a frame's start.

    Args:
        data: a stretch of a segment.
        complete: `data` reaches to the file's end.
        final: nobody will write here any more, so zeros and broken frames are not merely unfinished.
        skip_torn: pass over a broken place of a segment that is still written to. A reader that found it
            `waiting` twice may do so; the first time the write may just be under way.
    """
    found = Scan()
    position, size = 0, len(data)
    while position < size:
        end = _intact(data, position)
        if end:
            _take(data, position, end, found)
            position = end
            continue
        if not final and not any(data[position : position + FRAME_BYTES]):
            break
        if not complete:
            found.need_rest = True
            break
        following = _next_intact(data, position + 1)
        if following < 0:
            if final:
                lost = len(data[position:].rstrip(b"\0"))
                found.skipped_bytes += lost
                found.skipped_places += lost > 0
                position = size
            break
        if not (final or skip_torn):
            found.waiting = True
            break
        found.skipped_bytes += following - position
        found.skipped_places += 1
        position = following
    found.end = position
    return found


def read_header(data: bytes) -> SegmentHeader | None:
    """The header at the start of a segment, or None where it is damaged."""
    end = _intact(data, 0)
    if not end or not data.startswith(HEADER_MAGIC):
        return None
    try:
        return msgspec.msgpack.decode(data[FRAME_BYTES:end], type=SegmentHeader)
    except msgspec.DecodeError:
        return None


def _intact(data: bytes, start: int) -> int:
    """Where the intact frame at `start` ends, or 0 where there is none."""
    begin = start + FRAME_BYTES
    if begin > len(data):
        return 0
    magic, length, checksum = FRAME.unpack_from(data, start)
    end = begin + length
    if magic not in _MAGICS or length > MAX_PAYLOAD or end > len(data):
        return 0
    return end if zlib.crc32(memoryview(data)[begin:end], length) == checksum else 0


def _next_intact(data: bytes, start: int) -> int:
    while (start := data.find(b"\xf5P", start)) >= 0:
        if _intact(data, start):
            return start
        start += 1
    return -1


def _take(data: bytes, start: int, end: int, found: Scan) -> None:
    if data.startswith(HEADER_MAGIC, start):
        return
    try:
        record = _RECORDS.decode(memoryview(data)[start + FRAME_BYTES : end])
    except msgspec.DecodeError:
        found.undecoded += 1
        return
    found.records.append(record)
    found.ends.append(end)
