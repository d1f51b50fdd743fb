"""Alerts in SQLite: what was raised, what still has to be posted, and what rules remember.

One writer raises (the worker), one thread for each webhook posts; each has a connection of its own. An alert,
what is remembered of it and its deliveries are one transaction.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from collections.abc import Callable, Generator, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from penstock.core.alerts import Alert, Memory, Reading, Webhook, judge_all, rested
from penstock.ports.alerts import Due, Numbered

SCHEMA_VERSION = 1
KEPT_MS = 30 * 86_400_000
_BUSY_TIMEOUT_S = 5.0
_DDL = """
CREATE TABLE alerts (
  id TEXT PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  kind TEXT NOT NULL,
  severity TEXT NOT NULL,
  org TEXT NOT NULL,
  alert BLOB NOT NULL
);
CREATE INDEX alerts_at ON alerts (at_ms);
CREATE TABLE deliveries (
  id TEXT NOT NULL,
  webhook TEXT NOT NULL,
  state TEXT NOT NULL,
  due_ms INTEGER NOT NULL,
  since_ms INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  error TEXT NOT NULL,
  PRIMARY KEY (webhook, id)
);
CREATE INDEX deliveries_due ON deliveries (webhook, state, due_ms);
CREATE TABLE memories (
  fingerprint TEXT PRIMARY KEY,
  firing INTEGER NOT NULL,
  raised_ms INTEGER NOT NULL
);
"""
_DUE = """
SELECT deliveries.id, alert, attempts, since_ms FROM deliveries JOIN alerts USING (id)
WHERE webhook = ? AND state = 'waiting' AND due_ms <= ? ORDER BY due_ms, deliveries.id LIMIT 1
"""
_LIST = """
SELECT alerts.id AS id, alert, webhook, state, attempts, error FROM (
  SELECT * FROM alerts ORDER BY at_ms DESC, id DESC LIMIT ?
) AS alerts LEFT JOIN deliveries USING (id) ORDER BY at_ms, alerts.id, webhook
"""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Alert).decode
log = logging.getLogger("penstock.alerts")


class SqliteOutbox:
    """A `ports.alerts.AlertSink` and `Outbox`. Opening it makes the file. All methods raise sqlite3.Error.

    `webhooks` gives those in force: an alert is posted to those that want it when it is raised.

    Raises:
        OSError: the file cannot be made.
    """

    def __init__(
        self,
        path: Path,
        webhooks: Callable[[], Sequence[Webhook]] = tuple,
        cooldown_ms: Callable[[], int] = lambda: 0,
    ) -> None:
        self._webhooks = webhooks
        self._cooldown_ms = cooldown_ms
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._db = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        # An alert is rare and must not be lost with the power.
        self._db.execute("PRAGMA synchronous = FULL")
        with self._transaction():
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version == 0:
                for statement in _DDL.split(";")[:-1]:
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def take(self, alerts: Sequence[Numbered]) -> None:
        """See ports.alerts.AlertSink."""
        if not alerts:
            return
        with self._transaction():
            for each in alerts:
                alert = each.alert
                memory = self._memory(alert.fingerprint)
                if self._known(each.id) or not rested(memory, self._cooldown_ms(), alert.at_ms):
                    continue
                self._remember(alert.fingerprint, Memory(firing=False, raised_ms=alert.at_ms))
                self._raise(each.id, alert)

    def look(self, readings: Iterable[Reading], now_ms: int) -> None:
        """See ports.alerts.AlertSink."""
        found = list(readings)
        memories = {each.fingerprint: self._memory(each.fingerprint) for each in found}
        changed, alerts = judge_all(found, memories, now_ms)
        if not changed:
            return
        with self._transaction():
            for fingerprint, memory in changed.items():
                self._remember(fingerprint, memory)
            for alert in alerts:
                self._raise(f"{alert.fingerprint}-{alert.at_ms}", alert)

    def due(self, webhook: str, now_ms: int) -> Due | None:
        """See ports.alerts.Outbox."""
        row = self._db.execute(_DUE, (webhook, now_ms)).fetchone()
        return Due(row[0], _decode(row[1]), row[2], row[3]) if row is not None else None

    def sent(self, alert_id: str, webhook: str, now_ms: int) -> None:
        """See ports.alerts.Outbox."""
        self._db.execute(
            "UPDATE deliveries SET state = 'sent', due_ms = ?, attempts = attempts + 1, error = '' "
            "WHERE webhook = ? AND id = ?",
            (now_ms, webhook, alert_id),
        )

    def failed(self, alert_id: str, webhook: str, error: str, retry_ms: int | None) -> None:
        """See ports.alerts.Outbox."""
        state, due_ms = ("waiting", retry_ms) if retry_ms is not None else ("failed", 0)
        self._db.execute(
            "UPDATE deliveries SET state = ?, due_ms = ?, attempts = attempts + 1, error = ? "
            "WHERE webhook = ? AND id = ?",
            (state, due_ms, error, webhook, alert_id),
        )

    def recent(self, limit: int) -> list[dict[str, Any]]:
        """The newest alerts, oldest first, each with its deliveries."""
        found: dict[str, dict[str, Any]] = {}
        for alert_id, blob, webhook, state, attempts, error in self._db.execute(_LIST, (limit,)):
            alert = _decode(blob)
            facts = {name: getattr(alert, name) for name in alert.__struct_fields__}
            line = found.setdefault(alert_id, {"id": alert_id, **facts, "deliveries": []})
            if webhook is not None:
                told = {"webhook": webhook, "state": state, "attempts": attempts, "error": error}
                line["deliveries"].append(told)
        return list(found.values())

    def prune(self, now_ms: int) -> None:
        """Delete what is older than 30 days, and what waits for webhooks that are gone."""
        before = now_ms - KEPT_MS
        with self._transaction():
            self._db.execute("DELETE FROM deliveries WHERE since_ms < ?", (before,))
            self._db.execute("DELETE FROM alerts WHERE at_ms < ?", (before,))
            self._db.execute("DELETE FROM memories WHERE firing = 0 AND raised_ms < ?", (before - KEPT_MS,))
            self._db.execute("DELETE FROM memories WHERE raised_ms < ?", (before - 13 * KEPT_MS,))

    def close(self) -> None:
        """Close it."""
        self._db.close()

    def _raise(self, alert_id: str, alert: Alert) -> None:
        # The line comes before the commit: after a crash it may stand twice, never not at all.
        log.warning("alert %s %s: %s (%s)", alert.severity, alert.kind, alert.message, alert_id)
        self._db.execute(
            "INSERT INTO alerts VALUES (?, ?, ?, ?, ?, ?)",
            (alert_id, alert.at_ms, alert.kind, alert.severity, alert.org, _encode(alert)),
        )
        for webhook in self._webhooks():
            if webhook.wants(alert):
                self._db.execute(
                    "INSERT INTO deliveries VALUES (?, ?, 'waiting', 0, ?, 0, '')",
                    (alert_id, webhook.name, alert.at_ms),
                )

    def _known(self, alert_id: str) -> bool:
        return self._db.execute("SELECT 1 FROM alerts WHERE id = ?", (alert_id,)).fetchone() is not None

    def _memory(self, fingerprint: str) -> Memory:
        query = "SELECT firing, raised_ms FROM memories WHERE fingerprint = ?"
        row = self._db.execute(query, (fingerprint,)).fetchone()
        return Memory(bool(row[0]), row[1]) if row is not None else Memory()

    def _remember(self, fingerprint: str, memory: Memory) -> None:
        row = (fingerprint, memory.firing, memory.raised_ms)
        self._db.execute("INSERT OR REPLACE INTO memories VALUES (?, ?, ?)", row)

    @contextlib.contextmanager
    def _transaction(self) -> Generator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise
