"""Rows of another ledger on their way into PostgreSQL: each once, however often it is tried."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from penstock.adapters.ledger.columns import OPEN_ATTEMPT_COLUMNS
from penstock.adapters.ledger.rows import Row
from penstock.adapters.postgres.connection import connect, trouble
from penstock.adapters.postgres.ledger_schema import MAKING, prepare
from penstock.adapters.postgres.ledger_spend import charge
from penstock.adapters.postgres.ledger_values import copy, fitted, insert
from penstock.ports.ledger import LedgerError

OPEN_EXCHANGE_COLUMNS = ("request_id", "boot", "event")
_BOOLEANS = frozenset({"stream", "success"})
_MARK = "CREATE TABLE IF NOT EXISTS imports (site text PRIMARY KEY, nanousd numeric NOT NULL)"
_MOVE = "INSERT INTO checkpoints VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
_ALL_SPENT = "SELECT coalesce(sum(nanousd), 0) FROM spend"


class LedgerImport:
    """Adds what a state directory's own ledger has to a database.

    Args:
        url: of the database.
        site: the id of the state directory.

    Raises:
        LedgerError: it cannot be reached or used; all methods raise it too.
    """

    def __init__(self, url: str, site: str) -> None:
        self._site = site
        self._db = connect(url)
        try:
            with trouble():
                prepare(self._db)
                with self._db.transaction():
                    self._db.execute("SELECT pg_advisory_xact_lock(%s)", (MAKING,))
                    self._db.execute(_MARK.encode())
        except BaseException:
            self._db.close()
            raise

    @property
    def settled(self) -> bool:
        """Whether sums and positions of this state directory are imported; it happens once.

        Raises:
            LedgerError: its worker has written to the database before, so that sums would count twice.
        """
        with trouble():
            if self._one("SELECT count(*) FROM imports WHERE site = %s", self._site):
                return True
            if self._one("SELECT count(*) FROM checkpoints WHERE site = %s", self._site):
                raise LedgerError(
                    "a worker of this state directory has written to the database already, and what both know"
                    " cannot be told apart: import before the first start with server.database_url; if nobody"
                    " else uses the database, drop its schema penstock_ledger and import then"
                )
        return False

    def add(self, table: str, columns: Sequence[str], key: Sequence[str], rows: Iterable[Row]) -> int:
        """Add rows that are not there; the sum of their costs in nano-dollars, as the database has it.

        Raises:
            LedgerError: a row that was there is another one.
        """
        fit = [_row(columns, row) for row in rows]
        names = ", ".join(f'"{name}"' for name in columns)
        keys = ", ".join(key)
        has_cost = "cost_nanousd" in columns
        with trouble(), self._db.transaction():
            run = self._db.execute
            empty = f"SELECT {names} FROM {table} LIMIT 0"  # noqa: S608 - our names, here and below
            run(f"CREATE TEMPORARY TABLE portion ON COMMIT DROP AS {empty}".encode())
            copy(self._db, "portion", columns, fit)
            into = f"INSERT INTO {table} ({names}) SELECT {names} FROM portion ON CONFLICT DO NOTHING"  # noqa: S608
            run(into.encode())
            both = f"{table} t JOIN portion USING ({keys})"
            what = f"SELECT count(*), coalesce(sum({'t.cost_nanousd' if has_cost else 0}), 0) FROM {both}"  # noqa: S608
            found = run(what.encode()).fetchone()
            place = list(columns).index("cost_nanousd") if has_cost else 0
            wanted = (len(fit), sum(row[place] or 0 for row in fit) if has_cost else 0)
            if found is None or (int(found[0]), int(found[1])) != wanted:
                raise LedgerError(
                    f"{table}: the database has other rows under the same ids; nothing is changed"
                )
        return wanted[1]

    def settle(
        self,
        checkpoints: Iterable[Sequence[Row]],
        spend: Iterable[Sequence[Row]],
        open_exchanges: Iterable[Sequence[Row]],
        open_attempts: Iterable[Sequence[Row]],
        nanousd: int,
    ) -> None:
        """Take over sums, positions and what is under way, all at once; `nanousd` is what the sums add up to.

        Raises:
            LedgerError: they do not.
        """
        with trouble(), self._db.transaction():
            before = self._one(_ALL_SPENT)
            for portion in spend:
                charge(self._db, [tuple(map(fitted, row)) for row in portion])
            for portion in open_exchanges:
                insert(self._db, "open_exchanges", OPEN_EXCHANGE_COLUMNS, portion)
            for portion in open_attempts:
                insert(self._db, "open_attempts", OPEN_ATTEMPT_COLUMNS, portion)
            for portion in checkpoints:
                moves = [
                    (boot, self._site, *place, bool(finished), *rest)
                    for boot, *place, finished, torn, size, undecoded, ended in portion
                    for rest in [(torn, size, undecoded, ended)]
                ]
                with self._db.cursor() as cursor:
                    cursor.executemany(_MOVE, moves)
            if self._one(_ALL_SPENT) - before != nanousd:
                raise LedgerError("the sums by account do not add up in the database; nothing of them is kept")
            self._db.execute("INSERT INTO imports VALUES (%s, %s)", (self._site, nanousd))

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def _one(self, query: str, *values: object) -> Any:
        row = self._db.execute(query.encode(), values).fetchone()
        return row[0] if row is not None else 0


def _row(columns: Sequence[str], row: Row) -> Row:
    return tuple(
        bool(value) if name in _BOOLEANS else fitted(value) for name, value in zip(columns, row, strict=True)
    )
