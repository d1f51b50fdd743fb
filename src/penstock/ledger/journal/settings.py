"""How a journal is kept, and the error for the moment when it is full."""

from __future__ import annotations

from typing import Literal

import msgspec

OnFull = Literal["refuse", "drop_and_count"]
Fsync = Literal["never", "interval", "turn"]


class JournalSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes in bytes. `max_bytes` counts all files of the journal's directory; 0 means no limit.

    `fsync` says what a loss of power may cost: `never` what the system had not written yet, `interval` the
    last `fsync_interval_s` seconds, `turn` nothing. The death of the process costs nothing in any case.
    """

    segment_bytes: int = 64 * 1024 * 1024
    step_bytes: int = 4 * 1024 * 1024
    max_bytes: int = 0
    on_full: OnFull = "refuse"
    fsync: Fsync = "never"
    fsync_interval_s: float = 1.0


class JournalFull(Exception):  # noqa: N818 - it is a state of the disk, named as the design names it
    """There is no room to promise this attempt's settlement; answer 503 and do not call upstream."""


class JournalStats(msgspec.Struct):
    """Counts since the start of this writer."""

    records: int = 0
    bytes: int = 0
    flushes: int = 0
    segments: int = 0
    refused: int = 0
    dropped: int = 0
    write_errors: int = 0
