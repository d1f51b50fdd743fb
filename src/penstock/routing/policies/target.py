"""One target: try it, and again while retrying may help."""

from __future__ import annotations

from penstock.core.itinerary import ACCEPT, AttemptOutcome, GiveUp, Start, Step, Wait
from penstock.core.retry import backoff_s
from penstock.core.target import Target
from penstock.routing.walk import Walk

_STALE_TRIES = 3


class TargetCursor:
    """Counts tries; a stale connection is not one, for nothing reached the upstream."""

    __slots__ = ("_cause", "_stale", "_target", "_tries", "_walk")

    def __init__(self, target: Target, walk: Walk) -> None:
        self._target = target
        self._walk = walk
        self._tries = 0
        self._stale = 0
        self._cause = ""

    def step(self, outcome: AttemptOutcome | None, now: float, draw: float) -> Step:
        """See core.itinerary."""
        if outcome is None:
            self._tries += 1
            if self._tries == 1:
                self._walk.share.first(now)
            return Start(self._target, self._cause)
        if outcome.verdict == "ok":
            return ACCEPT
        if outcome.verdict == "stale" and self._stale < _STALE_TRIES:
            self._stale += 1
            return Start(self._target, outcome.cause)
        if outcome.verdict in ("retry", "stale") and self._tries < self._walk.rule.attempts:
            delay_s = backoff_s(self._walk.rule, self._tries, outcome.retry_after_s, draw)
            if delay_s is not None and self._walk.share.allow(now, self._walk.rule.max_retry_share):
                self._cause = outcome.cause
                return Wait(delay_s)
        return GiveUp(outcome.cause)
