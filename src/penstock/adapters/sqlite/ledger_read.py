"""Questions to `ledger.db`, on connections that cannot write."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from penstock.adapters.ledger.reading import LedgerReader
from penstock.adapters.sqlite.ledger_schema import SCHEMA_VERSION
from penstock.ports.ledger import LedgerError, Position


def open_reader(path: Path) -> LedgerReader:
    """A reader of `ledger.db`.

    Raises:
        FileNotFoundError: there is no ledger yet.
        LedgerError: it cannot be read.
    """
    return LedgerReader(SqliteReading(path))


class SqliteReading:
    """An `adapters.ledger.sql.Sql`; opening raises FileNotFoundError, all methods LedgerError."""

    place = "taken"
    settled = "1 = 1"
    mark = "?"
    tag = "json_extract(tags, ?)"
    note = "json_extract(notes, ?)"
    day = "date(ts_ms / 1000, 'unixepoch')"

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise FileNotFoundError(path)
        self._path = path
        with self._trouble():
            self._db = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None)
            try:
                self._check()
            except BaseException:
                self._db.close()
                raise

    def bind_tag(self, name: str) -> str:
        """A path in a JSON object."""
        return '$."' + name.replace('"', "") + '"'

    def ask(self, query: str, values: Sequence[object]) -> Iterable[Sequence[Any]]:
        """Rows as tuples."""
        with self._trouble():
            return self._db.execute(query, tuple(values)).fetchall()

    def ask_named(self, query: str, values: Sequence[object]) -> Iterator[Mapping[str, Any]]:
        """Rows by column."""
        with self._trouble():
            cursor = self._db.execute(query, tuple(values))
            names = [column[0] for column in cursor.description]
            for row in cursor:
                yield dict(zip(names, row, strict=True))

    def positions(self) -> Mapping[str, Position]:
        """How far each boot of the journal is projected."""
        rows = self.ask("SELECT boot, segment, offset, last_seq, finished FROM checkpoints", ())
        return {row[0]: Position(row[1], row[2], row[3], bool(row[4])) for row in rows}

    def close(self) -> None:
        """Close it."""
        self._db.close()

    def _check(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version not in {0, SCHEMA_VERSION}:
            raise LedgerError(
                f"{self._path} cannot be read: its tables are of version {version}, this program's of"
                f" {SCHEMA_VERSION}; a worker that starts brings older ones up to date"
            )

    @contextlib.contextmanager
    def _trouble(self) -> Generator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise LedgerError(f"{self._path} cannot be read: {error}") from None
