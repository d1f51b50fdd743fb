"""The worker's end of alerts: takes what others raised, looks at budgets, keeps the couriers going."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from penstock.adapters.sqlite.outbox import SqliteOutbox
from penstock.compile.alerts import budgets_of, has_budgets
from penstock.config.document import Document
from penstock.core.alert_actions import TAKEN, Action, action_of, taken, wish_of
from penstock.core.alerts import Alert, Webhook
from penstock.core.budget_alerts import readings_of
from penstock.core.exchange import AlertRaised, Entry
from penstock.core.outlier_alerts import outliers
from penstock.ports.alerts import Acting, Numbered, Posted, Poster
from penstock.ports.ledger import LedgerStore
from penstock.worker.alerts.courier import Courier
from penstock.worker.alerts.routing import FILE_NAME, RoutingDesk

LOOK_S = 2.0
FORECAST_S = 60.0
PRUNE_S = 3600.0
SAVE_S = 10.0
# Looking takes at most this share of the worker's time, however many keys there are.
_MAX_SHARE = 0.05
log = logging.getLogger("penstock.alerts")


class AlertSettings:
    """What a document says of alerts."""

    def __init__(self, document: Document, webhooks: Sequence[Webhook], actions: Sequence[Action] = ()) -> None:
        self.document = document
        self.actions = {action.name: action for action in actions}
        # The outbox keeps an action until it is carried out, as it keeps a webhook's alert.
        self.webhooks = (*webhooks, *(action.when for action in actions))
        self.cooldown_ms = document.alerts.cooldown_s * 1000


class AlertDesk:
    """One per worker. `settings` gives new settings where they have changed, else None."""

    def __init__(
        self,
        path: Path,
        settings: Callable[[], AlertSettings | None],
        post: Poster,
        *,
        now_ms: Callable[[], int],
        monotonic: Callable[[], float],
        draw: Callable[[], float],
        act: Acting | None = None,
    ) -> None:
        """`act` carries actions out."""
        self._act = act
        self._path = path
        self._read_settings = settings
        self._post = post
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._draw = draw
        self._settings = AlertSettings(Document(), ())
        self._couriers: dict[str, Courier] = {}
        self._outbox: SqliteOutbox | None = None
        self._routing = RoutingDesk(path.with_name(FILE_NAME))
        self._save_due = monotonic() + SAVE_S
        self._look_due = self._forecast_due = self._prune_due = float("-inf")

    def take(self, boot: str, entries: Sequence[tuple[int, Entry]]) -> None:
        """Alerts of a journal, before its position moves: what comes twice is taken once.

        Raises:
            sqlite3.Error, OSError: they are not on disk; the position must not move.
        """
        self._routing.take(boot, entries)
        found = [
            Numbered(f"{boot}-{seq}", each.alert) for seq, each in entries if isinstance(each, AlertRaised)
        ]
        if found:
            self._follow()
            self._opened().take(found)

    def look_if_due(self, store: LedgerStore) -> None:
        """Every few seconds: follow the configuration, and see how budgets stand. Trouble is logged."""
        began = self._monotonic()
        if began < self._look_due:
            return
        try:
            self._follow()
            self._look(store)
            self._prune()
        except (sqlite3.Error, OSError) as error:
            log.warning("alerts cannot be looked after just now: %s", error)
            self._close_outbox()
        now = self._monotonic()
        self._look_due = now + max(LOOK_S, (now - began) / _MAX_SHARE)

    def close(self) -> None:
        """End the couriers; what they have not posted waits for the next start."""
        for courier in self._couriers.values():
            courier.end()
        self._couriers.clear()
        self._close_outbox()

    def _look(self, store: LedgerStore) -> None:
        document, now_ms = self._settings.document, self._now_ms()
        readings = list(self._routing.readings(document, now_ms, self._settings.cooldown_ms))
        if readings:
            self._opened().look(readings, now_ms)
        if self._monotonic() >= self._save_due:
            self._save_due = self._monotonic() + SAVE_S
            self._routing.save(frozenset(store.positions()))
        outlying = document.alerts.outliers
        if not has_budgets(document) and outlying is None:
            return
        spent: dict[str, dict[int, int]] = {}
        for _, account, slot, nanousd in store.state(now_ms).spent:
            slots = spent.setdefault(account, {})
            slots[slot] = slots.get(slot, 0) + nanousd
        if outlying is not None:
            least, cooldown_ms = outlying.least_nanousd, self._settings.cooldown_ms
            found = outliers(spent, now_ms, times=outlying.times, least_nanousd=least, cooldown_ms=cooldown_ms)
            self._opened().look(found, now_ms)
        with_forecast = self._monotonic() >= self._forecast_due
        if with_forecast:
            self._forecast_due = self._monotonic() + FORECAST_S
        for budget in budgets_of(document, spent, now_ms):
            readings = readings_of(budget, now_ms, self._settings.cooldown_ms, with_forecast=with_forecast)
            self._opened().look(readings, now_ms)

    def _follow(self) -> None:
        """Take over a configuration that has changed."""
        found = self._read_settings()
        if found is None:
            return
        self._settings = found
        wanted = {webhook.name: webhook for webhook in found.webhooks}
        for name in [name for name, each in self._couriers.items() if wanted.get(name) != each.webhook]:
            self._couriers.pop(name).end()
        for name, webhook in wanted.items():
            if name not in self._couriers:
                courier = Courier(webhook, self._path, self._deliver, self._now_ms, self._draw)
                self._couriers[name] = courier
                courier.start()

    def _deliver(self, webhook: Webhook, alert_id: str, alert: Alert) -> Posted:
        """Post to a webhook, or carry an action out and raise that it was."""
        name = action_of(webhook.name)
        if not name:
            return self._post(webhook, alert_id, alert)
        if alert.kind == TAKEN:
            return Posted("an action is no cause of another", final=True)
        settings = self._settings
        action = settings.actions.get(name)
        if action is None or self._act is None:
            return Posted("the action is no longer configured", final=True)
        done = self._act(action, alert_id, alert)
        wish = wish_of(action, alert)
        if done.error or wish is None:
            return done
        # In the courier's thread, so on a connection of its own; the id makes it the same one each time.
        with contextlib.closing(SqliteOutbox(self._path, lambda: settings.webhooks)) as outbox:
            outbox.take([Numbered(f"{alert_id}-{name}", taken(action, wish, alert_id, alert))])
        return done

    def _prune(self) -> None:
        if self._monotonic() >= self._prune_due and self._path.exists():
            self._prune_due = self._monotonic() + PRUNE_S
            self._opened().prune(self._now_ms())

    def _opened(self) -> SqliteOutbox:
        if self._outbox is None:
            self._outbox = SqliteOutbox(
                self._path, lambda: self._settings.webhooks, lambda: self._settings.cooldown_ms
            )
        return self._outbox

    def _close_outbox(self) -> None:
        outbox, self._outbox = self._outbox, None
        if outbox is not None:
            with contextlib.suppress(sqlite3.Error):
                outbox.close()
