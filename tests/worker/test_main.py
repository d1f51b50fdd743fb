"""The worker as a process: killed, stopped, alone, and in trouble."""

import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from penstock.adapters.sqlite.ledger import SqliteLedger
from penstock.ledger.accounts_replay import read_snapshot
from penstock.ports.ledger import LedgerStore
from penstock.worker.housekeeping import clean
from penstock.worker.main import Worker, run
from penstock.worker.rebuild import rebuild
from penstock.worker.settings import WorkerSettings
from penstock.worker.sole import WorkerRunningError
from penstock.worker.stores import TROUBLE, LedgerPlace
from tests.ledger.doubles import opened, refused, settled
from tests.worker.doubles import dump, project, rows, write
from tests.worker.journal_load import IN_FLIGHT

NOW = 1_790_000_000_000
WORKER = "import sys, pathlib; from penstock.worker.main import main; main(pathlib.Path(sys.argv[1]))"


def spawn_worker(state_dir: Path) -> subprocess.Popen[bytes]:
    """A worker process."""
    return subprocess.Popen([sys.executable, "-c", WORKER, str(state_dir)])


def test_kill_9_of_writer_and_worker_loses_no_answer(tmp_path: Path) -> None:
    """After each kill every answered exchange has one row, every sent one too, and surplus is interrupted."""
    rng = random.Random(11)
    answered: set[str] = set()
    sent: set[str] = set()
    rounds = 6
    for each in range(rounds):
        worker = spawn_worker(tmp_path) if each % 2 else None
        command = [
            sys.executable,
            "-m",
            "tests.worker.journal_load",
            str(tmp_path),
            f"b{each}",
            str(each * 10**6),
        ]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE)
        time.sleep(rng.uniform(0.25, 0.6))
        writer.kill()
        output, _ = writer.communicate()
        if worker is not None:
            worker.kill()
            worker.wait()
        for line in output.decode().splitlines():
            what, number = line.split()
            (answered if what == "a" else sent).add(f"req_{int(number):08d}")
    assert len(answered) > 50
    project(tmp_path)
    found = rows(tmp_path, "SELECT request_id, outcome, cost_nanousd FROM exchanges")
    ids = Counter(request_id for request_id, _, _ in found)
    assert set(ids.values()) == {1}
    assert answered <= {request_id for request_id, outcome, _ in found if outcome == "ok"}
    assert sent <= set(ids)
    interrupted = [row for row in found if row[1] == "interrupted"]
    assert len(interrupted) <= rounds * IN_FLIGHT
    assert all(cost == 500 for _, _, cost in interrupted)
    assert rows(tmp_path, "SELECT count(*) FROM open_attempts") == [(0,)]


def test_sigterm_ends_the_worker_with_everything_projected(tmp_path: Path) -> None:
    """A clean stop takes less than a second and leaves a snapshot of the last row."""
    write(tmp_path, "b1", [opened(1), settled(1), refused(2)])
    worker = spawn_worker(tmp_path)
    deadline = time.monotonic() + 20
    while not (tmp_path / "accounts.snapshot").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    write(tmp_path, "b2", [settled(3)])
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=20) == 0
    assert len(rows(tmp_path, "SELECT * FROM exchanges")) == 2
    snapshot = read_snapshot(tmp_path / "accounts.snapshot")
    assert snapshot is not None
    assert {sum(spent["key:dev"].values()) for spent in snapshot.spent.values()} == {123}


def test_only_one_worker_projects_a_state_directory(tmp_path: Path) -> None:
    """The second one waits for the first; a rebuild refuses to begin."""
    write(tmp_path, "b1", [settled(1)])
    first, second = threading.Event(), threading.Event()
    threads = [
        threading.Thread(target=run, args=(tmp_path, WorkerSettings(), stop), daemon=True)
        for stop in (first, second)
    ]
    threads[0].start()
    deadline = time.monotonic() + 20
    while not (tmp_path / "accounts.snapshot").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    threads[1].start()
    with pytest.raises(WorkerRunningError):
        rebuild(LedgerPlace(tmp_path))
    first.set()
    threads[0].join(timeout=20)
    write(tmp_path, "b2", [settled(2)])
    deadline = time.monotonic() + 20
    while len(rows(tmp_path, "SELECT * FROM exchanges")) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    second.set()
    threads[1].join(timeout=20)
    assert len(rows(tmp_path, "SELECT * FROM exchanges")) == 2


def test_a_rebuild_from_segments_equals_the_ledger(tmp_path: Path) -> None:
    """Compressed or not, the kept segments give the same rows again, also over a broken database."""
    story = [event for number in range(60) for event in (opened(number), settled(number))]
    write(tmp_path, "b1", [*story, opened(99), refused(100)])
    write(tmp_path, "b2", [settled(200)])
    project(tmp_path)
    before = dump(tmp_path)
    store = SqliteLedger(tmp_path / "ledger.db")
    positions = dict(store.positions())
    store.close()
    clean(tmp_path / "journal", {"b1": positions["b1"]}, is_locked=lambda _: False, retention_s=1e9, now_s=0)
    (tmp_path / "ledger.db").write_bytes(b"not a database" * 1_000)
    done = rebuild(LedgerPlace(tmp_path))
    assert (done.records, done.exchanges, done.exchanges_before) == (len(story) + 3, 62, None)
    after = dump(tmp_path)
    # The instant at which an interruption is noticed is that of the projection.
    assert {**after, "exchanges": len(after["exchanges"])} == {
        **before,
        "exchanges": len(before["exchanges"]),
    }


def test_a_rebuild_keeps_the_old_ledger_and_says_what_is_missing(tmp_path: Path) -> None:
    """Rows whose segments are gone stay where they can be looked up; a failure leaves everything in place."""
    write(tmp_path, "b1", [settled(number) for number in range(5)])
    write(tmp_path, "b2", [settled(100)])
    project(tmp_path)
    for path in (tmp_path / "journal").glob("b1*"):
        path.unlink()
    done = rebuild(LedgerPlace(tmp_path))
    assert (done.records, done.exchanges, done.exchanges_before) == (1, 1, 6)
    assert done.kept == str(tmp_path / "ledger.db.old")
    old = sqlite3.connect(tmp_path / "ledger.db.old")
    assert old.execute("SELECT count(*) FROM exchanges").fetchone() == (6,)
    old.close()
    before = sorted(path.name for path in tmp_path.iterdir())
    (tmp_path / "journal" / "b3-000001.journal").mkdir()
    with pytest.raises(OSError, match="directory"):
        rebuild(LedgerPlace(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert rows(tmp_path, "SELECT count(*) FROM exchanges") == [(1,)]


def test_positions_of_boots_without_segments_are_forgotten(tmp_path: Path) -> None:
    """A restart a minute for years leaves no row each behind; what such a boot gave to the ledger stays."""
    now = [1_000.0]
    write(tmp_path, "b1", [opened(1), settled(1)])
    write(tmp_path, "b2", [settled(2)])
    worker = Worker(
        tmp_path, WorkerSettings(), now_ms=lambda: NOW + int(now[0] * 1_000), monotonic=lambda: now[0]
    )
    while worker.step():
        pass
    for path in (tmp_path / "journal").glob("b1*"):
        path.unlink()
    now[0] += 60
    worker.step()
    assert rows(tmp_path, "SELECT boot FROM checkpoints") == [("b1",), ("b2",)]
    now[0] += 3_600  # so long it can be asked what a dead boot has spent
    deadline = time.monotonic() + 20
    while len(rows(tmp_path, "SELECT boot FROM checkpoints")) > 1 and time.monotonic() < deadline:
        now[0] += 60
        worker.step()
    assert rows(tmp_path, "SELECT boot FROM checkpoints") == [("b2",)]
    worker.close()
    snapshot = read_snapshot(tmp_path / "accounts.snapshot")
    assert snapshot is not None
    assert list(snapshot.positions) == ["b2"]
    assert sum(sum(spent["key:dev"].values()) for spent in snapshot.spent.values()) == 246
    assert len(rows(tmp_path, "SELECT * FROM exchanges")) == 2


def test_a_locked_or_full_database_only_delays(tmp_path: Path) -> None:
    """Trouble with the store is raised, and after a reset the work goes on from what is committed."""
    write(tmp_path, "b1", [opened(1), settled(1)])
    failures = [sqlite3.OperationalError("database is locked"), sqlite3.OperationalError("disk is full")]

    def open_store() -> LedgerStore:
        if failures:
            raise failures.pop()
        return SqliteLedger(tmp_path / "ledger.db")

    worker = Worker(tmp_path, WorkerSettings(), store=open_store)
    troubles = 0
    while not troubles or failures:
        try:
            worker.step()
        except TROUBLE:
            troubles += 1
            worker.reset()
    worker.close()
    assert troubles == 2
    assert len(rows(tmp_path, "SELECT * FROM exchanges")) == 1


def test_retention_deletes_what_is_old_and_nothing_else(tmp_path: Path) -> None:
    """Old compressed segments and leftovers of dead writers go; unprojected segments stay."""
    write(tmp_path, "b1", [settled(number, []) for number in range(40)])
    write(tmp_path, "b2", [settled(100)])
    journal = tmp_path / "journal"
    (journal / ".b0-000001.journal.new").write_bytes(b"")
    store = SqliteLedger(tmp_path / "ledger.db")
    project(tmp_path, store)
    done = {"b1": store.positions()["b1"]}
    store.close()
    now = time.time_ns() / 1e9
    clean(journal, done, is_locked=lambda _: False, retention_s=3_600, now_s=now)
    assert {path.suffix for path in journal.glob("b1*")} == {".gz"}
    clean(journal, done, is_locked=lambda _: False, retention_s=3_600, now_s=now + 7_200)
    assert [path.name for path in journal.iterdir()] == ["b2-000001.journal"]


def test_a_journal_near_its_limit_keeps_less(tmp_path: Path) -> None:
    """Compressed segments go early, the oldest first, before they would refuse new requests."""
    write(tmp_path, "b1", [settled(number, []) for number in range(100)])
    journal = tmp_path / "journal"
    store = SqliteLedger(tmp_path / "ledger.db")
    project(tmp_path, store)
    positions = store.positions()
    store.close()
    clean(journal, positions, is_locked=lambda _: False, retention_s=1e9, now_s=0)
    total = sum(path.stat().st_size for path in journal.iterdir())
    before = sorted(path.name for path in journal.iterdir())
    clean(journal, positions, is_locked=lambda _: False, retention_s=1e9, now_s=0, max_bytes=total)
    after = sorted(path.name for path in journal.iterdir())
    assert 0 < len(after) < len(before)
    assert after == before[-len(after) :]
    assert sum(path.stat().st_size for path in journal.iterdir()) <= total * 4 // 5


def test_a_worker_that_is_stopped_behind_the_journal_first_catches_up(tmp_path: Path) -> None:
    """The ends of segments, at which a step finds no record, do not end the last pass early."""
    write(tmp_path, "b1", [settled(number) for number in range(100)])
    assert len(list((tmp_path / "journal").iterdir())) > 5
    worker = Worker(tmp_path, WorkerSettings())
    worker.close()
    assert rows(tmp_path, "SELECT count(*) FROM exchanges") == [(100,)]
    assert rows(tmp_path, "SELECT finished FROM checkpoints") == [(1,)]
