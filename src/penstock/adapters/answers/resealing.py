"""The entries of answers.db as sealed values (ports.secrets.SealedStore)."""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Generator
from pathlib import Path

from penstock.adapters.secrets.keyring import sealed_by
from penstock.ports.secrets import UnsealError

_BUSY_TIMEOUT_S = 5.0
_COUNT = "SELECT substr(sealed, 1, 9), count(*) FROM answers GROUP BY 1"


class SealedAnswers:
    """What another key has sealed is dropped: it can be asked for again."""

    name = "answers.db"

    def __init__(self, path: Path, active: Callable[[], str]) -> None:
        self._path = path
        self._active = active

    def data_keys(self) -> dict[str, int]:
        """See ports.secrets. Raises UnsealError."""
        found: Counter[str] = Counter()
        with self._opened() as db:
            for head, count in db.execute(_COUNT) if db is not None else ():
                found[sealed_by(head)] += count
        return dict(found)

    def reseal(self) -> int:
        """See ports.secrets; how many entries were dropped. Raises UnsealError."""
        count, active = 0, self._active()
        with self._opened() as db:
            if db is None:
                return 0
            heads = [head for head, _ in db.execute(_COUNT).fetchall() if sealed_by(head) != active]
            for head in heads:
                count += db.execute("DELETE FROM answers WHERE substr(sealed, 1, 9) = ?", (head,)).rowcount
            # What was sealed with the old key stands in the write-ahead log, too.
            with contextlib.suppress(sqlite3.Error):
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return count

    @contextlib.contextmanager
    def _opened(self) -> Generator[sqlite3.Connection | None]:
        if not self._path.exists():
            yield None
            return
        try:
            db = sqlite3.connect(self._path, timeout=_BUSY_TIMEOUT_S, isolation_level=None)
            with contextlib.closing(db):
                db.execute("PRAGMA secure_delete = ON")
                yield db
        except sqlite3.Error as error:
            raise UnsealError(f"{self._path}: {error}") from None
