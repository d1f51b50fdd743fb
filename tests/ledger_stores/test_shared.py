"""Several machines and one PostgreSQL, which may go away while requests go on."""

from __future__ import annotations

import contextlib
import itertools
import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from penstock.adapters.files.posix import PosixDirectory, is_locked
from penstock.adapters.ledger.columns import USES_OF_TOOLS
from penstock.adapters.postgres.connection import connect
from penstock.config.document.secret import Secret
from penstock.core.accounts import is_brief
from penstock.core.exchange import Event
from penstock.ledger.accounts_replay import read_snapshot, replay
from penstock.ports.ledger import Gaps, LedgerError, Position
from penstock.worker.main import Worker, run
from penstock.worker.settings import WorkerSettings, ledger_place
from penstock.worker.stores import LedgerPlace, open_reader, open_store
from tests.databases.postgres import PostgresServer, postgres_server
from tests.ledger.doubles import FakeClock, make_journal, opened, settled
from tests.worker.doubles import full_sum, write

DEADLINE_S = 60.0


def until(happened: Callable[[], bool]) -> None:
    """Wait for a condition. Raises TimeoutError."""
    deadline = time.monotonic() + DEADLINE_S
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.02)


def settings_for(place: LedgerPlace) -> WorkerSettings:
    """A worker's settings, the address as a secret."""
    return WorkerSettings(database_url=Secret.literal(place.database_url))


@contextlib.contextmanager
def worker_at(place: LedgerPlace) -> Generator[None]:
    """A worker at its loop, in a thread of its own."""
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(place.state_dir, settings_for(place), stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(DEADLINE_S)


class Traffic:
    """A gateway's journal under load, without the gateway; the boot lives until `stop`."""

    def __init__(self, state_dir: Path, boot: str) -> None:
        self.boot = boot
        self.events: list[tuple[str, Event]] = []
        self._stop = threading.Event()
        self._clock = FakeClock()
        self._journal = make_journal(PosixDirectory(state_dir / "journal"), self._clock, boot=boot)
        self._thread = threading.Thread(target=self._go_on)
        self._thread.start()

    @property
    def count(self) -> int:
        """Events on record."""
        return len(self.events)

    def stop(self) -> None:
        """End the load and the boot."""
        self._stop.set()
        self._thread.join()
        self._journal.close()

    def _go_on(self) -> None:
        number = 0
        while not self._stop.wait(0.002):
            number += 1
            # Every tenth never ends.
            events: list[Event] = [opened(number)] if number % 10 == 0 else [opened(number), settled(number)]
            for event in events:
                self._journal.append(event)
                self._clock.turn()
                self.events.append((self.boot, event))


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server that this test may stop."""
    with postgres_server() as running:
        yield running


def rows_at(place: LedgerPlace) -> int:
    """Exchanges in the ledger, 0 while it is not there."""
    try:
        with contextlib.closing(open_reader(place)) as reader:
            return sum(line.requests for line in reader.cost([], 0))
    except (LedgerError, FileNotFoundError):
        return 0


def test_traffic_goes_on_while_postgresql_is_away_and_the_ledger_catches_up(
    own_server: PostgresServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The journal keeps everything, sums for a gateway's start stay right, and no row is lost or doubled."""
    caplog.set_level(logging.ERROR)
    place = LedgerPlace(tmp_path, own_server.database())
    with worker_at(place):
        traffic = Traffic(tmp_path, "b1")
        until(lambda: rows_at(place) > 20 and (tmp_path / "accounts.snapshot").exists())
        for _ in range(2):
            own_server.stop()
            before = traffic.count
            until(lambda before=before: traffic.count > before + 50 and bool(caplog.records))
            with pytest.raises(LedgerError):
                open_reader(place)
            known = full_sum(list(traffic.events))["b1"]["key:dev"]
            assert replay(tmp_path, is_locked).by_account()["key:dev"].total >= sum(known.values())
            own_server.start()
            behind = rows_at(place)
            until(lambda behind=behind: rows_at(place) > behind)
            caplog.clear()
        traffic.stop()
        ended = sum(1 for _, event in traffic.events if hasattr(event, "ended_ms"))
        interrupted = sum(1 for _, event in traffic.events if event.request.request_id.endswith("0"))
        until(lambda: rows_at(place) >= ended + interrupted)
    assert rows_at(place) == ended + interrupted
    expected = {name: sum(slots.values()) for name, slots in full_sum(traffic.events)["b1"].items()}
    spent = replay(tmp_path, is_locked).of_boot("b1")
    # The events are of a day whose sessions are not kept any more.
    assert {name: each.total for name, each in spent.items()} == {
        name: total for name, total in expected.items() if not is_brief(name)
    }
    snapshot = read_snapshot(tmp_path / "accounts.snapshot")
    assert snapshot is not None
    assert snapshot.positions["b1"].finished


def test_an_error_says_what_to_do_and_never_shows_the_address(tmp_path: Path) -> None:
    """Neither password nor user stands in a message, a repr or the settings."""
    url = "postgresql://penstock:hunter2@/name?host=/nowhere/at/all"
    place = LedgerPlace(tmp_path, url)
    for broken in (url, "postgresql://penstock:hunter2@/?nonsense=1", "hunter2"):
        with pytest.raises(LedgerError) as failure:
            open_store(LedgerPlace(tmp_path, broken))
        assert "server.database_url" in str(failure.value)
        assert "hunter2" not in str(failure.value) + repr(failure.value.__cause__)
    assert "hunter2" not in repr(place) + repr(settings_for(place))
    missing = WorkerSettings(database_url=Secret.template("${PENSTOCK_NO_SUCH_VARIABLE}"))
    with pytest.raises(LedgerError, match="PENSTOCK_NO_SUCH_VARIABLE"):
        ledger_place(tmp_path, missing)


def test_machines_leave_each_others_boots_alone_and_know_each_others_spending(
    shared: tuple[LedgerPlace, LedgerPlace],
) -> None:
    """A boot that lives on another machine is not taken for dead; sums of all stand in every snapshot."""
    one, two = shared
    alive = write(one.state_dir, "b1", [opened(1), settled(1), opened(2, reserved=900)], close=False)
    write(two.state_dir, "b2", [opened(3), settled(3)])
    workers = [Worker(place.state_dir, settings_for(place)) for place in shared]
    for _ in range(2):
        for worker in workers:
            while worker.step():
                pass
    with contextlib.closing(open_store(one)) as store:
        assert {boot: each.finished for boot, each in store.positions().items()} == {"b1": False}
    for worker in workers:
        worker.close()
    for place in shared:
        spending = replay(place.state_dir, is_locked)
        assert spending.by_account()["key:dev"].total == 123 + 900 + 123
        assert spending.of_boot("b2")["key:dev"].total == 123
    alive.close()
    with contextlib.closing(open_store(one)) as store:
        store.forget(["b2"])
    with contextlib.closing(open_store(two)) as store:
        assert list(store.positions()) == ["b2"]


def test_workers_that_begin_together_make_the_tables_once(shared: tuple[LedgerPlace, LedgerPlace]) -> None:
    """All of them end up with the same schema."""
    failures: list[Exception] = []

    def begin(place: LedgerPlace) -> None:
        try:
            open_store(place).close()
        except LedgerError as error:
            failures.append(error)

    threads = [threading.Thread(target=begin, args=(place,)) for place in (*shared, *shared)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len({(place.state_dir / "site").read_text() for place in shared}) == 2


def test_tables_of_an_older_version_are_brought_up_to_date(shared: tuple[LedgerPlace, LedgerPlace]) -> None:
    """By the first worker of the new version; those of the old one go on writing meanwhile, and rows stay."""
    one, two = shared
    with contextlib.closing(open_store(one)) as store:
        store.commit("b1", [(1, settled(1))], Position(1, 10, 1), Gaps())
    with connect(one.database_url) as older:
        for column in ("purpose", "parent", "notes", "xact"):
            older.execute(f"ALTER TABLE exchanges DROP COLUMN {column}".encode())
        for table, column in itertools.product(("exchanges", "attempts"), USES_OF_TOOLS):
            older.execute(f"ALTER TABLE {table} DROP COLUMN {column}".encode())
        older.execute("DROP TABLE drills, feedback")
        older.execute("DROP TABLE scores")
        older.execute("DROP INDEX exchanges_session, exchanges_task")
        older.execute("UPDATE version SET number = 1")
        older.commit()
    with pytest.raises(LedgerError, match="version 1"):
        open_reader(two)
    open_store(two).close()
    with contextlib.closing(open_reader(two)) as reader:
        (row,) = reader.exchanges(0, 0)
    assert (row["cost_nanousd"], row["purpose"], row["notes"]) == (123, "", {})
    assert row["usage"]["web_searches"] == 0
