"""The ledger in PostgreSQL, for several machines: each worker writes what its own journal says.

Rows and the position that they come from commit together, as in SQLite. A boot stands in one site's journal, so
workers never write the same rows; only folding meets, and one of them at a time folds for all.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import psycopg
from psycopg import IsolationLevel

from penstock.adapters.ledger.columns import (
    ATTEMPT_COLUMNS,
    DRILL_COLUMNS,
    EXCHANGE_COLUMNS,
    OPEN_ATTEMPT_COLUMNS,
    REFUSAL_COLUMNS,
)
from penstock.adapters.ledger.gather import (
    Charge,
    Gathered,
    charge_of,
    closed_row,
    flights_of,
    gather,
    spend_rows,
)
from penstock.adapters.ledger.judgements import Gate, Judgements, gate_sums
from penstock.adapters.ledger.rows import Row, attempt_row
from penstock.adapters.postgres.connection import connect, trouble
from penstock.adapters.postgres.ledger_schema import JUDGING, prepare
from penstock.adapters.postgres.ledger_spend import charge, fold, spent
from penstock.adapters.postgres.ledger_values import copy, fitted, insert
from penstock.core.accounts import NO_TAGS
from penstock.core.exchange import Projected
from penstock.core.scores import Sum
from penstock.ports.ledger import RECENT_MS, Gaps, LedgerState, Position

_OPEN_EXCHANGE_COLUMNS = ("request_id", "boot", "event")
_PLACE = 'SELECT segment, "offset", last_seq FROM checkpoints WHERE boot = %s FOR UPDATE'
_MOVE = """
INSERT INTO checkpoints AS old VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (boot) DO UPDATE SET
  segment = excluded.segment, "offset" = excluded."offset", last_seq = excluded.last_seq,
  finished = excluded.finished, torn_places = old.torn_places + excluded.torn_places,
  torn_bytes = old.torn_bytes + excluded.torn_bytes, undecoded = old.undecoded + excluded.undecoded,
  finished_ms = excluded.finished_ms
"""
_ALL_PLACES = 'SELECT boot, segment, "offset", last_seq, finished FROM checkpoints'
_KNOWN = "SELECT request_id, idx FROM attempts WHERE request_id = ANY(%s)"
_FORGET = """
DELETE FROM checkpoints WHERE site = %s AND finished AND boot = ANY(%s)
  AND NOT EXISTS (SELECT FROM spend WHERE spend.boot = checkpoints.boot)
"""
_RECENT = "SELECT boot FROM checkpoints WHERE site = %s AND finished AND finished_ms > %s"
_DELETE_SETTLED = """
DELETE FROM open_attempts USING unnest(%s::text[], %s::bigint[]) AS done (request_id, idx)
WHERE open_attempts.request_id = done.request_id AND open_attempts.idx = done.idx
"""


class PostgresLedger:
    """A `ports.ledger.LedgerStore`. Opening it makes the schema and its tables where they are missing.

    Args:
        url: of the database.
        site: whose journal this worker reads; an id that the state directory keeps.

    Raises:
        LedgerError: it cannot be reached or used; all methods raise it too.
    """

    def __init__(self, url: str, site: str) -> None:
        self._site = site
        self._tags = NO_TAGS
        self._careful = False
        self._db = connect(url)
        try:
            with trouble():
                prepare(self._db)
        except BaseException:
            self._db.close()
            raise

    def positions(self) -> Mapping[str, Position]:
        """How far each boot of this site is projected."""
        with trouble():
            rows = self._db.execute(f"{_ALL_PLACES} WHERE site = %s".encode(), (self._site,)).fetchall()
        return {boot: Position(*place) for boot, *place in rows}

    def stamp(self) -> object:
        """The positions of all sites."""
        with trouble():
            return sorted(self._db.execute(_ALL_PLACES).fetchall())

    def count_tags(self, tags: frozenset[str]) -> None:
        """Count spending by the values of these tags, too."""
        self._tags = tags

    def commit(
        self, boot: str, events: Sequence[tuple[int, Projected]], position: Position, gaps: Gaps
    ) -> None:
        """Write the rows of `events` and the position behind them in one transaction."""
        with trouble():
            if not self._careful:
                # What a vendor or a client made absurd, or what is there, must not stop all others' rows.
                with contextlib.suppress(psycopg.DataError, psycopg.IntegrityError):
                    self._project(boot, events, position, gaps, careful=False)
                    return
            self._project(boot, events, position, gaps, careful=True)

    def finish(self, boot: str, position: Position, now_ms: int) -> int:
        """Charge what a dead boot left open, close its exchanges, and mark it finished."""
        with trouble(), self._db.transaction():
            rows = self._db.execute("SELECT event FROM open_attempts WHERE boot = %s", (boot,)).fetchall()
            left = [charge_of(blob) for (blob,) in rows]
            known = self._known({request.request_id for request, _, _ in left})
            left = [each for each in left if (each[0].request_id, each[2].index) not in known]
            self._charge(boot, left, careful=True)
            self._db.execute("DELETE FROM open_attempts WHERE boot = %s", (boot,))
            flights = self._db.execute(
                "SELECT request_id, event FROM open_exchanges WHERE boot = %s", (boot,)
            ).fetchall()
            closed = [closed_row(blob, self._attempts_of(request_id), now_ms) for request_id, blob in flights]
            insert(self._db, "exchanges", EXCHANGE_COLUMNS, closed)
            self._db.execute("DELETE FROM open_exchanges WHERE boot = %s", (boot,))
            self._move(boot, msgspec.structs.replace(position, finished=True), Gaps(), now_ms)
        return len(left)

    def fold(self, now_ms: int) -> bool:
        """One short step of keeping the sums by account small; whether more may be left."""
        with trouble(), self._db.transaction():
            return fold(self._db, now_ms)

    def judge(self, now_ms: int) -> int:
        """Count judgements whose requests were not there when they came, one worker at a time."""
        with trouble(), self._db.transaction():
            free = self._db.execute("SELECT pg_try_advisory_xact_lock(%s)", (JUDGING,)).fetchone()
            if free is None or not free[0]:
                return 0
            return self._judgements().look_again(now_ms)

    def judgements(self, since_ms: int) -> list[Sum]:
        """Judgements and quality gates of all sites, added up by minute."""
        with trouble():
            return self._judgements().sums(since_ms)

    def forget(self, boots: Sequence[str]) -> None:
        """Drop the positions of boots whose segments are gone; what they gave to the ledger stays."""
        if boots:
            with trouble():
                self._db.execute(_FORGET, (self._site, list(boots)))

    def state(self, now_ms: int) -> LedgerState:
        """What the committed rows of all sites say about spending, all of the same instant."""
        with trouble():
            self._db.set_isolation_level(IsolationLevel.REPEATABLE_READ)
            try:
                with self._db.transaction():
                    ask = self._db.execute
                    flights = flights_of(
                        ask("SELECT request_id, boot FROM open_exchanges").fetchall(),
                        [blob for (blob,) in ask("SELECT event FROM open_attempts").fetchall()],
                        ask(
                            "SELECT request_id, idx FROM attempts JOIN open_exchanges USING (request_id)"
                        ).fetchall(),
                        self._tags,
                    )
                    recent = ask(_RECENT, (self._site, now_ms - RECENT_MS)).fetchall()
                    return LedgerState(
                        dict(self.positions()),
                        spent(self._db, now_ms),
                        flights,
                        self._tags,
                        frozenset(boot for (boot,) in recent),
                    )
            finally:
                self._db.set_isolation_level(None)

    def read_again(self) -> None:
        """Begin all boots of this site anew: what the tables miss comes again, what they have stays."""
        with trouble(), self._db.transaction():
            self._careful = True
            self._db.execute(
                'UPDATE checkpoints SET segment = 0, "offset" = 0, last_seq = 0, finished = false'
                " WHERE site = %s",
                (self._site,),
            )

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def _project(
        self,
        boot: str,
        events: Sequence[tuple[int, Projected]],
        position: Position,
        gaps: Gaps,
        *,
        careful: bool,
    ) -> None:
        with self._db.transaction():
            place = self._db.execute(_PLACE, (boot,)).fetchone()
            if place is not None:
                if place >= (position.segment, position.offset, position.last_seq):
                    return  # the answer to this commit was lost, not the commit
                events = [pair for pair in events if pair[0] > place[2]]
            found = gather(boot, events)
            put = insert if careful else copy
            insert(self._db, "open_exchanges", _OPEN_EXCHANGE_COLUMNS, found.open_exchanges(boot))
            insert(self._db, "open_attempts", OPEN_ATTEMPT_COLUMNS, found.open_attempts(boot))
            self._close(found.settled, found.ended)
            gates = self._new_gates(found) if careful else found.gates
            put(self._db, "exchanges", EXCHANGE_COLUMNS, found.exchanges)
            put(self._db, "refusals", REFUSAL_COLUMNS, found.refusals)
            doubtful = {place[0] for place in found.charges} if careful else found.doubtful()
            self._charge(boot, found.charges_beside(self._known(doubtful)), careful=careful)
            insert(self._db, "drills", DRILL_COLUMNS, found.drills)
            if gates or found.judged:
                judgements = self._judgements()
                judgements.count(gate_sums(gates))
                judgements.take(boot, found.judged)
                judgements.write()
            self._move(boot, position, gaps)

    def _judgements(self) -> Judgements:
        def run(statement: str, values: Sequence[object]) -> Sequence[Any]:
            cursor = self._db.execute(statement.replace("?", "%s").encode(), tuple(map(fitted, values)))
            return cursor.fetchall() if cursor.description is not None else ()

        return Judgements(run, run)

    def _new_gates(self, found: Gathered) -> list[Gate]:
        """Those of exchanges that have no row yet: each counts once, however often it is read."""
        wanted = [gate.request_id for gate in found.gates]
        rows = self._db.execute("SELECT request_id FROM exchanges WHERE request_id = ANY(%s)", (wanted,))
        known = {row[0] for row in rows}
        return [gate for gate in found.gates if gate.request_id not in known]

    def _known(self, requests: Iterable[str]) -> set[tuple[str, int]]:
        """The attempts of these requests that have a row."""
        wanted = list(requests)
        return {(row[0], row[1]) for row in self._db.execute(_KNOWN, (wanted,))} if wanted else set()

    def _charge(self, boot: str, charges: Sequence[Charge], *, careful: bool) -> None:
        put = insert if careful else copy
        put(self._db, "attempts", ATTEMPT_COLUMNS, [attempt_row(*each) for each in charges])
        charge(self._db, spend_rows(boot, charges, self._tags))

    def _close(self, settled: list[tuple[str, int]], ended: set[str]) -> None:
        if settled:
            self._db.execute(_DELETE_SETTLED, ([each[0] for each in settled], [each[1] for each in settled]))
        if ended:
            self._db.execute("DELETE FROM open_attempts WHERE request_id = ANY(%s)", (list(ended),))
            self._db.execute("DELETE FROM open_exchanges WHERE request_id = ANY(%s)", (list(ended),))

    def _move(self, boot: str, position: Position, gaps: Gaps, finished_ms: int = 0) -> None:
        place = (position.segment, position.offset, position.last_seq, position.finished)
        missing = (gaps.places, gaps.bytes, gaps.undecoded)
        self._db.execute(_MOVE, (boot, self._site, *place, *missing, finished_ms))

    def _attempts_of(self, request_id: str) -> list[dict[str, Any]]:
        columns = ", ".join(f'"{name}"' for name in ATTEMPT_COLUMNS)
        query = f"SELECT {columns} FROM attempts WHERE request_id = %s ORDER BY idx"  # noqa: S608 - our names
        rows: list[Row] = self._db.execute(query.encode(), (request_id,)).fetchall()
        return [dict(zip(ATTEMPT_COLUMNS, row, strict=True)) for row in rows]
