"""Moving a state directory's own ledger into a database that several machines share."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

import msgspec

from penstock.adapters.ledger.columns import (
    ATTEMPT_COLUMNS,
    EXCHANGE_COLUMNS,
    OPEN_ATTEMPT_COLUMNS,
    REFUSAL_COLUMNS,
    SPEND_COLUMNS,
)
from penstock.worker.sole import WorkerRunningError, sole_worker
from penstock.worker.stores import LEDGER_NAME, LedgerPlace, site_of

# By table: columns, and those that name a row.
_TABLES = {
    "exchanges": (EXCHANGE_COLUMNS, ("request_id",)),
    "attempts": (ATTEMPT_COLUMNS, ("request_id", "idx")),
    "refusals": (REFUSAL_COLUMNS, ("boot", "seq")),
}
_CHECKPOINT_COLUMNS = (
    *("boot", "segment", "offset", "last_seq", "finished"),
    *("torn_places", "torn_bytes", "undecoded", "finished_ms"),
)


class Imported(msgspec.Struct, frozen=True):
    """What the database has of a ledger, checked row by row.

    `cost_nanousd` is that of the attempts; `spent_nanousd` what the sums by account add up to, where `sums`
    were taken over now and not by an earlier import.
    """

    exchanges: int
    attempts: int
    refusals: int
    cost_nanousd: int
    spent_nanousd: int
    sums: bool


def import_ledger(place: LedgerPlace, progress: Callable[[str, int, int], None]) -> Imported:
    """Add `ledger.db` to the database of `place`. It may be stopped and done again at any time.

    `progress` is told a table, how many of its rows are there, and how many there will be.

    Raises:
        WorkerRunningError: stop the worker first.
        FileNotFoundError: there is no ledger.db.
        sqlite3.Error, OSError, RuntimeError: one of them cannot be used, or does not have what it should.
    """
    # Drivers are imported where they are used: not every place has both.
    from penstock.adapters.postgres.ledger_import import OPEN_EXCHANGE_COLUMNS, LedgerImport  # noqa: PLC0415
    from penstock.adapters.sqlite.ledger_export import LedgerFile  # noqa: PLC0415

    stop = threading.Event()
    stop.set()
    with sole_worker(place.state_dir, stop) as alone:
        if not alone:
            raise WorkerRunningError(f"a worker holds {place.state_dir}; stop it before importing the ledger")
        with (
            contextlib.closing(LedgerFile(place.state_dir / LEDGER_NAME)) as source,
            contextlib.closing(LedgerImport(place.database_url, site_of(place.state_dir))) as target,
        ):
            settled = target.settled
            counts: dict[str, int] = {}
            costs: dict[str, int] = {}
            for table, (columns, key) in _TABLES.items():
                total, counts[table], costs[table] = source.count(table), 0, 0
                for portion in source.rows(table, columns):
                    costs[table] += target.add(table, columns, key, portion)
                    counts[table] += len(portion)
                    progress(table, counts[table], total)
            spent = source.sum("spend", "nanousd")
            if not settled:
                target.settle(
                    source.rows("checkpoints", _CHECKPOINT_COLUMNS),
                    source.rows("spend", SPEND_COLUMNS),
                    source.rows("open_exchanges", OPEN_EXCHANGE_COLUMNS),
                    source.rows("open_attempts", OPEN_ATTEMPT_COLUMNS),
                    spent,
                )
            return Imported(
                counts["exchanges"],
                counts["attempts"],
                counts["refusals"],
                costs["attempts"],
                spent,
                sums=not settled,
            )
