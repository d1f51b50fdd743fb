"""All rows of `ledger.db`, in portions, for another store."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from penstock.adapters.ledger.rows import Row
from penstock.adapters.sqlite.ledger import SqliteLedger

PORTION = 2_000


class LedgerFile:
    """A ledger that nobody writes to meanwhile; one that an older version made is brought up to date.

    Raises:
        FileNotFoundError: there is none.
        sqlite3.Error, RuntimeError: it cannot be read; all methods raise the former.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise FileNotFoundError(path)
        SqliteLedger(path).close()
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA query_only = ON")

    def count(self, table: str) -> int:
        """How many rows a table has."""
        (count,) = self._db.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - our names
        return count

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[list[Row]]:
        """Its rows in portions, with these columns in this order."""
        names = ", ".join(f'"{name}"' for name in columns)
        cursor = self._db.execute(f"SELECT {names} FROM {table}")  # noqa: S608 - our names
        while rows := cursor.fetchmany(PORTION):
            yield rows

    def sum(self, table: str, column: str) -> int:
        """The exact sum of a column."""
        found: list[Any] = self._db.execute(f"SELECT sum({column}) FROM {table}").fetchone()  # noqa: S608 - ours
        return found[0] or 0

    def close(self) -> None:
        """Close it."""
        self._db.close()
