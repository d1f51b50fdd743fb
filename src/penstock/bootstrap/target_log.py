"""Says in the gateway's log when a target, a provider or a region is left alone, and when it is back."""

from __future__ import annotations

import logging
from collections.abc import Callable

from penstock.core.health import CLOSED, Breaker
from penstock.routing.standings import Standings

EVERY_S = 0.5
_log = logging.getLogger("penstock.gateway")


class TargetLog:
    """Looks for changes now and then; one that is over before it was seen is told by the next."""

    def __init__(self, standings: Standings, say: Callable[[str], None] = _log.warning) -> None:
        self._standings = standings
        self._say = say
        self._down: dict[str, int] = {}
        self._looked_at = float("-inf")

    def say_if_due(self, now: float) -> None:
        """Say what has changed; called some times a second."""
        if now - self._looked_at < EVERY_S:
            return
        self._looked_at = now
        for standing in self._standings.all():
            self._look(f"target {standing.id}", standing.breaker, now)
        for group in self._standings.groups():
            kind = "region" if "@" in group.id else "provider"
            self._look(f"{kind} {group.id}", group.breaker, now)

    def _look(self, name: str, breaker: Breaker, now: float) -> None:
        since = self._down.get(name)
        if breaker.state == CLOSED:
            if since is not None:
                del self._down[name]
                self._say(f"{name} is tried again as usual")
        elif since is None:
            self._down[name] = breaker.opened
            wait_s = max(0.0, breaker.until - now)
            self._say(f"{name} is left alone: {breaker.reason}; it is tried again in {wait_s:.1f} s")
