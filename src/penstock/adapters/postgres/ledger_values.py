"""Rows on their way into PostgreSQL: by COPY, or one by one past what is there already."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from penstock.adapters.ledger.rows import Row
from penstock.adapters.postgres.connection import Connection
from penstock.core.accounts import MOST_NANOUSD

_NUL, _UNKNOWN = "\x00", "\N{REPLACEMENT CHARACTER}"


def copy(connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Add rows that are not there, and whose values fit: the fast way.

    Raises:
        psycopg.IntegrityError, psycopg.DataError: one of them is there, or does not fit.
    """
    if not rows:
        return
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({_names(columns)}) FROM STDIN".encode()) as out,
    ):
        for row in rows:
            out.write_row(row)


def insert(connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Add the rows that are not there; what does not fit is cut to what does."""
    if rows:
        marks = ", ".join(["%s"] * len(columns))
        into = f"{table} ({_names(columns)})"
        query = f"INSERT INTO {into} VALUES ({marks}) ON CONFLICT DO NOTHING"  # noqa: S608 - our names
        with connection.cursor() as cursor:
            cursor.executemany(query.encode(), [tuple(map(fitted, row)) for row in rows])


def fitted(value: Any) -> Any:
    """A value that PostgreSQL has room for: 64 bits, and texts without the one character that it refuses."""
    if isinstance(value, int):
        return min(value, MOST_NANOUSD) if value > MOST_NANOUSD else value
    if isinstance(value, str):
        value = value.replace(_NUL, _UNKNOWN)
        if "\\u0000" in value and value.startswith("{"):
            return json.dumps(_without_nul(json.loads(value)), ensure_ascii=False)
    return value


def _without_nul(tags: dict[str, Any]) -> dict[str, Any]:
    return {_clean(name): _clean(value) for name, value in tags.items()}


def _clean(value: Any) -> Any:
    return value.replace(_NUL, _UNKNOWN) if isinstance(value, str) else value


def _names(columns: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)
