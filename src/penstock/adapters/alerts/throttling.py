"""Carries an alert's action out: asks the control plane of this machine for a throttle."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import msgspec

from penstock.adapters.unix_http import ask
from penstock.core.alert_actions import Action, wish_of
from penstock.core.alerts import Alert
from penstock.ports.alerts import Posted

# A change returns when every gateway has it, or after five seconds.
TIMEOUT_S = 15.0


class Throttling:
    """Implements ports.alerts.Acting. `socket` is control's, `token` what opens it."""

    def __init__(self, socket: Path, token: Path, now_ms: Callable[[], int]) -> None:
        self._socket = socket
        self._token = token
        self._now_ms = now_ms

    def __call__(self, action: Action, alert_id: str, alert: Alert) -> Posted:
        """See ports.alerts."""
        wish = wish_of(action, alert)
        if wish is None:
            return Posted("the alert is about neither a user nor a key", final=True)
        if wish.until_ms <= self._now_ms():
            return Posted("it would be over by now", final=True)
        path = f"/admin/api/orgs/{quote(wish.org, safe='')}/throttles/{quote(wish.name, safe='')}"
        try:
            status, told = ask(
                self._socket,
                "PUT",
                f"{path}?reason={quote(f'alert {alert_id}')}",
                timeout_s=TIMEOUT_S,
                body=msgspec.json.encode(wish.spec),
                headers={
                    "authorization": f"Bearer {self._token.read_text()}",
                    "content-type": "application/json",
                    "x-penstock-os-user": "alerts",
                },
            )
        except (OSError, http.client.HTTPException, msgspec.DecodeError):
            return Posted("control does not answer")
        if status in (200, 201):
            return Posted("")
        said = str(told.get("detail", ""))[:200]
        return Posted(f"control answered {status}: {said}", final=400 <= status < 500 and status != 401)
