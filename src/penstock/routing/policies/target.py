"""One target: try it, and again while retrying may help."""

from __future__ import annotations

from typing import Final

from penstock.core.health import OVERLOADED, fault_of
from penstock.core.itinerary import ACCEPT, AttemptOutcome, GiveUp, Start, Step, Wait
from penstock.core.policy import TargetNode
from penstock.core.retry import backoff_s
from penstock.routing.walk import Walk

_STALE_TRIES: Final = 3
TOO_LATE: Final = "too_late"
# What a Retry-After that was measured a moment earlier may differ by.
CLOSE_S: Final = 0.05


class TargetCursor:
    """Counts tries; a stale connection is not one, for nothing reached the upstream.

    What a second try would only make worse (429, 503, no connection, no answer in time) gets none where another
    target is open; and no try is made that will not be over in time.
    """

    __slots__ = ("_cause", "_stage", "_stale", "_target", "_tries", "_walk")

    def __init__(self, node: TargetNode, walk: Walk) -> None:
        self._target = node.target
        self._stage = node.stage
        self._walk = walk
        self._tries = 0
        self._stale = 0
        self._cause = ""

    def step(self, outcome: AttemptOutcome | None, now: float, draw: float) -> Step:
        """See core.itinerary."""
        walk = self._walk
        if outcome is None:
            self._tries += 1
            if self._tries == 1:
                walk.share.first(now)
                if walk.started and self._too_late(now):
                    return GiveUp(TOO_LATE)
            return self._start(self._cause)
        if outcome.verdict == "ok":
            return ACCEPT
        if outcome.verdict == "full":
            if walk.elsewhere(now):
                return GiveUp(outcome.cause)
            return self._start(self._cause, patient=True)
        if outcome.verdict == "stale" and self._stale < _STALE_TRIES:
            self._stale += 1
            return self._start(outcome.cause)
        if outcome.verdict in {"retry", "stale"} and self._tries < walk.rule.attempts:
            delay_s = self._again_after_s(outcome, now, draw)
            if delay_s is not None:
                self._cause = outcome.cause
                return Wait(delay_s)
        return GiveUp(outcome.cause)

    def _start(self, cause: str, *, patient: bool = False) -> Start:
        return Start(self._target, cause, None, False, patient, self._stage)  # noqa: FBT003 - compiled, by place

    def _again_after_s(self, outcome: AttemptOutcome, now: float, draw: float) -> float | None:
        """Seconds until the next try; None where there should be none."""
        walk = self._walk
        if fault_of(outcome.cause) in OVERLOADED and walk.elsewhere(now):
            return None
        delay_s = backoff_s(walk.rule, self._tries, outcome.retry_after_s, draw)
        if delay_s is None or self._too_late(now + delay_s):
            return None
        if walk.standings.of(self._target.id).wait_s(now) > delay_s + CLOSE_S:
            return None  # it is closed by now, and will be then: nothing is won by asking once more
        return delay_s if walk.share.allow(now, walk.rule.max_retry_share) else None

    def _too_late(self, now: float) -> bool:
        """Whether a try that starts then will usually not have answered by the deadline."""
        walk = self._walk
        if now >= walk.deadline:
            return True
        measure = "ttft" if walk.request.request.stream else "total"
        usual_s = walk.standings.of(self._target.id).latency_s(measure, 0.5, now)
        return usual_s is not None and now + usual_s > walk.deadline
