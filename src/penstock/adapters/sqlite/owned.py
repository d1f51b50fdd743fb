"""Owned ids in SQLite: one file that the gateways of a machine share, conversations sealed.

Every method blocks; `owned_thread.py` keeps them off the event loop.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import zlib
from collections.abc import Generator, Sequence
from pathlib import Path

import msgspec

from penstock.ports.owned import Forgotten, Owned
from penstock.ports.secrets import SecretBox, UnsealError

SCHEMA_VERSION = 1
_BUSY_TIMEOUT_S = 2.0
_DDL = """
CREATE TABLE owned (
  org TEXT NOT NULL,
  id TEXT NOT NULL,
  key TEXT NOT NULL,
  user TEXT NOT NULL,
  target TEXT NOT NULL,
  provider TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  sealed BLOB NOT NULL,
  UNIQUE (org, id)
);
CREATE INDEX owned_by_expiry ON owned (expires_ms);
"""
_FIND = "SELECT * FROM owned WHERE org = ? AND id = ? AND expires_ms > ?"
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[str, str, bytes]).decode


class SqliteOwned:
    """Opening it makes the file and its table. All methods raise sqlite3.Error.

    Raises:
        OSError: the file cannot be made.
        RuntimeError: the file was made by a version with another table.
    """

    def __init__(self, path: Path, box: SecretBox) -> None:
        self._box = box
        self.path = path
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._db = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    def write(self, changes: Sequence[Owned | Forgotten]) -> None:
        """Make all the changes in one transaction; another process sees them once this returns."""
        rows = [each if isinstance(each, Forgotten) else self._row(each) for each in changes]
        with self._transaction():
            for row in rows:
                if isinstance(row, Forgotten):
                    self._db.execute("DELETE FROM owned WHERE org = ? AND id = ?", row)
                else:
                    self._db.execute("INSERT OR REPLACE INTO owned VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        if any(isinstance(each, Forgotten) for each in changes):
            self._empty_log()

    def find(self, org: str, name: str, now_ms: int) -> Owned | None:
        """The record. Raises UnsealError where its conversation was sealed with another master key."""
        row = self._db.execute(_FIND, (org, name, now_ms)).fetchone()
        if row is None:
            return None
        return msgspec.structs.replace(Owned(*row), kept=self._opened(org, name, row[-1]))

    def prune(self, now_ms: int) -> int:
        """Delete what has expired; how many records that were."""
        count = self._db.execute("DELETE FROM owned WHERE expires_ms <= ?", (now_ms,)).rowcount
        if count:
            self._empty_log()
        return count

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _prepare(self) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        # An id that a loss of power takes is answered with a 404; that is not worth a sync per answer.
        self._db.execute("PRAGMA synchronous = NORMAL")
        # What is deleted is overwritten, not merely unlinked.
        self._db.execute("PRAGMA secure_delete = ON")
        with self._transaction():
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version == 0:
                for statement in _DDL.split(";")[:-1]:
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        if version not in {0, SCHEMA_VERSION}:
            raise RuntimeError(
                f"{self.path} has a table of version {version}, this program needs {SCHEMA_VERSION}: "
                "move the file away; ids that were issued before are then unknown"
            )

    @contextlib.contextmanager
    def _transaction(self) -> Generator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise

    def _empty_log(self) -> None:
        """Deleted rows stand in the write-ahead log, too; where another process reads, its end does this."""
        with contextlib.suppress(sqlite3.Error):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _row(self, record: Owned) -> tuple[str | int | bytes, ...]:
        sealed = b""
        if record.kept:
            # Whose it is stands inside as well: a row under another name does not open.
            sealed = self._box.seal(zlib.compress(_encode((record.org, record.id, record.kept)), 1))
        facts = msgspec.structs.astuple(record)[:-1]
        return (*facts, sealed)

    def _opened(self, org: str, name: str, sealed: bytes) -> bytes:
        if not sealed:
            return b""
        owner, own_name, kept = _decode(zlib.decompress(self._box.unseal(sealed)))
        if (owner, own_name) != (org, name):
            raise UnsealError("a conversation that stands under another's name")
        return kept
