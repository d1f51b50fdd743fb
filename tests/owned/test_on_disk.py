"""The file of owned ids: sealed, shared, emptied, and what happens when it fails."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from penstock.adapters.secrets.aesgcm import AesGcmBox
from penstock.adapters.sqlite.owned import SqliteOwned
from penstock.ports.owned import Forgotten
from penstock.ports.secrets import UnsealError
from tests.owned.boxes import BOX, DAY_MS, OnDisk, find, forget, keep, record

PROMPT = b"the patient's name is Ada Lovelace"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is to be."""
    return tmp_path / "owned.db"


@pytest.fixture
def disk(path: Path) -> Iterator[OnDisk]:
    """A store with its thread."""
    made = OnDisk(path)
    yield made
    made.close()


def _bytes(path: Path) -> bytes:
    return b"".join(each.read_bytes() for each in sorted(path.parent.glob("owned.db*")))


def _sealed(path: Path) -> bytes:
    with contextlib.closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT sealed FROM owned").fetchone()[0]


def test_no_prompt_is_in_the_files_bytes(path: Path) -> None:
    """What was said is sealed, in the file and its log, and only its user may read them."""
    store = SqliteOwned(path, BOX)
    store.write([record(kept=PROMPT * 20)])
    assert b"resp_1" in _bytes(path)
    assert PROMPT not in _bytes(path)
    assert b"Lovelace" not in _bytes(path)
    assert {each.stat().st_mode & 0o777 for each in path.parent.glob("owned.db*")} == {0o600}
    store.close()
    assert PROMPT not in _bytes(path)


@pytest.mark.parametrize("how", ["forget", "prune"])
def test_what_is_deleted_is_not_in_the_files_bytes(path: Path, how: str) -> None:
    """Deleted by its owner or by age, the sealed text is overwritten, in the log as well."""
    store = SqliteOwned(path, BOX)
    store.write([record(kept=bytes(range(256)) * 8)])
    sealed = _sealed(path)
    assert sealed in _bytes(path)
    if how == "forget":
        store.write([Forgotten("acme", "resp_1")])
    else:
        assert store.prune(30 * DAY_MS - 1) == 0
        assert store.prune(30 * DAY_MS) == 1
    store.close()
    assert sealed[:32] not in _bytes(path)
    assert sealed[-32:] not in _bytes(path)


def test_a_row_under_another_name_does_not_open(path: Path) -> None:
    """Whoever can write the file cannot give one organisation another's conversation."""
    store = SqliteOwned(path, BOX)
    store.write([record(kept=PROMPT)])
    with sqlite3.connect(path) as db:
        db.execute("UPDATE owned SET org = 'other'")
    db.close()
    with pytest.raises(UnsealError):
        store.find("other", "resp_1", 0)
    store.close()


def test_another_master_key_opens_nothing(path: Path) -> None:
    """Ids without a conversation are still known."""
    store = SqliteOwned(path, BOX)
    store.write([record(kept=PROMPT), record(name="resp_2")])
    store.close()
    store = SqliteOwned(path, AesGcmBox(bytes(31) + b"\1"))
    with pytest.raises(UnsealError):
        store.find("acme", "resp_1", 0)
    assert store.find("acme", "resp_2", 0) == record(name="resp_2")
    store.close()


def test_two_gateways_share_the_file(path: Path, disk: OnDisk) -> None:
    """What one has written the other finds at once, and what one deletes is gone for both."""
    other = OnDisk(path, disk.clock)
    for number in range(50):
        one = record(name=f"resp_{number}", kept=PROMPT, created_ms=disk.clock.now_ms())
        keep(disk if number % 2 else other, one)
        assert find(other if number % 2 else disk, "acme", one.id) == one
    assert forget(disk, "acme", "resp_0") == ""
    assert find(other, "acme", "resp_0") is None
    other.close()


def test_it_outlives_its_process(path: Path) -> None:
    """After a restart the record is there; what has expired meanwhile is deleted at the start."""
    disk = OnDisk(path)
    now_ms = disk.clock.now_ms()
    keep(disk, record(created_ms=now_ms, kept=PROMPT))
    keep(disk, record(name="resp_2", created_ms=now_ms - 29 * DAY_MS))
    disk.close()
    disk.clock.leap(2 * 86_400)
    again = OnDisk(path, disk.clock)
    assert find(again, "acme", "resp_1") == record(created_ms=now_ms, kept=PROMPT)
    again.close()
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT id FROM owned").fetchall() == [("resp_1",)]
    db.close()


def test_a_file_that_cannot_be_used_harms_no_answer(path: Path, disk: OnDisk) -> None:
    """Writing goes on without it and is reported; asking fails with a sentence, and is not a 'no'."""
    path.mkdir()
    keep(disk, record())
    assert "store of responses failed" in str(find(disk, "acme", "resp_1"))
    assert "store of responses failed" in forget(disk, "acme", "resp_1")
    assert disk.errors
    path.rmdir()
    keep(disk, record(created_ms=disk.clock.now_ms()))
    assert find(disk, "acme", "resp_1") == record(created_ms=disk.clock.now_ms())


def test_a_file_of_another_version_is_left_alone(path: Path) -> None:
    """The error says what to do."""
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(RuntimeError, match="move the file away"):
        SqliteOwned(path, BOX)


def test_one_record_that_cannot_be_written_harms_no_other(path: Path) -> None:
    """Written together, each of the others stands; the bad one is reported."""
    disk = OnDisk(path)
    now_ms = disk.clock.now_ms()
    done: list[str] = []
    for name in ("resp_1", "resp_\ud800", "resp_2"):
        disk.store.keep(record(name=name, created_ms=now_ms), partial(done.append, name))
    while len(done) < 3:
        disk.wait()
    assert find(disk, "acme", "resp_1") is not None
    assert find(disk, "acme", "resp_2") is not None
    assert any(isinstance(error, UnicodeEncodeError) for error in disk.errors)
    disk.close()
