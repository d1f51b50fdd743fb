"""Connections to the database of control, and the lock under which its tables are made."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from penstock.ports.control_store import StoreError

__all__ = ["Engine", "alone", "failed", "lock", "migrate", "open_postgresql", "open_sqlite"]
BUSY_S = 10.0
# Any number that nothing else in the database uses as an advisory lock: the letters of "penstock".
LOCK = 0x70656E73746F636B
# Alembic keeps what it is doing in module variables.
_ONE_AT_A_TIME = threading.Lock()
_MIGRATIONS = Path(__file__).with_name("migrations")


def open_sqlite(path: Path) -> Engine:
    """The embedded database: readers go on while one writes, and what is committed survives power loss."""
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_S}, pool_size=8, max_overflow=8)

    def prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # transactions begin when we say so, and as we say
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        connection.execute("pragma foreign_keys = on")

    def begin(connection: Connection) -> None:
        alone = connection.get_execution_options().get("alone", False)
        connection.exec_driver_sql("begin immediate" if alone else "begin")

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", begin)
    return engine


def open_postgresql(url: str) -> Engine:
    """A PostgreSQL database by its URL, through psycopg 3.

    Raises:
        StoreError: the URL is no PostgreSQL URL, or psycopg is not installed. The URL is not in the message.
    """
    try:
        parsed = make_url(url)
        if not parsed.drivername.startswith(("postgresql", "postgres")):
            raise StoreError("server.database_url must begin with postgresql://")
        settings: dict[str, Any] = {"connect_timeout": 5, "options": "-c statement_timeout=30000"}
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            connect_args=settings,
            pool_pre_ping=True,
            pool_size=8,
            max_overflow=8,
            pool_timeout=10,
            isolation_level="REPEATABLE READ",
        )
    except ImportError:
        raise StoreError("PostgreSQL needs psycopg: pip install 'penstock[postgres]'") from None
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise StoreError("server.database_url is not a URL such as postgresql://user:…@host/name") from None


def lock(connection: Connection) -> None:
    """Wait until this transaction is the only writing one, on any machine; it ends with the transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})


def alone(engine: Engine) -> dict[str, Any]:
    """The options of a connection whose transaction is to be the only writing one."""
    if engine.dialect.name == "postgresql":
        # After the wait for the lock each statement must see what the one before us has committed.
        return {"isolation_level": "READ COMMITTED"}
    return {"alone": True}


def migrate(engine: Engine) -> None:
    """Bring the tables to this version's form; several processes that start at once do it one by one.

    Raises:
        StoreError: the database cannot be reached, or was written by a newer version.
    """
    settings = Config()
    settings.set_main_option("script_location", str(_MIGRATIONS))
    try:
        with (
            _ONE_AT_A_TIME,
            engine.connect().execution_options(**alone(engine)) as connection,
            connection.begin(),
        ):
            lock(connection)
            settings.attributes["connection"] = connection
            command.upgrade(settings, "head")
    except SQLAlchemyError as error:
        raise failed(error) from None
    except CommandError as error:
        raise StoreError(f"the control database is of another version of Penstock: {error}") from None


def failed(error: SQLAlchemyError) -> StoreError:
    """A database's error as one sentence: the driver's words, never the statement and its values."""
    said = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()
    return StoreError(f"the control database: {said[0] if said else type(error).__name__}")
