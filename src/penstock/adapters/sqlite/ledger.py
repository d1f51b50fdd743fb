"""The ledger in SQLite: rows and the position that they come from commit together.

Only the worker writes here. A record is projected once because positions move with the rows, and would do no
harm twice because every row has its natural key.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from penstock.adapters.ledger.columns import (
    ATTEMPT_COLUMNS,
    DRILL_COLUMNS,
    EXCHANGE_COLUMNS,
    OPEN_ATTEMPT_COLUMNS,
    REFUSAL_COLUMNS,
)
from penstock.adapters.ledger.gather import (
    Gathered,
    charge_of,
    closed_row,
    flights_of,
    gather,
    spend_rows,
)
from penstock.adapters.ledger.judgements import Judgements, gate_sums
from penstock.adapters.ledger.rows import Row, attempt_row
from penstock.adapters.sqlite.ledger_schema import DDL, SCHEMA_VERSION, UPGRADES
from penstock.adapters.sqlite.ledger_spend import BEFORE_SPEND, CHARGE, fold, spent, spent_under_way
from penstock.core.accounts import MOST_NANOUSD, NO_TAGS
from penstock.core.exchange import Projected
from penstock.core.scores import Sum
from penstock.ports.ledger import Flight, Gaps, LedgerState, Position

_BUSY_TIMEOUT_S = 2.0


def _insert(table: str, columns: Sequence[str], also: dict[str, str] | None = None) -> str:
    """`also`: further columns with the SQL of their values."""
    more = also or {}
    marks = ", ".join([*("?" * len(columns)), *more.values()])
    names = ", ".join([*columns, *more])
    return f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - our names


_NEXT = "(SELECT coalesce(max(taken), 0) + 1 FROM exchanges)"
_INSERT_EXCHANGE = _insert("exchanges", EXCHANGE_COLUMNS, {"taken": _NEXT})
_INSERT_ATTEMPT = _insert("attempts", ATTEMPT_COLUMNS)
_INSERT_REFUSAL = _insert("refusals", REFUSAL_COLUMNS)
_INSERT_DRILL = _insert("drills", DRILL_COLUMNS)
_INSERT_OPEN_EXCHANGE = _insert("open_exchanges", ("request_id", "boot", "event"))
_INSERT_OPEN_ATTEMPT = _insert("open_attempts", OPEN_ATTEMPT_COLUMNS)
_MOVE = """
INSERT INTO checkpoints VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
  segment = excluded.segment, offset = excluded.offset, last_seq = excluded.last_seq,
  finished = excluded.finished, torn_places = torn_places + excluded.torn_places,
  torn_bytes = torn_bytes + excluded.torn_bytes, undecoded = undecoded + excluded.undecoded,
  finished_ms = excluded.finished_ms
"""
_KNOWN = "SELECT request_id, idx FROM attempts WHERE request_id IN (SELECT value FROM json_each(?))"
_encode = msgspec.json.Encoder().encode


class SqliteLedger:
    """A `ports.ledger.LedgerStore`. Opening it makes the file and its tables.

    Raises:
        sqlite3.Error: it cannot be opened; all methods raise it too.
        OSError: the file cannot be made.
        RuntimeError: the file was made by a version with other tables.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tags = NO_TAGS
        # The rows name people and what they do: for this account's eyes only, also before the first row.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._db = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None)
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    def positions(self) -> Mapping[str, Position]:
        """How far each boot is projected."""
        rows = self._db.execute("SELECT boot, segment, offset, last_seq, finished FROM checkpoints")
        return {boot: Position(*place, finished=bool(done)) for boot, *place, done in rows}

    def stamp(self) -> object:
        """The positions: nobody else writes here."""
        return self.positions()

    def count_tags(self, tags: frozenset[str]) -> None:
        """Count spending by the values of these tags, too."""
        self._tags = tags

    def commit(
        self, boot: str, events: Sequence[tuple[int, Projected]], position: Position, gaps: Gaps
    ) -> None:
        """Write the rows of `events` and the position behind them in one transaction."""
        try:
            with self._transaction():
                self._project(boot, events, position, gaps, self._db.executemany)
        except OverflowError:
            # A vendor's absurd count must not stop the projection of everybody's rows.
            with self._transaction():
                self._project(boot, events, position, gaps, self._fitted)

    def finish(self, boot: str, position: Position, now_ms: int) -> int:
        """Charge what a dead boot left open, close its exchanges, and mark it finished."""
        with self._transaction():
            rows = self._db.execute("SELECT event FROM open_attempts WHERE boot = ?", (boot,)).fetchall()
            left = [charge_of(blob) for (blob,) in rows]
            self._fitted(_INSERT_ATTEMPT, [attempt_row(*charge) for charge in left])
            self._db.executemany(CHARGE, spend_rows(boot, left, self._tags))
            self._db.execute("DELETE FROM open_attempts WHERE boot = ?", (boot,))
            flights = self._db.execute(
                "SELECT request_id, event FROM open_exchanges WHERE boot = ?", (boot,)
            ).fetchall()
            for request_id, blob in flights:
                self._fitted(_INSERT_EXCHANGE, [closed_row(blob, self._attempts_of(request_id), now_ms)])
            self._db.execute("DELETE FROM open_exchanges WHERE boot = ?", (boot,))
            self._move(boot, msgspec.structs.replace(position, finished=True), Gaps(), now_ms)
        return len(left)

    def fold(self, now_ms: int) -> bool:
        """One short step of keeping the sums by account small; whether more may be left."""
        with self._transaction():
            return fold(self._db, now_ms)

    def judge(self, now_ms: int) -> int:
        """Count judgements whose requests were not there when they came."""
        with self._transaction():
            return Judgements(self._db.execute, self._db.execute).look_again(now_ms)

    def judgements(self, since_ms: int) -> list[Sum]:
        """Judgements and quality gates added up by minute."""
        return Judgements(self._db.execute, self._db.execute).sums(since_ms)

    def forget(self, boots: Sequence[str]) -> None:
        """Drop the positions of boots whose segments are gone; what they gave to the ledger stays."""
        if boots:
            with self._transaction():
                marks = [(boot,) for boot in boots]
                self._db.executemany(
                    "DELETE FROM checkpoints WHERE boot = ? AND finished"
                    " AND NOT EXISTS (SELECT * FROM spend WHERE spend.boot = checkpoints.boot)",
                    marks,
                )

    def state(self, now_ms: int) -> LedgerState:
        """What the committed rows say about spending, all of the same instant."""
        with self._transaction("BEGIN"):
            return LedgerState(dict(self.positions()), spent(self._db, now_ms), self._flights(), self._tags)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _prepare(self) -> None:
        # The journal is the durable copy: after a loss of power the rows of the last moments come again.
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version == 0:
            self._db.executescript(f"BEGIN IMMEDIATE; {DDL} COMMIT;")
        while version in UPGRADES:
            self._upgrade(version)
            version += 1
        if version not in {0, SCHEMA_VERSION}:
            raise RuntimeError(
                f"{self.path} has tables of version {version}, this program needs {SCHEMA_VERSION}: "
                "stop `penstock serve` and make the ledger anew with `penstock ledger rebuild`"
            )

    @contextlib.contextmanager
    def _transaction(self, begin: str = "BEGIN IMMEDIATE") -> Generator[None]:
        self._db.execute(begin)
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise

    def _fitted(self, statement: str, rows: Iterable[Row]) -> None:
        # Sums of a thousand such counts still fit into SQLite's integers.
        fitted = [[min(each, MOST_NANOUSD) if isinstance(each, int) else each for each in row] for row in rows]
        self._db.executemany(statement, fitted)

    def _project(
        self,
        boot: str,
        events: Sequence[tuple[int, Projected]],
        position: Position,
        gaps: Gaps,
        many: Callable[[str, Iterable[Row]], object],
    ) -> None:
        place = self._db.execute(
            "SELECT segment, offset, last_seq FROM checkpoints WHERE boot = ?", (boot,)
        ).fetchone()
        if place is not None:
            if place >= (position.segment, position.offset, position.last_seq):
                return  # the answer to this commit was lost, not the commit
            events = [pair for pair in events if pair[0] > place[2]]
        self._write(boot, gather(boot, events), many)
        self._move(boot, position, gaps)

    def _write(self, boot: str, found: Gathered, many: Callable[[str, Iterable[Row]], object]) -> None:
        # An attempt that was settled before its exchange was charged then.
        doubtful = found.doubtful()
        known = set(self._db.execute(_KNOWN, (_encode(doubtful),))) if doubtful else set[tuple[str, int]]()
        charges = found.charges_beside(known)
        many(_INSERT_OPEN_EXCHANGE, found.open_exchanges(boot))
        many(_INSERT_OPEN_ATTEMPT, found.open_attempts(boot))
        many("DELETE FROM open_attempts WHERE request_id = ? AND idx = ?", found.settled)
        many(_INSERT_EXCHANGE, found.exchanges)
        gone = [(request_id,) for request_id in found.ended]
        many("DELETE FROM open_attempts WHERE request_id = ?", gone)
        many("DELETE FROM open_exchanges WHERE request_id = ?", gone)
        many(_INSERT_REFUSAL, found.refusals)
        many(_INSERT_ATTEMPT, [attempt_row(*charge) for charge in charges])
        self._db.executemany(CHARGE, spend_rows(boot, charges, self._tags))
        many(_INSERT_DRILL, found.drills)
        if found.gates or found.judged:
            judgements = Judgements(self._db.execute, self._db.execute)
            judgements.count(gate_sums(found.gates))
            judgements.take(boot, found.judged)
            judgements.write()

    def _move(self, boot: str, position: Position, gaps: Gaps, finished_ms: int = 0) -> None:
        place = (position.segment, position.offset, position.last_seq, position.finished)
        self._db.execute(_MOVE, (boot, *place, gaps.places, gaps.bytes, gaps.undecoded, finished_ms))

    def _attempts_of(self, request_id: str) -> list[dict[str, Any]]:
        columns = ", ".join(ATTEMPT_COLUMNS)
        rows = self._db.execute(
            f"SELECT {columns} FROM attempts WHERE request_id = ? ORDER BY idx",  # noqa: S608 - our names
            (request_id,),
        )
        return [dict(zip(ATTEMPT_COLUMNS, row, strict=True)) for row in rows]

    def _flights(self) -> dict[str, Flight]:
        ask = self._db.execute
        return flights_of(
            ask("SELECT request_id, boot FROM open_exchanges"),
            (blob for (blob,) in ask("SELECT event FROM open_attempts")),
            ask("SELECT request_id, idx FROM attempts JOIN open_exchanges USING (request_id)"),
            self._tags,
        )

    def _upgrade(self, version: int) -> None:
        try:
            self._db.executescript(f"BEGIN IMMEDIATE; {UPGRADES[version]}")
            if version == BEFORE_SPEND:
                self._db.executemany(CHARGE, spent_under_way(self._db))
            self._db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise
