"""Moving control.db into a shared database: every row, and the audit log's chain, once."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from penstock.adapters.control_db.engine import migrate, open_postgresql, open_sqlite
from penstock.adapters.control_db.moving import move
from penstock.adapters.control_db.tables import AUDIT, ITEMS, NOTES, REVISIONS
from penstock.cli.config import config
from penstock.ports.control_store import StoreError
from tests.databases.postgres import PostgresServer


def fill(path: Path, name: str = "k") -> None:
    """Some objects, revisions and a log."""
    engine = open_sqlite(path)
    migrate(engine)
    with engine.connect() as connection, connection.begin():
        for number in range(2_500):
            item = {"kind": "key", "org": "acme", "name": f"{name}{number}", "team": "", "managed_by": "api"}
            rest = {"body": "{}", "version": 1, "created_ms": number, "updated_ms": number}
            connection.execute(ITEMS.insert(), item | rest)
        for number in range(3):
            revision = {"number": number, "created_ms": 1, "author": "a", "origin": "api", "reason": "r"}
            connection.execute(REVISIONS.insert(), revision | {"content": f"{name} {number}"})
            entry = {
                "seq": number,
                "entry": "{}",
                "previous": str(number),
                "digest": f"{name}{number}",
                "ts_ms": 1,
            }
            words = dict.fromkeys(("actor", "action", "kind", "org", "team", "name", "outcome"), "x")
            connection.execute(AUDIT.insert(), entry | words)
        connection.execute(NOTES.insert(), {"name": "n", "value": name})
    engine.dispose()


def quiet(table: str, count: int) -> None:
    """Progress that nobody looks at."""
    assert count, table


def test_everything_is_there_once(server: PostgresServer, tmp_path: Path) -> None:
    """Rows are those of control.db, also after a second time."""
    fill(tmp_path / "control.db")
    source, target = open_sqlite(tmp_path / "control.db"), open_postgresql(server.database())
    first = move(source, target, quiet)
    assert (first["items"], first["audit"], first["revisions"], first["notes"]) == (2_500, 3, 3, 1)
    assert move(source, target, quiet) == first
    with source.connect() as one, target.connect() as other:
        for table in (ITEMS, REVISIONS, AUDIT, NOTES):
            key = next(iter(table.primary_key.columns))
            query = select(table).order_by(*table.primary_key.columns)
            assert sorted(map(tuple, one.execute(query))) == sorted(map(tuple, other.execute(query))), key
    source.dispose()
    target.dispose()


def test_two_histories_are_not_mixed(server: PostgresServer, tmp_path: Path) -> None:
    """A database with objects of its own stays as it is."""
    url = server.database()
    for name in ("one", "two"):
        fill(tmp_path / f"{name}.db", name)
    target = open_postgresql(url)
    for name, refused in (("one", False), ("two", True)):
        source = open_sqlite(tmp_path / f"{name}.db")
        if refused:
            with pytest.raises(StoreError, match="empty database"):
                move(source, target, quiet)
        else:
            move(source, target, quiet)
        source.dispose()
    with target.connect() as connection:
        assert connection.execute(select(NOTES.c.value)).scalars().all() == ["one"]
    target.dispose()


def test_the_command(server: PostgresServer, tmp_path: Path) -> None:
    """It says what it did, and without a database what to do."""
    state = tmp_path / "state"
    state.mkdir()
    (state / "run").mkdir()
    fill(state / "control.db")
    file = tmp_path / "penstock.yaml"
    file.write_text(f"version: 1\nserver: {{state_dir: '{state}', database_url: '{server.database()}'}}\n")
    done = CliRunner().invoke(config, ["import", "-c", str(file)])
    assert done.exit_code == 0, done.output
    assert "items: 2,500 rows" in done.output
    nowhere = CliRunner().invoke(config, ["import", "--state-dir", str(state)])
    assert nowhere.exit_code == 1
    assert "server.database_url" in nowhere.output
    assert sqlite3.connect(state / "control.db").execute("select count(*) from items").fetchone() == (2_500,)
