"""Where the ledger is: in a file of the state directory, or in a database that several machines share."""

from __future__ import annotations

import os
import secrets
import sqlite3
from pathlib import Path

import msgspec

from penstock.adapters.ledger.reading import LedgerReader
from penstock.ports.ledger import LedgerStore

LEDGER_NAME = "ledger.db"
SITE_NAME = "site"
# What a store raises when it cannot work: `ports.ledger.LedgerError` is a RuntimeError.
TROUBLE = (sqlite3.Error, OSError, RuntimeError)


class LedgerPlace(msgspec.Struct, frozen=True):
    """The ledger of a state directory.

    `database_url`, a secret: of PostgreSQL; empty for SQLite, whose file in the directory has `name`.
    """

    state_dir: Path
    database_url: str = ""
    name: str = LEDGER_NAME

    def __repr__(self) -> str:
        """Without the URL, as it may have a password."""
        where = "PostgreSQL" if self.database_url else self.name
        return f"{type(self).__name__}({str(self.state_dir)!r}, {where})"


def open_store(place: LedgerPlace) -> LedgerStore:
    """The store for its one worker. Raises what `TROUBLE` names."""
    # Drivers are imported where they are used: the other one need not be installed.
    if place.database_url:
        from penstock.adapters.postgres.ledger import PostgresLedger  # noqa: PLC0415

        return PostgresLedger(place.database_url, site_of(place.state_dir))
    from penstock.adapters.sqlite.ledger import SqliteLedger  # noqa: PLC0415

    return SqliteLedger(place.state_dir / place.name)


def open_to_read_again(place: LedgerPlace) -> LedgerStore:
    """The database's store, in which nothing of this place counts as read. Raises what `TROUBLE` names."""
    from penstock.adapters.postgres.ledger import PostgresLedger  # noqa: PLC0415

    store = PostgresLedger(place.database_url, site_of(place.state_dir))
    try:
        store.read_again()
    except BaseException:
        store.close()
        raise
    return store


def open_reader(place: LedgerPlace) -> LedgerReader:
    """A reader. Raises FileNotFoundError where there is no ledger yet, and LedgerError."""
    if place.database_url:
        from penstock.adapters.postgres.ledger_read import open_reader as of_postgres  # noqa: PLC0415

        site = place.state_dir / SITE_NAME
        return of_postgres(place.database_url, site.read_text().strip() if site.exists() else "")
    from penstock.adapters.sqlite.ledger_read import open_reader as of_sqlite  # noqa: PLC0415

    return of_sqlite(place.state_dir / place.name)


def site_of(state_dir: Path) -> str:
    """The id under which a shared ledger knows this state directory's journal; made when it is first asked for.

    Raises:
        OSError: it cannot be read or written.
    """
    path = state_dir / SITE_NAME
    if not path.exists():
        draft = path.with_name(f".{SITE_NAME}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(8) + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    return path.read_text().strip()
