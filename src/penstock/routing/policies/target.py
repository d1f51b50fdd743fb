"""One target: try it, and again while retrying may help."""

from __future__ import annotations

from penstock.core.itinerary import ACCEPT, AttemptOutcome, GiveUp, Start, Step, Wait
from penstock.core.plan import Target
from penstock.core.retry import RetryRule, RetryShare, backoff_s

_STALE_TRIES = 3


class TargetCursor:
    """Counts tries; a stale connection is not one, for nothing reached the upstream."""

    __slots__ = ("_cause", "_rule", "_share", "_stale", "_target", "_tries")

    def __init__(self, target: Target, rule: RetryRule, share: RetryShare) -> None:
        self._target = target
        self._rule = rule
        self._share = share
        self._tries = 0
        self._stale = 0
        self._cause = ""

    def step(self, outcome: AttemptOutcome | None, now: float, draw: float) -> Step:
        """See core.itinerary."""
        if outcome is None:
            self._tries += 1
            if self._tries == 1:
                self._share.first(now)
            return Start(self._target, self._cause)
        if outcome.verdict == "ok":
            return ACCEPT
        if outcome.verdict == "stale" and self._stale < _STALE_TRIES:
            self._stale += 1
            return Start(self._target, outcome.cause)
        if outcome.verdict in ("retry", "stale") and self._tries < self._rule.attempts:
            delay_s = backoff_s(self._rule, self._tries, outcome.retry_after_s, draw)
            if delay_s is not None and self._share.allow(now, self._rule.max_retry_share):
                self._cause = outcome.cause
                return Wait(delay_s)
        return GiveUp(outcome.cause)
