"""Moving the embedded control database into one that several machines share: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, Engine, Table, func, select
from sqlalchemy.exc import SQLAlchemyError

from penstock.adapters.control_db.engine import alone, failed, lock, migrate
from penstock.adapters.control_db.identity_tables import ATTEMPTS, FLOWS, IDENTITIES, PASSWORDS, SESSIONS
from penstock.adapters.control_db.tables import AUDIT, CHANGES, ITEMS, NOTES, REVISIONS
from penstock.ports.control_store import StoreError

PORTION = 1_000
# Not which gateway serves what: that passes.
_TABLES = (ITEMS, REVISIONS, CHANGES, AUDIT, NOTES, PASSWORDS, SESSIONS, ATTEMPTS, FLOWS, IDENTITIES)


def move(source: Engine, target: Engine, progress: Callable[[str, int], None]) -> dict[str, int]:
    """Copy every row; how many each table has. Doing it again changes nothing.

    `progress` is told a table and how many of its rows are copied.

    Raises:
        StoreError: one of them cannot be used, or the target has other revisions or objects than the source.
    """
    migrate(source)
    migrate(target)
    counts: dict[str, int] = {}
    try:
        with (
            source.connect() as reading,
            target.connect().execution_options(**alone(target)) as writing,
            reading.begin(),
            writing.begin(),
        ):
            lock(writing)
            for table in _TABLES:
                counts[table.name] = _copy(table, reading, writing, progress)
    except SQLAlchemyError as error:
        raise failed(error) from None
    return counts


def _copy(table: Table, reading: Connection, writing: Connection, progress: Callable[[str, int], None]) -> int:
    copied = 0
    keys = list(table.primary_key.columns)
    there = writing.execute(select(func.count()).select_from(table)).scalar_one()
    rows = reading.execution_options(yield_per=PORTION).execute(select(table).order_by(*keys))
    for portion in rows.mappings().partitions(PORTION):
        values: list[dict[str, object]] = [dict(row) for row in portion]
        if there:
            _compare(table, writing, values)
        else:
            writing.execute(table.insert(), values)
        copied += len(values)
        progress(table.name, copied)
    found = writing.execute(select(func.count()).select_from(table)).scalar_one()
    if found < copied:
        raise StoreError(f"{table.name}: {found} of {copied} rows arrived; nothing is changed")
    return copied


def _compare(table: Table, writing: Connection, values: list[dict[str, object]]) -> None:
    keys = [column.name for column in table.primary_key.columns]
    for row in values:
        same = writing.execute(select(table).where(*(table.c[key] == row[key] for key in keys))).first()
        if same is None:
            raise StoreError(
                f"the database has {table.name} of its own, which cannot be mixed with those of control.db;"
                " import into an empty database, before the first start with server.database_url"
            )
