"""Each test of a ledger's store runs on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.worker.stores import LedgerPlace
from tests.databases.postgres import PostgresServer, postgres_server


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    """One PostgreSQL server for all tests of this process."""
    with postgres_server() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> LedgerPlace:
    """An empty ledger and the state directory beside it."""
    if request.param == "sqlite":
        return LedgerPlace(tmp_path)
    running: PostgresServer = request.getfixturevalue("server")
    return LedgerPlace(tmp_path, running.database())


@pytest.fixture
def shared(server: PostgresServer, tmp_path: Path) -> tuple[LedgerPlace, LedgerPlace]:
    """Two machines with one database."""
    url = server.database()
    places = (LedgerPlace(tmp_path / "one", url), LedgerPlace(tmp_path / "two", url))
    for each in places:
        each.state_dir.mkdir()
    return places
