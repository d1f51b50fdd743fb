"""The gateway's end of the journal: one write per turn of the event loop, callbacks after it.

Space is promised before it is needed: an attempt is only opened when its own record *and* its settlement fit
into what is allocated, so a full disk refuses new work but never loses the end of work under way.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Final

import msgspec

from penstock.core.exchange import (
    AttemptOpened,
    AttemptSettled,
    Entry,
    ExchangeSettled,
    Judged,
    Record,
)
from penstock.ledger.journal.format import (
    FORMAT_VERSION,
    FRAME,
    FRAME_BYTES,
    RECORD_MAGIC,
    SegmentHeader,
    file_name,
    header_frame,
)
from penstock.ledger.journal.repair import encodable
from penstock.ledger.journal.settings import JournalFull, JournalSettings, JournalStats
from penstock.ports.clock import Clock, Timer
from penstock.ports.files import SegmentDirectory, SegmentFile

Callback = Callable[[], None]
# A settlement repeats what the opening said and adds counts, times and a few short names.
_SETTLEMENT_EXTRA_BYTES: Final = 2048
# Taken from the free space while nothing can be written, so that nothing seems to fit.
_OUT_OF_REACH: Final = 1 << 60
_pack: Final = FRAME.pack
_crc32: Final = zlib.crc32
# How long a refusal for want of space holds before the disk is asked again.
_FULL_S: Final = 0.25
_RETRY_S: Final = 0.25


class Journal:
    """Appends events of one writer boot. Not thread-safe: it belongs to one event loop.

    `on_error` hears of exceptions in callbacks and of failed writes; it must not raise. Call `start` before
    the first event and `close` after the last.
    """

    def __init__(
        self,
        directory: SegmentDirectory,
        clock: Clock,
        *,
        boot: str,
        on_error: Callable[[Exception], None],
        writer: str = "gateway",
        settings: JournalSettings | None = None,
    ) -> None:
        self.boot = boot
        self.stats = JournalStats()
        self._settings = settings or JournalSettings()
        self._segment_bytes = self._settings.segment_bytes
        self._syncs = self._settings.fsync != "never"
        self._directory = directory
        self._clock = clock
        self._writer = writer
        self._on_error = on_error
        self._encode = msgspec.msgpack.Encoder().encode
        self._segment: SegmentFile | None = None
        self._number = 0
        # Where the segment's first record begins, where the next will, and how far space is allocated.
        self._start = 0
        self._offset = 0
        self._allocated = 0
        # Bytes promised to the settlements of open exchanges, by request id.
        self._promised: dict[str, int] = {}
        # What of the allocated space is neither written, nor queued, nor promised.
        self._free = 0
        self._parts: list[bytes] = []
        self._then: list[Callback] = []
        # Of this turn's callbacks, the openings' that want to hear of a failed write, by their place.
        self._failed: dict[int, Callable[[Exception], None]] = {}
        self._seq = 0
        self._scheduled = False
        self._blocked_until = float("-inf")
        self._sync_timer: Timer | None = None
        self._retry: Timer | None = None
        # A group waits to be written: nothing new is accepted, so that a dead disk cannot fill the memory.
        self._stuck = False
        self._unsynced = False

    @property
    def position(self) -> tuple[int, int]:
        """(segment number, offset) up to which everything is written."""
        return self._number, self._offset

    @property
    def queued_bytes(self) -> int:
        """What waits for this turn's write, or for a disk that failed."""
        return sum(map(len, self._parts))

    @property
    def open_exchanges(self) -> int:
        """Exchanges with an attempt opened and not yet settled."""
        return len(self._promised)

    def start(self) -> None:
        """Open the first segment. Where that fails the journal is full until it works; `on_error` hears."""
        self._rotate(0)

    def append(
        self,
        event: Entry,
        then: Callback | None = None,
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        """Queue an event for this turn's write and run `then` after it.

        `then` runs also where a settlement could not be written: its opening is on record, and the
        settlement is kept and written as soon as that works. For an `AttemptOpened`, give `failed`: it runs
        *instead of* `then` when the opening could not be written; the upstream must not be called, but the
        attempt still has to be settled (at no cost), because its record may yet reach the disk.

        Raises:
            JournalFull: only for an `AttemptOpened` or a `Judged` under `on_full: refuse`; nothing was queued.
        """
        try:
            payload = self._encode(Record(self._seq + 1, event))
        except (OverflowError, UnicodeEncodeError):
            payload = self._encode([self._seq + 1, encodable(event)])
        length = len(payload)
        # What it takes of the free space: promised space comes back with the settlement.
        taken = length + FRAME_BYTES
        promise = 0
        if type(event) is ExchangeSettled:
            taken -= self._promised.pop(event.request.request_id, 0)
        elif type(event) is AttemptOpened:
            promise = 2 * taken + _SETTLEMENT_EXTRA_BYTES
            taken += promise
        elif type(event) is AttemptSettled:
            taken -= self._redeem(event.request.request_id, taken)
        if taken <= self._free or self._grow(taken) or self._must_fit(event, length + FRAME_BYTES - taken):
            if type(event) is AttemptOpened:
                promised = self._promised
                request_id = event.request.request_id
                promised[request_id] = promised.get(request_id, 0) + promise
            if failed is not None:
                self._failed[len(self._then)] = failed
                then = then or _nothing
            self._free -= taken
            self._seq += 1
            self._parts += (_pack(RECORD_MAGIC, length, _crc32(payload, length)), payload)
        if then is not None:
            self._then.append(then)
        if not self._scheduled:
            self._scheduled = True
            self._clock.call_soon(self.flush)

    def after(self, call: Callback) -> None:
        """Run `call` after this turn's write, in order with the other callbacks."""
        self._then.append(call)
        if not self._scheduled:
            self._scheduled = True
            self._clock.call_soon(self.flush)

    def flush(self) -> None:
        """Write this turn's group with one call, then run its callbacks, each on its own."""
        self._scheduled = False
        parts, then, failed = self._parts, self._then, self._failed
        self._parts, self._then = [], []
        if failed:
            self._failed = {}
        if parts:
            group = b"".join(parts)
            try:
                self._write(group)
            except OSError as error:
                self._keep(group, error)
                for place, call in failed.items():
                    then[place] = _Failure(call, error)
        for done in then:
            try:
                done()
            except Exception as error:  # noqa: BLE001 - one broken client must not harm the others
                self._on_error(error)

    def close(self) -> None:
        """Write what is queued, give back unused space and unlock. Errors go to `on_error`."""
        self.flush()
        for timer in (self._sync_timer, self._retry):
            if timer is not None:
                timer.cancel()
        segment, self._segment = self._segment, None
        if segment is not None:
            self._retire(segment, self._offset)

    def _redeem(self, request_id: str, size: int) -> int:
        """Take up to `size` bytes of what was promised to an exchange, whose end is yet to come."""
        promised = self._promised.get(request_id, 0)
        taken = min(size, promised)
        if taken:
            self._promised[request_id] = promised - taken
        return taken

    def _must_fit(self, event: Entry, promised: int) -> bool:
        """Whether an event for which there is no room is queued all the same; else it is dropped.

        A settlement that outgrew its promise is tried: the disk may have the few bytes.
        """
        if type(event) is AttemptOpened or type(event) is Judged:
            if self._settings.on_full == "refuse":
                self.stats.refused += 1
                raise JournalFull("the journal is full: free disk space or raise journal.max_bytes")
        elif promised > 0:
            return True
        self.stats.dropped += 1
        return False

    def _grow(self, needed: int) -> bool:
        """Allocate the next step of the segment, so that `needed` bytes are free."""
        if self._stuck:
            return False
        if self._segment is None:
            return self._rotate(sum(map(len, self._parts))) and self._free >= needed
        if self._clock.monotonic() < self._blocked_until:
            return False
        step = max(self._settings.step_bytes, needed - self._free)
        try:
            self._check_limit(step)
            self._segment.allocate(self._allocated, step)
        except (OSError, JournalFull) as error:
            self._blocked_until = self._clock.monotonic() + _FULL_S
            self._on_error(error)
            return False
        self._allocated += step
        self._free += step
        return True

    def _check_limit(self, more: int) -> None:
        limit = self._settings.max_bytes
        if limit and self._directory.used_bytes() + more > limit:
            raise JournalFull(f"the journal would exceed max_bytes ({limit})")

    def _write(self, data: bytes) -> None:
        size = len(data)
        if self._offset + size > self._segment_bytes and self._offset > self._start:
            self._rotate(size)
        segment = self._segment
        if segment is None:
            raise OSError("the journal has no segment to write to")
        try:
            segment.write_at(data, self._offset)
        except OSError as error:
            self.stats.write_errors += 1
            # The file may be at fault rather than the disk: try once in a new one.
            if not self._rotate(size) or (segment := self._segment) is None:
                raise
            self._on_error(error)
            segment.write_at(data, self._offset)
        self.stats.flushes += 1
        if self._stuck:
            self._stuck = False
            self._free += _OUT_OF_REACH
        self._offset += size
        self.stats.bytes += size
        self.stats.records = self._seq
        if self._syncs:
            self._sync()

    def _keep(self, group: bytes, error: OSError) -> None:
        """Hold a group that could not be written, and try again soon.

        It stays byte for byte as it is, because a part of it may be in the file and may have been read.
        """
        self._on_error(error)
        self._parts.append(group)
        if not self._stuck:
            self._stuck = True
            self._free -= _OUT_OF_REACH
        if self._retry is None:
            self._retry = self._clock.call_later(_RETRY_S, self._retry_due)

    def _retry_due(self) -> None:
        self._retry = None
        self.flush()

    def _rotate(self, pending: int) -> bool:
        """Go on in a new segment that has room for what is queued and promised; False to stay."""
        old, offset = self._segment, self._offset
        if self._clock.monotonic() < self._blocked_until:
            return False
        try:
            self._open_segment(pending)
        except (OSError, JournalFull) as error:
            self._blocked_until = self._clock.monotonic() + _FULL_S
            self._on_error(error)
            return False
        if old is not None:
            self._retire(old, offset)
        return True

    def _open_segment(self, pending: int) -> None:
        number = self._number + 1
        header = header_frame(
            SegmentHeader(
                format=FORMAT_VERSION,
                boot=self.boot,
                number=number,
                writer=self._writer,
                created_ms=self._clock.now_ms(),
            )
        )
        needed = len(header) + pending + sum(self._promised.values())
        allocated = max(self._settings.step_bytes, needed)
        self._check_limit(allocated)
        segment = self._directory.create(file_name(self.boot, number))
        try:
            segment.allocate(0, allocated)
            segment.write_at(header, 0)
            segment.publish()
        except OSError:
            segment.discard()
            raise
        self._segment, self._number = segment, number
        self._start = self._offset = len(header)
        self._allocated = allocated
        self._free = allocated - needed - (_OUT_OF_REACH if self._stuck else 0)
        self.stats.segments += 1

    def _retire(self, segment: SegmentFile, size: int) -> None:
        try:
            segment.truncate(size)
            if self._syncs:
                segment.sync()
        except OSError as error:
            self._on_error(error)
        try:
            segment.close()
        except OSError as error:
            self._on_error(error)

    def _sync(self) -> None:
        if self._segment is None:
            return
        if self._settings.fsync == "interval":
            self._unsynced = True
            if self._sync_timer is None:
                self._sync_timer = self._clock.call_later(self._settings.fsync_interval_s, self._sync_due)
            return
        try:
            self._segment.sync()
        except OSError as error:
            self.stats.write_errors += 1
            self._on_error(error)

    def _sync_due(self) -> None:
        self._sync_timer = None
        if self._unsynced and self._segment is not None:
            self._unsynced = False
            try:
                self._segment.sync_soon()
            except OSError as error:
                self.stats.write_errors += 1
                self._on_error(error)


class _Failure:
    """Runs an opening's `failed` in the place of its `then`."""

    def __init__(self, failed: Callable[[Exception], None], error: OSError) -> None:
        self._failed = failed
        self._error = error

    def __call__(self) -> None:
        self._failed(self._error)


def _nothing() -> None:
    """What to do after an opening that wants nothing done."""
