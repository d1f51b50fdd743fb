"""Each test of a control store runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from penstock.adapters.control_db.engine import open_postgresql, open_sqlite
from penstock.adapters.control_db.store import SqlControlStore
from tests.databases.postgres import PostgresServer, postgres_server

# Opens the same database once more, as another process would.
Opener = Callable[[], SqlControlStore]


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    """One PostgreSQL server for all tests of this process."""
    with postgres_server() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Opens one empty database, as often as it is called."""
    opened: list[SqlControlStore] = []
    url = ""
    if request.param == "postgresql":
        running: PostgresServer = request.getfixturevalue("server")
        url = running.database()

    def open_store() -> SqlControlStore:
        engine = open_postgresql(url) if url else open_sqlite(tmp_path / "control.db")
        opened.append(SqlControlStore(engine))
        return opened[-1]

    yield open_store
    for store in opened:
        store.close()


@pytest.fixture
def store(opener: Opener) -> SqlControlStore:
    """An empty store."""
    made = opener()
    made.prepare()
    return made
