"""Making the ledger anew from the journal."""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path

import msgspec

from penstock.adapters.files.posix import is_locked
from penstock.ledger.accounts_replay import JOURNAL_NAME
from penstock.ports.ledger import LedgerError, LedgerStore
from penstock.worker.projector import Projector
from penstock.worker.sole import WorkerRunningError, sole_worker
from penstock.worker.stores import LEDGER_NAME, LedgerPlace, open_reader, open_store, open_to_read_again

# What SQLite keeps beside a database belongs to it; the file itself comes last.
_SUFFIXES = ("-wal", "-shm", "")


class Rebuilt(msgspec.Struct, frozen=True):
    """What a rebuild did. `exchanges_before`: of the old ledger, None where it could not be read.

    `kept` is where the old file is now, None where there was none.
    """

    records: int
    exchanges: int
    exchanges_before: int | None
    kept: str | None


def rebuild(place: LedgerPlace) -> Rebuilt:
    """Make `ledger.db` anew from all segments that are kept, or complete a database from them.

    Of `ledger.db`, rows of segments that retention has deleted are only in the old file, which stays beside
    the new one. In a database the rows of other machines stand beside ours: what is there stays, and what our
    journal has beyond it is added.

    Raises:
        WorkerRunningError: stop the worker first.
        sqlite3.Error, OSError, LedgerError: it cannot be written; the old ledger stays in its place.
    """
    stop = threading.Event()
    stop.set()
    with sole_worker(place.state_dir, stop) as alone:
        if not alone:
            raise WorkerRunningError(f"a worker holds {place.state_dir}; stop it before rebuilding the ledger")
        return _complete(place) if place.database_url else _make_anew(place.state_dir)


def _complete(place: LedgerPlace) -> Rebuilt:
    before = _exchanges_in(place)
    records = _project_all(place.state_dir, open_to_read_again(place))
    return Rebuilt(records, _exchanges_in(place) or 0, before, None)


def _make_anew(state_dir: Path) -> Rebuilt:
    ledger, fresh = state_dir / LEDGER_NAME, state_dir / f"{LEDGER_NAME}.rebuild"
    _remove(fresh)
    try:
        records = _project_all(state_dir, open_store(LedgerPlace(state_dir, name=fresh.name)))
    except BaseException:
        _remove(fresh)
        raise
    before = _exchanges_in(LedgerPlace(state_dir))
    after = _exchanges_in(LedgerPlace(state_dir, name=fresh.name))
    kept = ledger.with_name(f"{LEDGER_NAME}.old") if ledger.exists() else None
    if kept is not None:
        _remove(kept)
        for suffix in _SUFFIXES:
            with contextlib.suppress(FileNotFoundError):
                ledger.with_name(ledger.name + suffix).replace(kept.with_name(kept.name + suffix))
    fresh.replace(ledger)
    _remove(fresh)
    return Rebuilt(records, after or 0, before, str(kept) if kept is not None else None)


def _project_all(state_dir: Path, store: LedgerStore) -> int:
    try:
        projector = Projector(
            state_dir / JOURNAL_NAME,
            store,
            is_locked=is_locked,
            now_ms=lambda: time.time_ns() // 1_000_000,
            monotonic=time.monotonic,
        )
        while projector.step():
            pass
    finally:
        store.close()
    return projector.records


def _exchanges_in(place: LedgerPlace) -> int | None:
    try:
        with contextlib.closing(open_reader(place)) as reader:
            return sum(line.requests for line in reader.cost([], 0))
    except (FileNotFoundError, LedgerError):
        return None


def _remove(database: Path) -> None:
    for suffix in _SUFFIXES:
        database.with_name(database.name + suffix).unlink(missing_ok=True)
