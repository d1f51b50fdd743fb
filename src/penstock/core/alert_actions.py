"""What is done about an alert: a throttle of whom it is about, ready to be asked of the control plane."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from penstock.core.alerts import Alert, Webhook

TAKEN = "action.taken"
# A space stands in no configured name, so that no webhook is called so.
_PREFIX = "action "


@dataclass(frozen=True, slots=True)
class Action:
    """One configured action. `limits` and `downgrade` are as a throttle's configuration has them."""

    name: str
    when: Webhook
    for_ms: int
    limits: Mapping[str, Any] = field(default_factory=dict[str, Any])
    downgrade: str = ""

    def told(self) -> str:
        """In words."""
        said = [", ".join(f"{name} {value}" for name, value in self.limits.items()), ""]
        if self.downgrade:
            said[1] = f"served by {self.downgrade}"
        return "; ".join(part for part in said if part) or "told"


@dataclass(frozen=True, slots=True)
class Wish:
    """A throttle to be made or changed."""

    org: str
    name: str
    spec: Mapping[str, Any]
    until_ms: int


def courier_name(action: str) -> str:
    """What the outbox calls an action, beside the webhooks."""
    return _PREFIX + action


def action_of(webhook: str) -> str:
    """The action that a courier is for, empty for a webhook."""
    return webhook.removeprefix(_PREFIX) if webhook.startswith(_PREFIX) else ""


def wish_of(action: Action, alert: Alert) -> Wish | None:
    """The throttle that the action makes; None where the alert is about neither a user nor a key.

    The same for each time that the same thing is raised, so that it is prolonged rather than made again.
    """
    kind, _, name = alert.labels.get("account", "").partition(":")
    if kind == "user":
        whom = {"user": name.partition("/")[2]}
    elif kind == "key":
        whom = {"key": name}
    else:
        return None
    until_ms = alert.at_ms + action.for_ms
    moment = datetime.fromtimestamp(until_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    spec: dict[str, Any] = {**whom, "until": moment, "why": alert.message}
    if action.limits:
        spec["limits"] = dict(action.limits)
    if action.downgrade:
        spec["downgrade"] = action.downgrade
    return Wish(alert.org, f"{action.name[:100]}-{alert.fingerprint[:12]}", spec, until_ms)


def taken(action: Action, wish: Wish, alert_id: str, alert: Alert) -> Alert:
    """What is told of an action that was carried out."""
    return msgspec.structs.replace(
        alert,
        kind=TAKEN,
        severity="info",
        fingerprint=f"{alert.fingerprint[:24]}{alert.at_ms % 0xFFFFFFFF:08x}",
        message=f"{alert.subject} is throttled until {wish.spec['until']} ({action.told()}): {alert.message}",
        labels={
            **alert.labels,
            "action": action.name,
            "throttle": wish.name,
            "until_ms": str(wish.until_ms),
            "alert": alert_id,
        },
    )
