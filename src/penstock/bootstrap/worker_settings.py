"""The worker's settings, for itself and for the commands that read its ledger."""

from __future__ import annotations

import contextlib
import os

import msgspec

from penstock.bootstrap.plan_source import snapshot_box
from penstock.bootstrap.state_dir import StateDir
from penstock.config.document import Document
from penstock.config.document.secret import Secret, SecretError
from penstock.config.snapshot import SnapshotError, read_snapshot
from penstock.worker.settings import WorkerSettings


def settings_of(state: StateDir) -> WorkerSettings:
    """Retention and the ledger's place from the published configuration; the default where there is none."""
    try:
        snapshot = read_snapshot(state.snapshot, snapshot_box(state, os.environ))
    except SnapshotError:
        return WorkerSettings()
    settings = settings_from(snapshot.document)
    if settings.database_url is None:
        return settings
    # Some of what a reference means came with the snapshot. What is missing the worker says when it needs it.
    with contextlib.suppress(SecretError):
        url = settings.database_url.resolve(snapshot.environment(os.environ))
        return msgspec.structs.replace(settings, database_url=Secret.literal(url))
    return settings


def settings_from(document: Document) -> WorkerSettings:
    """What the document says of the journal's age and size, and of where the ledger is."""
    return WorkerSettings(
        retention_s=document.journal.retention_s,
        max_bytes=document.journal.max_bytes or 0,
        database_url=document.server.database_url,
    )
