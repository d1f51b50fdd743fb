"""The conversations of owned.db as sealed values (ports.secrets.SealedStore)."""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Generator
from pathlib import Path

from penstock.adapters.secrets.keyring import sealed_by
from penstock.ports.secrets import SecretBox, UnsealError

_BUSY_TIMEOUT_S = 5.0
# So few in one transaction that gateways, which write to the same file, hardly wait.
_BATCH = 50
_COUNT = "SELECT substr(sealed, 1, 9), count(*) FROM owned WHERE length(sealed) > 0 GROUP BY 1"
_NEXT = (
    "SELECT org, id, sealed FROM owned WHERE (org, id) > (?, ?) AND length(sealed) > 0 ORDER BY org, id LIMIT ?"
)
# A row that a gateway has replaced meanwhile is sealed with the new key already.
_UPDATE = "UPDATE owned SET sealed = ? WHERE org = ? AND id = ? AND sealed = ?"


class SealedOwned:
    """Gateways may read and write the file meanwhile."""

    name = "owned.db"

    def __init__(self, path: Path, box: SecretBox, active: Callable[[], str]) -> None:
        self._path = path
        self._box = box
        self._active = active

    def data_keys(self) -> dict[str, int]:
        """See ports.secrets. Raises UnsealError."""
        found: Counter[str] = Counter()
        with self._opened() as db:
            for head, count in db.execute(_COUNT) if db is not None else ():
                found[sealed_by(head)] += count
        return dict(found)

    def reseal(self) -> int:
        """See ports.secrets. Raises UnsealError."""
        count, active = 0, self._active()
        with self._opened() as db:
            if db is None:
                return 0
            at = ("", "")
            while rows := db.execute(_NEXT, (*at, _BATCH)).fetchall():
                at = rows[-1][:2]
                changes = [
                    (self._box.seal(self._box.unseal(sealed)), org, name, sealed)
                    for org, name, sealed in rows
                    if sealed_by(sealed) != active
                ]
                if changes:
                    db.execute("BEGIN IMMEDIATE")
                    db.executemany(_UPDATE, changes)
                    db.execute("COMMIT")
                count += len(changes)
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
