"""Connections to PostgreSQL that notice a lost server, and its errors without a password in them."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any

from penstock.ports.ledger import LedgerError

try:
    import psycopg
except ImportError as error:  # the extra is not installed
    raise LedgerError(
        "server.database_url needs psycopg: install Penstock with the extra, pip install 'penstock[postgres]'"
    ) from error

SCHEMA = "penstock_ledger"
_SETTINGS: dict[str, Any] = {
    "connect_timeout": 5,
    # A server that is gone without a word is noticed within half a minute.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    "application_name": "penstock ledger",
}
Connection = psycopg.Connection[tuple[Any, ...]]


def connect(url: str, *, read_only: bool = False) -> Connection:
    """A connection to the database of a URL such as `postgresql://user:…@host/name`.

    The journal is the durable copy of what a worker commits: after a loss of power the rows of the last moments
    come again with the position before them, so that a commit need not wait for the disk.

    Raises:
        LedgerError: it cannot be reached or the URL is none. The URL is not in the message.
    """
    options = f"-c search_path={SCHEMA} -c statement_timeout=120000 -c lock_timeout=20000"
    options += " -c default_transaction_read_only=on" if read_only else " -c synchronous_commit=off"
    try:
        connection = psycopg.connect(url, options=options, **_SETTINGS)
    except psycopg.Error as error:
        raise LedgerError(f"the database of server.database_url cannot be reached: {said(error)}") from None
    # Prepared statements would not survive a pooler in between.
    connection.prepare_threshold = None
    connection.autocommit = True
    return connection


@contextlib.contextmanager
def trouble() -> Generator[None]:
    """Raise LedgerError for what psycopg raises within."""
    try:
        yield
    except psycopg.Error as error:
        raise LedgerError(f"the database of server.database_url: {said(error)}") from error


def said(error: psycopg.Error) -> str:
    """The first line of what the server or the driver says; hosts and users stand in it, passwords never."""
    text = (error.diag.message_primary or str(error)).strip().splitlines()
    first = text[0] if text else type(error).__name__
    if isinstance(error, psycopg.ProgrammingError) and error.sqlstate is None:
        return "it is not a URL such as postgresql://user:password@host/name"  # what was wrong is quoted there
    return first.removeprefix("connection is bad: ")
