"""Entries in one SQLite file that the gateways of a machine share. Every method blocks; see `thread.py`.

What entries are chosen by when they are taken away stands in columns; questions and answers are sealed.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

import msgspec

from penstock.adapters.answers.sealed import open_entry, seal_entry
from penstock.core.kept import Kept, Purge
from penstock.ports.answers import AnswersTold
from penstock.ports.secrets import SecretBox

SCHEMA_VERSION = 1
_BUSY_TIMEOUT_S = 2.0
_DDL = """
CREATE TABLE answers (
  key BLOB PRIMARY KEY,
  name TEXT NOT NULL,
  org TEXT NOT NULL,
  user TEXT NOT NULL,
  creator TEXT NOT NULL,
  route TEXT NOT NULL,
  tags TEXT NOT NULL,
  asked_ms INTEGER NOT NULL,
  ends_ms INTEGER NOT NULL,
  used_ms INTEGER NOT NULL,
  sealed BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX answers_by_use ON answers (used_ms);
CREATE INDEX answers_by_end ON answers (ends_ms);
"""
# How often an entry's last use is written down.
USED_EVERY_MS = 60_000
# So much is made free at once where there is no room.
_SHARE_FREED = 0.1
_ROW_BYTES = 300
_encode = msgspec.json.Encoder().encode


class AnswerFile:
    """Opening it makes the file. Raises sqlite3.Error, OSError, RuntimeError (made by another version)."""

    def __init__(self, path: Path, box: SecretBox, most_bytes: int) -> None:
        self._box = box
        self._most_bytes = most_bytes
        self._evicted = 0
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._db = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> None:
        db = self._db
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA secure_delete = FAST")
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version == 0:
            with contextlib.suppress(sqlite3.OperationalError):  # another gateway made it meanwhile
                db.executescript(f"BEGIN IMMEDIATE;{_DDL}PRAGMA user_version = {SCHEMA_VERSION};COMMIT;")
            (version,) = db.execute("PRAGMA user_version").fetchone()
        if version != SCHEMA_VERSION:
            raise RuntimeError(f"the file of answers has version {version}; remove it, it is only a cache")
        self._size = self._counted()

    def _counted(self) -> int:
        (size, count) = self._db.execute(
            "SELECT coalesce(sum(length(sealed)), 0), count(*) FROM answers"
        ).fetchone()
        return int(size) + int(count) * _ROW_BYTES

    def find(self, key: bytes, now_ms: int) -> Kept | None:
        """The entry of a key. Raises sqlite3.Error."""
        row = self._db.execute(
            "SELECT sealed, used_ms FROM answers WHERE key = ? AND ends_ms > ?", (key, now_ms)
        ).fetchone()
        if row is None:
            return None
        if now_ms - row[1] > USED_EVERY_MS:
            self._db.execute("UPDATE answers SET used_ms = ? WHERE key = ?", (now_ms, key))
        return open_entry(self._box, key, row[0])

    def keep(self, kept: Kept, now_ms: int) -> None:
        """Keep an entry, at the cost of those that were not used for the longest time. Raises sqlite3.Error."""
        sealed = seal_entry(self._box, kept)
        size = len(sealed) + _ROW_BYTES
        if size * 10 > self._most_bytes:
            return
        if self._size + size > self._most_bytes:
            self.prune(now_ms)
            self._free(size)
        self._db.execute(
            "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(kept.key, kept.name, kept.org, kept.user, kept.creator, kept.route),
                _encode(kept.tags).decode(),
                *(kept.asked_ms, kept.ends_ms, now_ms, sealed),
            ),
        )
        self._size += size

    def _free(self, size: int) -> None:
        """Make room."""
        wanted = self._size + size - int(self._most_bytes * (1 - _SHARE_FREED))
        if self._size + size <= self._most_bytes:
            return
        freed, keys = 0, list[tuple[bytes]]()
        for key, length in self._db.execute("SELECT key, length(sealed) FROM answers ORDER BY used_ms"):
            if freed >= wanted:
                break
            freed += length + _ROW_BYTES
            keys.append((key,))
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany("DELETE FROM answers WHERE key = ?", keys)
        self._db.execute("COMMIT")
        self._evicted += len(keys)
        self._size = self._counted()

    def drop(self, purge: Purge) -> int:
        """Take entries away; how many there were. Raises sqlite3.Error."""
        where, values = ["asked_ms <= ?"], list[str | int]([purge.before_ms])
        for column, value in (
            *(("org", purge.org), ("user", purge.user), ("creator", purge.key), ("route", purge.route)),
        ):
            if value:
                where.append(f"{column} = ?")
                values.append(value)
        if purge.entry:
            where.append("substr(name, 1, ?) = ?")
            values += [len(purge.entry), purge.entry]
        if purge.tag:
            where.append("EXISTS (SELECT 1 FROM json_each(answers.tags) WHERE json_each.value = ?)")
            values.append(purge.tag)
        statement = f"DELETE FROM answers WHERE {' AND '.join(where)}"  # noqa: S608 - columns are ours
        count = self._db.execute(statement, values).rowcount
        self._size = self._counted()
        return count

    def prune(self, now_ms: int) -> None:
        """Delete what is over. Raises sqlite3.Error."""
        self._db.execute("DELETE FROM answers WHERE ends_ms <= ?", (now_ms,))
        self._size = self._counted()

    def told(self) -> AnswersTold:
        """How much there is. Raises sqlite3.Error."""
        (count,) = self._db.execute("SELECT count(*) FROM answers").fetchone()
        return AnswersTold("sqlite", count, self._counted(), self._most_bytes, self._evicted)

    def close(self) -> None:
        """Close it."""
        self._db.close()
