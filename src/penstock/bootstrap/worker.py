"""The worker process. Run as `python -m penstock.bootstrap.worker`."""

from __future__ import annotations

import contextlib
import logging
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from penstock.adapters.alerts.throttling import Throttling
from penstock.adapters.alerts.webhook import WebhookPoster
from penstock.bootstrap import lifeline
from penstock.bootstrap.burials import Burials
from penstock.bootstrap.plan_source import budgeted_tags, snapshot_box
from penstock.bootstrap.state_dir import StateDir
from penstock.bootstrap.worker_settings import settings_of
from penstock.compile.alerts import actions_of, webhooks_of
from penstock.compile.targets import CompileError
from penstock.config.document import Document
from penstock.config.snapshot import SnapshotError, read_snapshot
from penstock.core.accounts import NO_TAGS
from penstock.worker.alerts.desk import AlertDesk, AlertSettings
from penstock.worker.main import run

log = logging.getLogger("penstock.worker")


class PublishedFacts:
    """What the worker needs of the published configuration, read again when it was published anew."""

    def __init__(self, state: StateDir) -> None:
        self._state = state
        self._seen = (0, 0)
        self._tags = NO_TAGS
        self._lives: dict[str, float] = {}

    def tags(self) -> frozenset[str]:
        """The tags that have budgets in the last configuration that could be read; none before the first."""
        self._look()
        return self._tags

    def half_lives(self) -> Mapping[str, float]:
        """How fast scores age, by route, as far as it says so."""
        self._look()
        return self._lives

    def _look(self) -> None:
        try:
            stamp = self._state.snapshot.stat()
        except OSError:
            return
        if (stamp.st_mtime_ns, stamp.st_ino) != self._seen:
            self._seen = (stamp.st_mtime_ns, stamp.st_ino)
            with contextlib.suppress(SnapshotError):
                document = _document(self._state)
                self._tags = budgeted_tags(document)
                self._lives = {
                    name: float(route.evals.half_life)
                    for name, route in document.routes.items()
                    if route.evals is not None
                }


def _document(state: StateDir) -> Document:
    return read_snapshot(state.snapshot, snapshot_box(state, os.environ)).document


class SettingsFile:
    """What the published configuration says of alerts, each time that it has changed."""

    def __init__(self, state: StateDir, env: Mapping[str, str]) -> None:
        self._state = state
        self._env = env
        self._box = snapshot_box(state, env)
        self._seen = (0, 0)

    def __call__(self) -> AlertSettings | None:
        """The new settings, None where nothing has changed."""
        try:
            found = self._state.snapshot.stat()
            stamp = (found.st_mtime_ns, found.st_ino)
            if stamp == self._seen:
                return None
            self._seen = stamp
            snapshot = read_snapshot(self._state.snapshot, self._box)
            return alert_settings(snapshot.document, snapshot.environment(self._env))
        except (OSError, SnapshotError, CompileError) as error:
            log.warning("alerts go on as they were configured: %s", error)
            return None


def alert_settings(document: Document, env: Mapping[str, str]) -> AlertSettings:
    """What a document says of alerts. Raises CompileError."""
    return AlertSettings(document, webhooks_of(document, env), actions_of(document))


def alert_desk(state: StateDir) -> AlertDesk:
    """Alerts of this installation."""
    return AlertDesk(
        state.alerts,
        SettingsFile(state, os.environ),
        WebhookPoster(now_ms),
        now_ms=now_ms,
        monotonic=time.monotonic,
        draw=random.random,
        act=Throttling(state.control_socket, state.operator, now_ms),
    )


def now_ms() -> int:
    """Wall time in milliseconds."""
    return time.time_ns() // 1_000_000


def shared_settings(state: StateDir) -> Document | None:
    """The published configuration where it says that counters live in Redis."""
    try:
        document = _document(state)
    except SnapshotError:
        return None
    return document if document.server.redis_url is not None else None


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
    facts = PublishedFacts(state)
    settings = shared_settings(state)
    if settings is not None:
        Burials(state, settings, facts.tags, stop).start()
    run(
        state.root,
        settings_of(state),
        stop,
        tags=facts.tags,
        alerts=alert_desk(state),
        half_lives=facts.half_lives,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
