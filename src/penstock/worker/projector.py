"""Journal to ledger: reads what is new of every boot and commits it with the position behind it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from penstock.core.exchange import AlertRaised, Entry
from penstock.ledger.journal.reader import Batch, BootReader, segments
from penstock.ports.ledger import Gaps, LedgerStore, Position

_log = logging.getLogger(__name__)
# A commit aims at half of the 50 ms for which the store may be busy.
_LONG_S, _SHORT_S = 0.040, 0.015
_SMALLEST = 25


class Projector:
    """One pass after another over the journal's directory.

    After any exception from `step`, make a new one: its readers may be ahead of the store. A commit begins
    with `commit_records` and adapts to what the store takes in good time, up to `most_records`. `records`
    counts what was projected in all. `alerts` gets the entries of a commit before it happens: those that come
    again after a crash are the same by boot and number.
    """

    def __init__(
        self,
        directory: Path,
        store: LedgerStore,
        *,
        is_locked: Callable[[Path], bool],
        now_ms: Callable[[], int],
        monotonic: Callable[[], float],
        commit_records: int = 500,
        most_records: int = 4_000,
        alerts: Callable[[str, Sequence[tuple[int, Entry]]], None] | None = None,
    ) -> None:
        self.records = 0
        self._directory = directory
        self._store = store
        self._is_locked = is_locked
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._readers: dict[str, BootReader] = {}
        self._finished: set[str] = set()
        self._slice = commit_records
        self._most = most_records
        self._alerts = alerts
        for boot, position in store.positions().items():
            if position.finished:
                self._finished.add(boot)
            else:
                self._readers[boot] = self._reader(boot, position)

    @property
    def positions(self) -> dict[str, Position]:
        """Where each unfinished boot stands, all of it committed."""
        return {boot: reader.position for boot, reader in self._readers.items()}

    def step(self) -> int:
        """Project the next stretch of every boot; the number of records, at least 1 where anything moved.

        So 0 means caught up.

        Raises:
            OSError: a segment cannot be read.
            Exception: whatever the store raises.
        """
        count = 0
        found = segments(self._directory)
        for boot in [*found, *(boot for boot in self._readers if boot not in found)]:
            if boot in self._finished:
                continue
            reader = self._readers.get(boot)
            if reader is None:
                reader = self._readers[boot] = self._reader(boot, Position())
            count += self._step_of(reader, found.get(boot, {}))
        return count

    def _step_of(self, reader: BootReader, files: dict[int, Path]) -> int:
        before = reader.position
        batch = reader.read(files)
        count = self._commit(batch, before)
        self.records += count
        if batch.dead:
            self._finish(batch)
            return count + 1
        return count or int(batch.position != before)

    def _reader(self, boot: str, position: Position) -> BootReader:
        return BootReader(self._directory, boot, position, self._is_locked)

    def _commit(self, batch: Batch, before: Position) -> int:
        records = batch.records
        gaps = batch.gaps
        if gaps != Gaps():
            _log.warning(
                "journal of boot %s: skipped %d torn places (%d bytes) and %d unknown records before %s",
                *(batch.boot, gaps.places, gaps.bytes, gaps.undecoded, batch.position),
            )
        start = 0
        while start < len(records):
            part = records[start : start + self._slice]
            start += len(part)
            last = start >= len(records)
            position = batch.position if last else part[-1][2]
            began = self._monotonic()
            if self._alerts is not None:
                self._alerts(batch.boot, [(seq, entry) for seq, entry, _ in part])
            events = [(seq, entry) for seq, entry, _ in part if not isinstance(entry, AlertRaised)]
            self._store.commit(batch.boot, events, position, gaps if last else Gaps())
            self._adapt(self._monotonic() - began, len(part))
        if not records and (batch.position.segment != before.segment or gaps != Gaps()):
            self._store.commit(batch.boot, [], batch.position, gaps)
        return len(records)

    def _adapt(self, took_s: float, size: int) -> None:
        if took_s > _LONG_S:
            self._slice = max(_SMALLEST, self._slice // 2)
        elif took_s < _SHORT_S and size == self._slice:
            self._slice = min(self._most, self._slice * 2)

    def _finish(self, batch: Batch) -> None:
        charged = self._store.finish(batch.boot, batch.position, self._now_ms())
        if charged:
            _log.warning("boot %s died with %d attempts open; charged as reserved", batch.boot, charged)
        self._finished.add(batch.boot)
        self._readers.pop(batch.boot, None)
