"""Questions to the ledger in PostgreSQL, on connections that cannot write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from psycopg.rows import dict_row
from psycopg.types.json import set_json_loads

from penstock.adapters.ledger.reading import LedgerReader
from penstock.adapters.postgres.connection import connect, trouble
from penstock.adapters.postgres.ledger_schema import check, version_of
from penstock.ports.ledger import Position


def open_reader(url: str, site: str) -> LedgerReader:
    """A reader of the ledger of all sites, and of the positions of one.

    Raises:
        FileNotFoundError: there is no ledger yet.
        LedgerError: it cannot be read.
    """
    return LedgerReader(PostgresReading(url, site))


class PostgresReading:
    """An `adapters.ledger.sql.Sql`; opening raises FileNotFoundError, all methods LedgerError."""

    place = "xact"
    settled = "xact < pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
    mark = "%s"
    tag = "tags ->> %s::text"
    note = "notes ->> %s::text"
    day = "to_char(to_timestamp(ts_ms / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD')"

    def __init__(self, url: str, site: str) -> None:
        self._site = site
        self._db = connect(url, read_only=True)
        set_json_loads(_text, self._db)
        try:
            self._check()
        except BaseException:
            self._db.close()
            raise

    def bind_tag(self, name: str) -> str:
        """The name itself."""
        return name

    def ask(self, query: str, values: Sequence[object]) -> Iterable[Sequence[Any]]:
        """Rows as tuples."""
        with trouble():
            return self._db.execute(query.encode(), values).fetchall()

    def ask_named(self, query: str, values: Sequence[object]) -> Iterator[Mapping[str, Any]]:
        """Rows by column, fetched as they are used."""
        with (
            trouble(),
            self._db.transaction(),
            self._db.cursor("exchanges", row_factory=dict_row) as cursor,
        ):
            yield from cursor.execute(query.encode(), values)

    def positions(self) -> Mapping[str, Position]:
        """How far each boot of the site is projected."""
        query = 'SELECT boot, segment, "offset", last_seq, finished FROM checkpoints WHERE site = %s'
        return {row[0]: Position(*row[1:]) for row in self.ask(query, (self._site,))}

    def close(self) -> None:
        """Close it."""
        self._db.close()

    def _check(self) -> None:
        with trouble():
            if version_of(self._db) is None:
                raise FileNotFoundError("no worker has written to this database yet")
            check(self._db)


def _text(data: str | bytes) -> str:
    return data if isinstance(data, str) else data.decode()
