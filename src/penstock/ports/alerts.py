"""Where alerts go: a durable outbox, and what posts them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from penstock.core.alert_actions import Action
from penstock.core.alerts import Alert, Reading, Webhook


class Numbered(NamedTuple):
    """An alert with the id that makes it the same one however often it is handed in."""

    id: str
    alert: Alert


class Due(NamedTuple):
    """An alert that waits to be posted to a webhook; `attempts` were in vain, the first at `since_ms`."""

    id: str
    alert: Alert
    attempts: int
    since_ms: int


class AlertSink(Protocol):
    """Takes alerts. When a method returns, what was news is on disk and will reach its webhooks."""

    def take(self, alerts: Sequence[Numbered]) -> None:
        """Alerts that somebody else has noticed: one that came before, or rests, is dropped."""
        ...

    def look(self, readings: Iterable[Reading], now_ms: int) -> None:
        """What the rules see now."""
        ...


class Outbox(Protocol):
    """One webhook's end of the outbox."""

    def due(self, webhook: str, now_ms: int) -> Due | None:
        """What is to be posted next, if anything."""
        ...

    def sent(self, alert_id: str, webhook: str, now_ms: int) -> None:
        """It arrived."""
        ...

    def failed(self, alert_id: str, webhook: str, error: str, retry_ms: int | None) -> None:
        """It did not; try again at `retry_ms`, or never."""
        ...


class Posted(NamedTuple):
    """How one post ended. `error` is empty where it arrived; `retry_after_s` is what the receiver asked for."""

    error: str
    final: bool = False
    retry_after_s: float = 0.0


class Acting(Protocol):
    """Carries an alert's action out once. Blocks, for a bounded time, and raises nothing."""

    def __call__(self, action: Action, alert_id: str, alert: Alert) -> Posted:
        """Do it; the same again changes nothing."""
        ...


class Poster(Protocol):
    """Posts an alert once. Blocks, for a bounded time, and raises nothing."""

    def __call__(self, webhook: Webhook, alert_id: str, alert: Alert) -> Posted:
        """Post it."""
        ...
