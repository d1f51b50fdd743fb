"""The worker process. Run as `python -m penstock.bootstrap.worker`."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from penstock.bootstrap import lifeline
from penstock.bootstrap.plan_source import LazyBox, budgeted_tags
from penstock.bootstrap.state_dir import StateDir
from penstock.config.document import Document
from penstock.config.snapshot import SnapshotError, read_snapshot
from penstock.core.accounts import NO_TAGS
from penstock.worker.main import WorkerSettings, run


class PublishedTags:
    """The tags that have budgets in the published configuration, read again when it was published anew."""

    def __init__(self, state: StateDir) -> None:
        self._state = state
        self._seen = (0, 0)
        self._tags = NO_TAGS

    def __call__(self) -> frozenset[str]:
        """Those of the last configuration that could be read; none before the first."""
        try:
            stamp = self._state.snapshot.stat()
        except OSError:
            return self._tags
        if (stamp.st_mtime_ns, stamp.st_ino) != self._seen:
            self._seen = (stamp.st_mtime_ns, stamp.st_ino)
            with contextlib.suppress(SnapshotError):
                self._tags = budgeted_tags(_document(self._state))
        return self._tags


def _document(state: StateDir) -> Document:
    return read_snapshot(state.snapshot, LazyBox(state.root, os.environ)).document


def settings_of(state: StateDir) -> WorkerSettings:
    """Retention from the published configuration; the default where there is none."""
    try:
        return settings_from(_document(state))
    except SnapshotError:
        return WorkerSettings()


def settings_from(document: Document) -> WorkerSettings:
    """What the document says of the journal's age and size."""
    return WorkerSettings(retention_s=document.journal.retention_s, max_bytes=document.journal.max_bytes or 0)


def main() -> int:
    """Project the journal until told to stop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    state = StateDir(Path(os.environ["PENSTOCK_STATE_DIR"]))
    stop = threading.Event()

    def end(*_: object) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    lifeline.on_end(stop.set)
    # Traffic comes first: on a busy machine the ledger may lag, and the journal holds what it has not read.
    os.nice(10)
    run(state.root, settings_of(state), stop, tags=PublishedTags(state))
    return 0


if __name__ == "__main__":
    sys.exit(main())
