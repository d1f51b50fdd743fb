"""Brings alerts to one webhook, in a thread of its own: a receiver that is slow or down holds up no other."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

from penstock.adapters.sqlite.outbox import SqliteOutbox
from penstock.core.alerts import Webhook
from penstock.ports.alerts import Due, Outbox, Posted, Poster

POLL_S = 0.5
FIRST_WAIT_S, LONGEST_WAIT_S = 5.0, 3600.0
GIVE_UP_MS = 3 * 86_400_000
log = logging.getLogger("penstock.alerts")


def retry_at(posted: Posted, due: Due, now_ms: int, draw: float) -> int | None:
    """When to try again, None to give up: waits double from 5 s to an hour, within three days.

    `draw` is from [0, 1): each wait lies between a half and the whole of its step, unless the receiver asks
    for more.
    """
    if posted.final or now_ms - due.since_ms >= GIVE_UP_MS:
        return None
    step_s = min(FIRST_WAIT_S * 2.0 ** min(due.attempts, 20), LONGEST_WAIT_S)
    return now_ms + int(max(step_s * (0.5 + draw / 2), posted.retry_after_s) * 1000)


def deliver_one(
    webhook: Webhook, outbox: Outbox, post: Poster, now_ms: Callable[[], int], draw: Callable[[], float]
) -> bool:
    """Post the next alert that is due and write down how that went; False where none is due."""
    due = outbox.due(webhook.name, now_ms())
    if due is None:
        return False
    posted = post(webhook, due.id, due.alert)
    if not posted.error:
        outbox.sent(due.id, webhook.name, now_ms())
        return True
    retry_ms = retry_at(posted, due, now_ms(), draw())
    outbox.failed(due.id, webhook.name, posted.error, retry_ms)
    after = "given up" if retry_ms is None else f"next try in {(retry_ms - now_ms()) / 1000:.0f} s"
    log.warning("webhook %s: alert %s: %s; %s", webhook.name, due.id, posted.error, after)
    return True


class Courier:
    """The thread of one webhook."""

    def __init__(
        self,
        webhook: Webhook,
        path: Path,
        post: Poster,
        now_ms: Callable[[], int],
        draw: Callable[[], float],
    ) -> None:
        self.webhook = webhook
        self._path = path
        self._post = post
        self._now_ms = now_ms
        self._draw = draw
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"alerts {webhook.name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """Post no more; a post under way is not waited for, and comes again at the next start."""
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                outbox = SqliteOutbox(self._path)
                try:
                    self._work(outbox)
                finally:
                    outbox.close()
            except (sqlite3.Error, OSError) as error:
                log.warning("webhook %s: the outbox cannot be used: %s", self.webhook.name, error)
                self._ended.wait(5.0)

    def _work(self, outbox: SqliteOutbox) -> None:
        while not self._ended.is_set():
            if not deliver_one(self.webhook, outbox, self._post, self._now_ms, self._draw):
                self._ended.wait(POLL_S)
