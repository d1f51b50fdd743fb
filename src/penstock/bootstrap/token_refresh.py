"""When control fetches the keys of issuers of tokens, and that gateways get what is new."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from penstock.config.document import TokenIssuer
from penstock.config.problem import ConfigError
from penstock.config.snapshot import SnapshotError
from penstock.control.plane import ControlPlane
from penstock.control.token_keys import TokenKeys
from penstock.ports.control_store import StoreError

EVERY_MS = 300_000
# A gateway that has met a token of an unknown key asks for it; an invented key must not make us a nuisance.
LEAST_MS = 5_000
log = logging.getLogger("penstock.control")


class TokenRefresh:
    """Fetches in a thread of its own, one at a time: an issuer that is slow holds nothing up."""

    def __init__(self, plane: ControlPlane, keys: TokenKeys, wanted: Path, now_ms: Callable[[], int]) -> None:
        self._plane = plane
        self._keys = keys
        self._wanted = wanted
        self._now_ms = now_ms
        self._fetched_ms = -EVERY_MS
        self._for: dict[str, TokenIssuer] = {}
        self._thread: threading.Thread | None = None

    def tick(self) -> None:
        """Begin to fetch, if it is time."""
        issuers = self._plane.auth().tokens
        if not issuers or (self._thread is not None and self._thread.is_alive()):
            return
        age = self._now_ms() - self._fetched_ms
        if issuers == self._for and age < (LEAST_MS if self._wanted.exists() else EVERY_MS):
            return
        self._wanted.unlink(missing_ok=True)
        self._fetched_ms, self._for = self._now_ms(), issuers
        self._thread = threading.Thread(target=self._refresh, name="token-keys", daemon=True)
        self._thread.start()

    def _refresh(self) -> None:
        if not self._keys.refresh(self._plane.auth()):
            return
        try:
            self._plane.publish_again()
        except (ConfigError, SnapshotError, StoreError, OSError) as error:
            self._fetched_ms = -EVERY_MS
            log.warning("new keys of token issuers are not published yet: %s", error)
