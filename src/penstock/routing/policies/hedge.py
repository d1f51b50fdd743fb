"""A second attempt where the first one has not answered in the usual time; the first answer wins.

After J. Dean and L. A. Barroso, "The Tail at Scale", Communications of the ACM 56 (2), 2013.
"""

from __future__ import annotations

from typing import Final

from penstock.core.itinerary import (
    Accept,
    Ask,
    AttemptOutcome,
    Cancel,
    Cursor,
    Repeat,
    Start,
    Static,
    Step,
    Wait,
)
from penstock.core.policy import HedgeNode
from penstock.routing.policies.fallback import FallbackCursor, MakeCursor
from penstock.routing.walk import Walk

_LONG_S: Final = 3600.0
LEAST_S: Final = 0.01
LOOK_AGAIN_S: Final = 0.1
# Below so many durations a quantile is not believed.
SAMPLES: Final = 20


class Lane:
    """One of the attempts that run beside each other, with the retries of its own. `due`: when it goes on."""

    __slots__ = ("cursor", "due", "over")

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self.due = 0.0
        self.over = False


class HedgeCursor:
    """Starts with the first child; the others follow when it is late, and when it gives up."""

    __slots__ = (
        "_first",
        "_hedge_at",
        "_hedged",
        "_lanes",
        "_late",
        "_make",
        "_node",
        "_owners",
        "_target_id",
        "_terminal",
        "_terminal_lane",
        "_walk",
    )

    def __init__(self, node: HedgeNode, walk: Walk, make: MakeCursor) -> None:
        self._node = node
        self._walk = walk
        self._make = make
        # The children as a fallback would take them: closed ones left out, the least bad one if all are.
        self._first = FallbackCursor(node.children, walk, make)
        self._lanes: list[Lane] = []
        self._owners: dict[int, Lane] = {}
        self._hedge_at = _LONG_S * 1e6
        self._hedged = False
        self._late = False
        self._target_id = ""
        # What a lane ends with that no target answers, until no other lane runs; and that lane.
        self._terminal: Static | Ask | Repeat | None = None
        self._terminal_lane: Lane | None = None

    def step(self, outcome: AttemptOutcome | None, now: float, draw: float) -> Step:
        """See core.itinerary."""
        if not self._lanes:
            self._walk.share.hedges.first(self._node.max_percent)
            self._lanes.append(Lane(self._first))
            return self._take(self._lanes[0], None, now, draw)
        if outcome is not None:
            lane = self._owners.get(outcome.attempt) or self._terminal_lane or self._lanes[0]
            return self._take(lane, outcome, now, draw)
        for lane in self._lanes:
            if not lane.over and lane.due <= now:
                return self._take(lane, None, now, draw)
        if not self._hedged and now >= self._hedge_at:
            hedge = self._hedge(now)
            if hedge is not None:
                self._lanes.append(hedge)
                return self._take(hedge, None, now, draw)
        return Wait(self._next_s(now))

    def _take(self, lane: Lane, outcome: AttemptOutcome | None, now: float, draw: float) -> Step:
        """One lane's step, as a step of all."""
        lane.due, lane.over = _LONG_S * 1e6, False
        step = lane.cursor.step(outcome, now, draw)
        if isinstance(step, Start):
            return self._start(lane, step, now)
        if isinstance(step, Accept):
            number = step.attempt or (outcome.attempt if outcome is not None else 0)
            return Accept(number)
        if isinstance(step, Wait):
            lane.due = now + step.delay_s
            return Wait(self._next_s(now))
        if isinstance(step, Cancel):
            lane.due = now
            return step
        lane.over = True
        if isinstance(step, Static | Ask | Repeat):
            self._terminal, self._terminal_lane = step, lane
        final = outcome is not None and outcome.verdict == "final"
        if not final and self._runs():
            return Wait(self._next_s(now))
        terminal, self._terminal = self._terminal, None
        return terminal or step

    def _runs(self) -> bool:
        return any(not lane.over for lane in self._lanes)

    def _start(self, lane: Lane, step: Start, now: float) -> Start:
        self._owners[self._walk.started + 1] = lane
        if step.wake_s is not None:
            lane.due = now + step.wake_s
        if lane is self._lanes[0] and not self._hedged:
            # The last try counts: after a quick failure the next target gets its own time.
            self._hedge_at = now + self._after_s(step, now)
            self._target_id = step.target.id
            self._late = False
        wake_s = self._next_s(now)
        wake = wake_s if wake_s < _LONG_S else None
        return Start(step.target, step.retry_of, wake, step.whole, step.patient, step.stage)

    def _after_s(self, step: Start, now: float) -> float:
        """How long the first attempt may take before there is a second one."""
        node = self._node
        if node.after_s is not None:
            return node.after_s
        measure = "ttft" if self._walk.request.request.stream and not step.whole else "total"
        standing = self._walk.standings.of(step.target.id)
        if standing.samples(measure, now) < SAMPLES:
            return _LONG_S * 1e6
        return max(LEAST_S, standing.latency_s(measure, node.quantile, now) or LEAST_S)

    def _hedge(self, now: float) -> Lane | None:
        """The second attempt: the next open child, if the route may hedge once more."""
        walk = self._walk
        standing = walk.standings.of(self._target_id)
        if not self._late:
            self._late = True
            standing.late(now)
        # A target that is closed by now will not answer: that is a fallback, and needs no share.
        free = bool(standing.closed_to(now))
        if not self._first.has_other(now) or not (free or walk.share.hedges.allow()):
            self._hedge_at = now + LOOK_AGAIN_S
            return None
        child = self._first.take_other(now)
        if child is None:
            return None
        self._hedged = True
        walk.notes["hedged"] = f"beside {self._target_id}"
        return Lane(self._make(child, walk))

    def _next_s(self, now: float) -> float:
        due = min([lane.due for lane in self._lanes if not lane.over], default=_LONG_S)
        if not self._hedged:
            due = min(due, self._hedge_at)
        return min(_LONG_S, max(0.0, due - now))
