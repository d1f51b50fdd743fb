"""Moving the ledger of one machine into a database: all of it, once, however often it is tried."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from penstock.adapters.sqlite.ledger import SqliteLedger
from penstock.cli.ledger import ledger
from penstock.core.exchange import Event
from penstock.ports.ledger import Gaps, LedgerError, LedgerState, Position
from penstock.worker.importing import Imported, import_ledger
from penstock.worker.stores import LedgerPlace, open_reader, open_store
from tests.databases.postgres import PostgresServer
from tests.ledger.doubles import attempt, attempt_settled, opened, refused, settled
from tests.worker.doubles import project, write
from tests.worker.test_accounts import NOW

HOUR = 3_600_000
OLD: list[Event] = [opened(20), settled(20), settled(21, [attempt(1, 70), attempt(2, None)])]
STORY: list[Event] = [opened(1), opened(2), settled(1), refused(3), attempt_settled(2, cost=7), opened(2, 2)]


class Stopped(Exception):  # noqa: N818 - it is no error of ours
    """Somebody pressed Ctrl-C."""


def fill(folder: Path) -> LedgerState:
    """A ledger with a boot that is folded, and a dead one with requests under way, whose journal is here."""
    write(folder, "b2", STORY)
    store = SqliteLedger(folder / "ledger.db")
    with contextlib.closing(store):
        store.commit("b1", list(enumerate(OLD, 1)), Position(1, 30, 3), Gaps(1, 5, 2))
        store.finish("b1", Position(1, 30, 3), NOW - 2 * HOUR)
        while store.fold(NOW):
            pass
        store.commit("b2", list(enumerate(STORY[:4], 1)), Position(1, 40, 4), Gaps())
        return store.state(NOW)


def state_of(place: LedgerPlace) -> LedgerState:
    """What the database says."""
    with contextlib.closing(open_store(place)) as store:
        found = store.state(NOW)
    return LedgerState(found.positions, sorted(found.spent), found.flights, found.tags)


def rows_of(place: LedgerPlace) -> list[dict[str, object]]:
    """All exchanges."""
    with contextlib.closing(open_reader(place)) as reader:
        return sorted((dict(row) for row in reader.exchanges(0, 0)), key=lambda row: str(row["request_id"]))


def quiet(table: str, done: int, total: int) -> None:
    """Progress that nobody looks at."""
    assert 0 <= done <= total, table


def test_everything_is_there_once(server: PostgresServer, tmp_path: Path) -> None:
    """Rows, sums by account, positions and what is under way are those of ledger.db, also later."""
    before = fill(tmp_path)
    place = LedgerPlace(tmp_path, server.database())
    first = import_ledger(place, quiet)
    assert first == Imported(3, 4, 1, first.cost_nanousd, sum(row[3] for row in before.spent), sums=True)
    assert state_of(place) == LedgerState(before.positions, sorted(before.spent), before.flights, before.tags)
    assert rows_of(place) == rows_of(LedgerPlace(tmp_path))
    assert import_ledger(place, quiet) == msgspec.structs.replace(first, sums=False)
    assert state_of(place).spent == sorted(before.spent)


def test_the_journal_goes_on_where_the_ledger_was(server: PostgresServer, tmp_path: Path) -> None:
    """A worker that starts on the database ends with what it would have had on ledger.db."""
    other = tmp_path / "other"
    other.mkdir()
    for folder in (tmp_path, other):
        fill(folder)
    place = LedgerPlace(tmp_path, server.database())
    import_ledger(place, quiet)
    with contextlib.closing(open_store(place)) as store:
        project(tmp_path, store)
    project(other)
    with contextlib.closing(SqliteLedger(other / "ledger.db")) as store:
        wanted = store.state(NOW)
    assert state_of(place).spent == sorted(wanted.spent)
    assert rows_of(place) == rows_of(LedgerPlace(other))


def test_it_may_be_stopped_and_begun_again(server: PostgresServer, tmp_path: Path) -> None:
    """After a break in the middle no sum has moved; the next time everything is there."""
    before = fill(tmp_path)
    place = LedgerPlace(tmp_path, server.database())

    def stop(table: str, done: int, total: int) -> None:
        del done, total
        if table == "attempts":
            raise Stopped

    with pytest.raises(Stopped):
        import_ledger(place, stop)
    assert (state_of(place).spent, state_of(place).positions) == ([], {})
    assert import_ledger(place, quiet).sums
    assert state_of(place).spent == sorted(before.spent)


def test_a_database_that_was_written_to_is_refused(server: PostgresServer, tmp_path: Path) -> None:
    """Where the worker was there first, what both have counted could not be told apart."""
    fill(tmp_path)
    place = LedgerPlace(tmp_path, server.database())
    with contextlib.closing(open_store(place)) as store:
        project(tmp_path, store)
    spent = state_of(place).spent
    with pytest.raises(LedgerError, match="before the first start"):
        import_ledger(place, quiet)
    assert state_of(place).spent == spent


def test_another_row_under_the_same_id_is_refused(server: PostgresServer, tmp_path: Path) -> None:
    """What is imported is compared with what is there."""
    fill(tmp_path)
    url = server.database()
    neighbour = tmp_path / "neighbour"
    neighbour.mkdir()
    with contextlib.closing(open_store(LedgerPlace(neighbour, url))) as store:
        store.commit("b9", [(1, settled(21, [attempt(1, 71)]))], Position(1, 10, 1), Gaps())
    with pytest.raises(LedgerError, match="other rows"):
        import_ledger(LedgerPlace(tmp_path, url), quiet)


def test_the_command(server: PostgresServer, tmp_path: Path) -> None:
    """It says what it did, and without a database what to do."""
    fill(tmp_path)
    config = tmp_path / "penstock.yaml"
    config.write_text(f"version: 1\nserver: {{state_dir: '{tmp_path}', database_url: '{server.database()}'}}\n")
    runner = CliRunner()
    done = runner.invoke(ledger, ["import", "-c", str(config)])
    assert done.exit_code == 0, done.output
    assert "3 exchanges, 4 attempts" in done.output
    assert "are taken over" in done.output
    again = runner.invoke(ledger, ["import", "-c", str(config), "--json"])
    assert msgspec.json.decode(again.output)["sums"] is False
    nowhere = runner.invoke(ledger, ["import", "--state-dir", str(tmp_path)])
    assert nowhere.exit_code == 1
    assert "server.database_url" in nowhere.output
