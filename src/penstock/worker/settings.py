"""What a worker is told at its start."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from penstock.config.document.secret import Secret, SecretError
from penstock.ports.ledger import LedgerError
from penstock.worker.stores import LedgerPlace


class WorkerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How long compressed segments are kept, less when the journal nears `max_bytes` (0: no limit).

    `database_url` is where the ledger is, None for the file in the state directory. The poll interval grows
    from busy to idle while nothing happens.
    """

    retention_s: float = 30 * 86_400
    max_bytes: int = 0
    database_url: Secret | None = None
    busy_poll_s: float = 0.05
    idle_poll_s: float = 0.1


def ledger_place(state_dir: Path, settings: WorkerSettings) -> LedgerPlace:
    """Where the ledger is. Raises LedgerError where a secret is missing."""
    if settings.database_url is None:
        return LedgerPlace(state_dir)
    try:
        return LedgerPlace(state_dir, settings.database_url.resolve(os.environ))
    except SecretError as error:
        raise LedgerError(f"server.database_url: {error}") from None
