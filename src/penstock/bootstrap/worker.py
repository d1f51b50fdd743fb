"""The worker process. Run as `python -m penstock.bootstrap.worker`."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from pathlib import Path

from penstock.bootstrap import lifeline
from penstock.bootstrap.plan_source import LazyBox
from penstock.bootstrap.state_dir import StateDir
from penstock.config.document import Document
from penstock.config.snapshot import SnapshotError, read_snapshot
from penstock.worker.main import WorkerSettings, run


def settings_of(state: StateDir) -> WorkerSettings:
    """Retention from the published configuration; the default where there is none."""
    try:
        document = read_snapshot(state.snapshot, LazyBox(state.root, os.environ)).document
    except SnapshotError:
        return WorkerSettings()
    return settings_from(document)


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
    run(state.root, settings_of(state), stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
