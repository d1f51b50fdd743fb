"""The worker's loop: project, snapshot, clean up; on trouble wait, log, and begin again from the store."""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from penstock.adapters.files.posix import is_locked
from penstock.core.accounts import NO_TAGS
from penstock.ledger.accounts_replay import JOURNAL_NAME
from penstock.ports.ledger import LedgerStore, Position
from penstock.worker.accounts import AccountsSnapshots
from penstock.worker.alerts.desk import AlertDesk
from penstock.worker.housekeeping import clean, forgettable
from penstock.worker.projector import Projector
from penstock.worker.scores import HalfLives, ScoresPublisher, default_lives
from penstock.worker.settings import WorkerSettings, ledger_place
from penstock.worker.sole import sole_worker
from penstock.worker.stores import TROUBLE, open_store

_log = logging.getLogger(__name__)
_BACKOFF_S = (0.1, 5.0)
_CLEAN_EVERY_S = 30.0
# So much in one step means that more is waiting; less is left to gather, because commits have their price.
_HURRY_RECORDS = 200


class Worker:
    """Owns the store and everything that reads or writes it. One per state directory.

    `tags` gives the names of the tags whose values have budgets, `half_lives` how fast scores of routes age;
    both may change while it runs.
    """

    def __init__(
        self,
        state_dir: Path,
        settings: WorkerSettings,
        *,
        store: Callable[[], LedgerStore] | None = None,
        tags: Callable[[], frozenset[str]] = lambda: NO_TAGS,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        monotonic: Callable[[], float] = time.monotonic,
        alerts: AlertDesk | None = None,
        half_lives: HalfLives = default_lives,
    ) -> None:
        self._settings = settings
        self._alerts = alerts
        self._journal = state_dir / JOURNAL_NAME
        self._open_store = store or (lambda: open_store(ledger_place(state_dir, settings)))
        self._tags = tags
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._snapshots = AccountsSnapshots(state_dir, now_ms=now_ms, monotonic=monotonic)
        self._scores = ScoresPublisher(state_dir, now_ms=now_ms, monotonic=monotonic, half_lives=half_lives)
        self._store: LedgerStore | None = None
        self._projector: Projector | None = None
        self._cleaning: threading.Thread | None = None
        self._clean_due = monotonic() + _CLEAN_EVERY_S
        self._folding = False

    def step(self) -> int:
        """One round; the number of records projected, 0 when caught up. Raises what `TROUBLE` names."""
        if self._projector is None or self._store is None:
            self._store = self._open_store()
            self._projector = Projector(
                self._journal,
                self._store,
                is_locked=is_locked,
                now_ms=self._now_ms,
                monotonic=self._monotonic,
                alerts=self._alerts.take if self._alerts is not None else None,
            )
        self._store.count_tags(self._tags())
        count = self._projector.step()
        self._snapshots.write_if_due(self._store)
        self._scores.write_if_due(self._store)
        if self._alerts is not None:
            self._alerts.look_if_due(self._store)
        self._clean_if_due(self._store)
        if self._folding:
            self._folding = self._store.fold(self._now_ms())
        return count

    def reset(self) -> None:
        """Forget the store after trouble; the next step begins from what is committed."""
        store, self._store, self._projector = self._store, None, None
        if store is not None:
            with contextlib.suppress(*TROUBLE):
                store.close()

    def close(self) -> None:
        """Project what is left, write the last snapshot, close. Trouble is logged."""
        try:
            while self.step():
                pass
            if self._store is not None:
                self._snapshots.write(self._store)
        except TROUBLE as error:
            _log.warning("the worker stops behind the journal and goes on at its next start: %s", error)
        if self._cleaning is not None:
            self._cleaning.join()
        if self._alerts is not None:
            self._alerts.close()
        self.reset()

    def _clean_if_due(self, store: LedgerStore) -> None:
        """Compression takes seconds, so it runs beside the projection."""
        if self._monotonic() < self._clean_due or (self._cleaning and self._cleaning.is_alive()):
            return
        self._clean_due = self._monotonic() + _CLEAN_EVERY_S
        self._folding = True
        positions = dict(store.positions())
        store.forget(forgettable(self._journal, positions))
        self._cleaning = threading.Thread(
            target=self._clean, args=(positions,), name="journal-cleaning", daemon=True
        )
        self._cleaning.start()

    def _clean(self, positions: dict[str, Position]) -> None:
        try:
            clean(
                self._journal,
                positions,
                is_locked=is_locked,
                retention_s=self._settings.retention_s,
                now_s=self._now_ms() / 1_000,
                max_bytes=self._settings.max_bytes,
            )
        except OSError as error:
            _log.warning("old journal segments could not be compressed or deleted: %s", error)


def run(
    state_dir: Path,
    settings: WorkerSettings,
    stop: threading.Event,
    *,
    tags: Callable[[], frozenset[str]] = lambda: NO_TAGS,
    alerts: AlertDesk | None = None,
    half_lives: HalfLives = default_lives,
) -> None:
    """Work until `stop` is set. Waits while another worker holds the state directory."""
    state_dir.mkdir(parents=True, exist_ok=True)
    with sole_worker(state_dir, stop) as alone:
        if not alone:
            return
        worker = Worker(state_dir, settings, tags=tags, alerts=alerts, half_lives=half_lives)
        pause, backoff, lagging = settings.busy_poll_s, _BACKOFF_S[0], False
        while not stop.is_set():
            try:
                busy = worker.step()
            except TROUBLE as error:
                _log.error("the ledger is behind the journal, next try in %.1f s: %s", backoff, error)
                worker.reset()
                stop.wait(backoff)
                backoff = min(backoff * 2, _BACKOFF_S[1])
                continue
            backoff = _BACKOFF_S[0]
            if busy >= _HURRY_RECORDS or (busy and lagging):
                lagging = True
                continue
            lagging = False
            pause = settings.busy_poll_s if busy else min(pause * 1.2, settings.idle_poll_s)
            stop.wait(pause)
        worker.close()


def main(state_dir: Path, settings: WorkerSettings | None = None) -> None:
    """Run as a process of its own: SIGTERM and SIGINT end it after the work at hand."""
    stop = threading.Event()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    run(state_dir, settings or WorkerSettings(), stop)
