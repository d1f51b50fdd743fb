"""Segments that are projected are compressed, kept for the retention time, and deleted."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from penstock.ledger.journal.reader import segments
from penstock.ports.ledger import Position

_STALE_S = 60
_LEVEL = 1


def compressible(directory: Path, positions: Mapping[str, Position]) -> list[Path]:
    """Segments of which every record is in the ledger and to which nobody writes any more."""
    found: list[Path] = []
    for boot, files in segments(directory).items():
        position = positions.get(boot, Position())
        found += [
            path
            for number, path in sorted(files.items())
            if path.suffix != ".gz" and (position.finished or number < position.segment)
        ]
    return found


def forgettable(directory: Path, positions: Mapping[str, Position]) -> list[str]:
    """Boots that are settled and of which no segment is left: nothing will ever ask how far they are read."""
    if not directory.is_dir():
        return []
    found = segments(directory)
    return [boot for boot, position in positions.items() if position.finished and boot not in found]


def compress(path: Path) -> Path:
    """Replace a segment by its compressed copy, which keeps its age.

    Raises:
        OSError: the copy cannot be written; the segment stays.
    """
    final = path.with_name(path.name + ".gz")
    temporary = path.with_name(f".{final.name}.new")
    with path.open("rb") as source, temporary.open("wb") as target:
        with gzip.GzipFile(fileobj=target, mode="wb", compresslevel=_LEVEL, filename="", mtime=0) as packed:
            shutil.copyfileobj(source, packed, 1 << 18)
        target.flush()
        os.fsync(target.fileno())
    status = path.stat()
    os.utime(temporary, ns=(status.st_atime_ns, status.st_mtime_ns))
    temporary.replace(final)
    path.unlink()
    return final


def expired(directory: Path, retention_s: float, now_s: float) -> list[Path]:
    """Compressed segments that were last written longer ago than the retention time."""
    return [
        path
        for files in segments(directory).values()
        for path in files.values()
        if path.suffix == ".gz" and path.stat().st_mtime < now_s - retention_s
    ]


def crowded(directory: Path, max_bytes: int) -> list[Path]:
    """The oldest compressed segments, as many as must go to leave a fifth of `max_bytes` to the writers.

    Otherwise what is kept for convenience would fill the journal and refuse new requests.
    """
    if not max_bytes:
        return []
    excess = sum(path.stat().st_size for path in directory.iterdir()) - max_bytes * 4 // 5
    found: list[Path] = []
    for path in sorted(directory.glob("*.gz"), key=lambda each: each.stat().st_mtime):
        if excess <= 0:
            break
        excess -= path.stat().st_size
        found.append(path)
    return found


def leftovers(directory: Path, is_locked: Callable[[Path], bool], now_s: float) -> list[Path]:
    """Files that a process began and never published before it died."""
    return [
        path
        for path in directory.glob(".*.new")
        if path.stat().st_mtime < now_s - _STALE_S and not is_locked(path)
    ]


def clean(
    directory: Path,
    positions: Mapping[str, Position],
    *,
    is_locked: Callable[[Path], bool],
    retention_s: float,
    now_s: float,
    max_bytes: int = 0,
) -> None:
    """Do all of it once.

    Raises:
        OSError: a file cannot be written or removed; the next call goes on.
    """
    for path in compressible(directory, positions):
        compress(path)
    if not directory.exists():
        return
    unwanted = [
        *expired(directory, retention_s, now_s),
        *leftovers(directory, is_locked, now_s),
        *crowded(directory, max_bytes),
    ]
    for path in unwanted:
        path.unlink(missing_ok=True)
