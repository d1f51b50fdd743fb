"""Which data keys have sealed what stands in `control.db`: objects, their history, and notes.

Revisions are history, which nobody rewrites; so what an old one has sealed keeps its data key in use for as
long as one can go back to it.
"""

from __future__ import annotations

import base64
import binascii
import re
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

from penstock.adapters.secrets.keyring import sealed_by
from penstock.ports.secrets import UnsealError

# Every text that may be a sealed value: a false one would keep a key that could have gone.
_BASE64 = re.compile(r"[A-Za-z0-9+/]{40,}={0,2}")


class SealedControl:
    """Implements ports.secrets.SealedStore over the SQLite file of control."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def name(self) -> str:
        """See ports.secrets."""
        return "control.db"

    def data_keys(self) -> dict[str, int]:
        """See ports.secrets."""
        if not self._path.exists():
            return {}
        found: Counter[str] = Counter()
        try:
            with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)) as database:
                tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
                for (table,) in tables:
                    for row in database.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - its own tables
                        found.update(_keys_in(row))
        except sqlite3.Error as error:
            raise UnsealError(f"{self._path}: {error}") from None
        return dict(found)

    def reseal(self) -> int:
        """See ports.secrets: nothing, since history is not rewritten."""
        return 0


def _keys_in(row: tuple[object, ...]) -> list[str]:
    keys: list[str] = []
    for value in row:
        if isinstance(value, str):
            for text in _BASE64.findall(value):
                try:
                    keys.append(sealed_by(base64.b64decode(text)))
                except (UnsealError, binascii.Error, ValueError):
                    continue
    return keys
