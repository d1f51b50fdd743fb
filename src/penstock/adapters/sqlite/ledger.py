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

from penstock.adapters.sqlite.ledger_rows import (
    Row,
    attempt_row,
    exchange_row,
    interrupted,
    refusal_row,
)
from penstock.adapters.sqlite.ledger_schema import (
    ATTEMPT_COLUMNS,
    DDL,
    EXCHANGE_COLUMNS,
    REFUSAL_COLUMNS,
    SCHEMA_VERSION,
    UPGRADES,
    USAGE_COLUMNS,
)
from penstock.core.exchange import (
    AttemptFacts,
    AttemptOpened,
    AttemptSettled,
    Event,
    ExchangeSettled,
)
from penstock.core.usage import Usage
from penstock.ports.ledger import Flight, Gaps, LedgerState, OpenAttempt, Position

_MS_PER_HOUR = 3_600_000
_BUSY_TIMEOUT_S = 2.0
# Sums of a thousand such counts still fit into SQLite's integers.
_LARGEST = 2**53


def _insert(table: str, columns: Sequence[str]) -> str:
    marks = ", ".join("?" * len(columns))
    return f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - our names


_INSERT_EXCHANGE = _insert("exchanges", EXCHANGE_COLUMNS)
_INSERT_ATTEMPT = _insert("attempts", ATTEMPT_COLUMNS)
_INSERT_REFUSAL = _insert("refusals", REFUSAL_COLUMNS)
_INSERT_OPEN_EXCHANGE = "INSERT OR IGNORE INTO open_exchanges VALUES (?, ?, ?)"
_INSERT_OPEN_ATTEMPT = "INSERT OR IGNORE INTO open_attempts VALUES (?, ?, ?, ?, ?, ?, ?)"
_MOVE = """
INSERT INTO checkpoints VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
  segment = excluded.segment, offset = excluded.offset, last_seq = excluded.last_seq,
  finished = excluded.finished, torn_places = torn_places + excluded.torn_places,
  torn_bytes = torn_bytes + excluded.torn_bytes, undecoded = undecoded + excluded.undecoded
"""
_opened_from = msgspec.msgpack.Decoder(AttemptOpened).decode
_encode = msgspec.msgpack.Encoder().encode


class SqliteLedger:
    """A `ports.ledger.LedgerStore`. Opening it makes the file and its tables.

    Raises:
        sqlite3.Error: it cannot be opened; all methods raise it too.
        OSError: the file cannot be made.
        RuntimeError: the file was made by a version with other tables.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
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

    def commit(self, boot: str, events: Sequence[tuple[int, Event]], position: Position, gaps: Gaps) -> None:
        """Write the rows of `events` and the position behind them in one transaction."""
        ended = {event.request.request_id for _, event in events if type(event) is ExchangeSettled}
        try:
            with self._transaction():
                self._write(boot, events, ended, self._db.executemany)
                self._move(boot, position, gaps)
        except OverflowError:
            # A vendor's absurd count must not stop the projection of everybody's rows.
            with self._transaction():
                self._write(boot, events, ended, self._fitted)
                self._move(boot, position, gaps)

    def finish(self, boot: str, position: Position, now_ms: int) -> int:
        """Charge what a dead boot left open, close its exchanges, and mark it finished."""
        with self._transaction():
            rows = self._db.execute("SELECT event FROM open_attempts WHERE boot = ?", (boot,)).fetchall()
            left = [_opened_from(blob) for (blob,) in rows]
            self._db.executemany(
                _INSERT_ATTEMPT, [attempt_row(each.request, each.subject, interrupted(each)) for each in left]
            )
            self._db.execute("DELETE FROM open_attempts WHERE boot = ?", (boot,))
            flights = self._db.execute("SELECT event FROM open_exchanges WHERE boot = ?", (boot,)).fetchall()
            for (blob,) in flights:
                self._close_interrupted(_opened_from(blob), now_ms)
            self._db.execute("DELETE FROM open_exchanges WHERE boot = ?", (boot,))
            self._move(boot, msgspec.structs.replace(position, finished=True), Gaps())
        return len(left)

    def forget(self, boots: Sequence[str]) -> None:
        """Drop the positions of boots whose segments are gone; what they gave to the ledger stays."""
        if boots:
            with self._transaction():
                marks = [(boot,) for boot in boots]
                self._db.executemany("DELETE FROM checkpoints WHERE boot = ? AND finished", marks)

    def state(self, since_hour: int) -> LedgerState:
        """What the committed rows say about spending, all of the same instant."""
        with self._transaction("BEGIN"):
            hours = self._db.execute(
                "SELECT key, hour, nanousd FROM spend_hourly WHERE hour >= ?", (since_hour,)
            ).fetchall()
            totals = self._db.execute("SELECT key, nanousd FROM spend_total").fetchall()
            return LedgerState(
                positions=dict(self.positions()), hours=hours, totals=dict(totals), flights=self._flights()
            )

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
            self._db.executescript(f"BEGIN IMMEDIATE; {UPGRADES[version]} COMMIT;")
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
        fitted = [[min(each, _LARGEST) if isinstance(each, int) else each for each in row] for row in rows]
        self._db.executemany(statement, fitted)

    def _write(
        self,
        boot: str,
        events: Sequence[tuple[int, Event]],
        ended: set[str],
        many: Callable[[str, Iterable[Row]], object],
    ) -> None:
        """Gather the rows by table. What opens and ends among these events never becomes an open row."""
        exchanges: list[Row] = []
        attempts: list[Row] = []
        refusals: list[Row] = []
        settled: list[tuple[str, int]] = []
        opened: list[AttemptOpened] = []
        for seq, event in events:
            request_id = event.request.request_id
            if isinstance(event, ExchangeSettled):
                exchanges.append(exchange_row(event))
                attempts += [attempt_row(event.request, event.subject, each) for each in event.attempts]
            elif isinstance(event, AttemptOpened):
                if request_id not in ended:
                    opened.append(event)
            elif isinstance(event, AttemptSettled):
                attempts.append(attempt_row(event.request, event.subject, event.attempt))
                settled.append((request_id, event.attempt.index))
            else:
                refusals.append(refusal_row(boot, seq, event))
        many(_INSERT_OPEN_EXCHANGE, [(each.request.request_id, boot, _encode(each)) for each in opened])
        many(_INSERT_OPEN_ATTEMPT, [_open_row(boot, each) for each in opened])
        many(_INSERT_ATTEMPT, attempts)
        many("DELETE FROM open_attempts WHERE request_id = ? AND idx = ?", settled)
        many(_INSERT_EXCHANGE, exchanges)
        gone = [(request_id,) for request_id in ended]
        many("DELETE FROM open_attempts WHERE request_id = ?", gone)
        many("DELETE FROM open_exchanges WHERE request_id = ?", gone)
        many(_INSERT_REFUSAL, refusals)

    def _move(self, boot: str, position: Position, gaps: Gaps) -> None:
        place = (position.segment, position.offset, position.last_seq, position.finished)
        self._db.execute(_MOVE, (boot, *place, gaps.places, gaps.bytes, gaps.undecoded))

    def _close_interrupted(self, first: AttemptOpened, now_ms: int) -> None:
        """Give an exchange whose end was never written a row, with all attempts that are charged."""
        columns = ", ".join(ATTEMPT_COLUMNS)
        rows = self._db.execute(
            f"SELECT {columns} FROM attempts WHERE request_id = ? ORDER BY idx",  # noqa: S608 - our names
            (first.request.request_id,),
        )
        attempts = [_attempt_facts(dict(zip(ATTEMPT_COLUMNS, row, strict=True))) for row in rows]
        ended_ms = max([now_ms, first.at_ms])
        event = ExchangeSettled(
            request=first.request,
            subject=first.subject,
            attempts=attempts,
            ended_ms=ended_ms,
            outcome="interrupted",
            status=0,
            code="interrupted",
        )
        self._db.execute(_INSERT_EXCHANGE, exchange_row(event))

    def _flights(self) -> dict[str, Flight]:
        flights: dict[str, tuple[list[OpenAttempt], list[int]]] = {
            request_id: ([], []) for (request_id,) in self._db.execute("SELECT request_id FROM open_exchanges")
        }
        open_rows = self._db.execute("SELECT request_id, idx, key, at_ms, reserved_nanousd FROM open_attempts")
        for request_id, index, key, at_ms, reserved in open_rows:
            attempt = OpenAttempt(index, key, at_ms // _MS_PER_HOUR, reserved or 0)
            flights.setdefault(request_id, ([], []))[0].append(attempt)
        settled_rows = self._db.execute(
            "SELECT request_id, idx FROM attempts JOIN open_exchanges USING (request_id)"
        )
        for request_id, index in settled_rows:
            flights[request_id][1].append(index)
        return {request_id: Flight(tuple(left), tuple(done)) for request_id, (left, done) in flights.items()}


def _open_row(boot: str, event: AttemptOpened) -> Row:
    return (
        event.request.request_id,
        event.index,
        boot,
        event.subject.key,
        event.at_ms,
        event.reserved_nanousd,
        _encode(event),
    )


def _attempt_facts(row: dict[str, Any]) -> AttemptFacts:
    usage = Usage(**{name: row.pop(name) for name in USAGE_COLUMNS})
    row.pop("request_id")
    row.pop("key")
    return AttemptFacts(index=row.pop("idx"), usage=usage, **row)
