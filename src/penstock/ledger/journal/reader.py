"""Reads the journals of all writer boots in a directory, each from where its reader stopped before.

Whether a segment may still grow is asked *before* its bytes are read, and that nobody continued it is asked
*after* its lock was found free; the other order could take a segment's end for the journal's end.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from penstock.core.exchange import Event
from penstock.ledger.journal.format import Scan, file_name, parse_file_name, scan
from penstock.ports.ledger import Gaps, Position

CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one boot in order, each with the position behind it; `position` lies behind the last.

    `dead`: nothing will ever follow.
    """

    boot: str
    records: list[tuple[int, Event, Position]]
    position: Position
    gaps: Gaps
    dead: bool


def segments(directory: Path) -> dict[str, dict[int, Path]]:
    """The segments of each boot by number; an uncompressed file goes before its compressed copy."""
    found: dict[str, dict[int, Path]] = {}
    try:
        names = sorted((path.name for path in directory.iterdir()), reverse=True)
    except FileNotFoundError:
        return found
    for name in names:
        parsed = parse_file_name(name)
        if parsed is not None:
            found.setdefault(parsed[0], {})[parsed[1]] = directory / name
    return dict(sorted(found.items()))


class BootReader:
    """Goes through one boot's segments. Give it the position behind which everything is new."""

    def __init__(
        self, directory: Path, boot: str, position: Position, is_locked: Callable[[Path], bool]
    ) -> None:
        self.boot = boot
        self.position = position
        self._directory = directory
        self._is_locked = is_locked
        self._waiting_at: Position | None = None

    def read(self, files: dict[int, Path], limit: int = CHUNK_BYTES) -> Batch:
        """The next records, or an empty batch. `files` is the boot's part of a recent `segments`.

        Raises:
            OSError: a segment cannot be read.
        """
        numbers = [number for number in files if number >= self.position.segment]
        if not numbers:
            return self._batch(Scan(), self.position, dead=True)
        number = min(numbers)
        position = self.position
        if number != position.segment:
            position = Position(number, 0, position.last_seq)
        final = max(numbers) > number or self._is_final(number, files[number])
        newest = max(numbers) == number
        found = self._scan(files[number], position.offset, final=final, limit=limit)
        end = Position(number, position.offset + found.end, position.last_seq)
        self._waiting_at = end if found.waiting else None
        exhausted = final and not found.records and found.end == 0
        if exhausted and not newest:
            end = Position(number + 1, 0, position.last_seq)
        batch = self._batch(found, end, dead=exhausted and newest, base=position.offset)
        self.position = batch.position
        return batch

    def _is_final(self, number: int, path: Path) -> bool:
        if path.suffix == ".gz":
            return True
        if self._is_locked(path):
            return False
        return not (self._directory / file_name(self.boot, number + 1)).exists()

    def _scan(self, path: Path, offset: int, *, final: bool, limit: int) -> Scan:
        if path.suffix == ".gz":
            with gzip.open(path) as packed:
                packed.seek(offset)
                return scan(packed.read(), complete=True, final=True)
        with path.open("rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            data = os.pread(file.fileno(), limit, offset)
            found = scan(data, complete=offset + len(data) >= size, final=final)
            if (found.need_rest or found.waiting) and not found.end:
                data = _read_all(file.fileno(), offset, size - offset)
                again = self._waiting_at is not None and self._waiting_at.offset == offset
                found = scan(data, complete=True, final=final, skip_torn=again)
        return found

    def _batch(self, found: Scan, end: Position, *, dead: bool, base: int = 0) -> Batch:
        records: list[tuple[int, Event, Position]] = []
        last = end.last_seq
        for record, at in zip(found.records, found.ends, strict=True):
            # A group whose write failed half-way is written again: the same numbers, a second time.
            if record.seq > last:
                last = record.seq
                records.append((last, record.event, Position(end.segment, base + at, last)))
        return Batch(
            boot=self.boot,
            records=records,
            position=Position(end.segment, end.offset, last, self.position.finished),
            gaps=Gaps(found.skipped_places, found.skipped_bytes, found.undecoded),
            dead=dead,
        )


def read_rest(
    directory: Path, positions: dict[str, Position], is_locked: Callable[[Path], bool]
) -> Iterator[Batch]:
    """Everything behind the given positions, up to what is written at this moment."""
    for boot in segments(directory):
        position = positions.get(boot, Position())
        if not position.finished:
            yield from read_boot(directory, boot, position, is_locked)


def read_boot(
    directory: Path, boot: str, position: Position, is_locked: Callable[[Path], bool]
) -> Iterator[Batch]:
    """Everything of one boot behind a position, up to what is written at this moment."""
    reader = BootReader(directory, boot, position, is_locked)
    idle = 0
    while idle < 2:
        before = reader.position
        try:
            batch = reader.read(segments(directory).get(reader.boot, {}))
        except FileNotFoundError:
            # Compressed or deleted between the listing and the reading; the next listing knows.
            continue
        yield batch
        if batch.dead:
            return
        idle = idle + 1 if reader.position == before else 0


def _read_all(descriptor: int, offset: int, size: int) -> bytes:
    pieces: list[bytes] = []
    while size > 0 and (piece := os.pread(descriptor, size, offset)):
        pieces.append(piece)
        offset += len(piece)
        size -= len(piece)
    return b"".join(pieces)
