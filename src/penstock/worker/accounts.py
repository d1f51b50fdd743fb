"""Keeps the file from which a gateway knows, without a database, what every account has spent."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from penstock.ledger.accounts_replay import SNAPSHOT_NAME, snapshot_of
from penstock.ports.ledger import LedgerStore

_EVERY_S = 1.0
# With very many keys a snapshot takes long; then it is written less often, at most this share of the time.
_MAX_SHARE = 0.05


class AccountsSnapshots:
    """Writes the snapshot when something was committed, about once a second."""

    def __init__(self, state_dir: Path, *, now_ms: Callable[[], int], monotonic: Callable[[], float]) -> None:
        self._path = state_dir / SNAPSHOT_NAME
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._due = float("-inf")
        self._written: object = None

    def write_if_due(self, store: LedgerStore) -> None:
        """Write it if a second has passed. Raises what the store raises, and OSError."""
        if self._monotonic() >= self._due:
            self.write(store)

    def write(self, store: LedgerStore) -> None:
        """Write it now if anything was committed since the last one."""
        began = self._monotonic()
        stamp = store.stamp()
        if stamp != self._written:
            state = store.state(self._now_ms())
            data = msgspec.msgpack.encode(snapshot_of(state))
            temporary = self._path.with_name(f".{self._path.name}.new")
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            temporary.replace(self._path)
            self._written = stamp
        else:
            # It is still what the ledger says; gateways of several machines want to know how old that is.
            os.utime(self._path)
        now = self._monotonic()
        self._due = now + max(_EVERY_S, (now - began) / _MAX_SHARE)
