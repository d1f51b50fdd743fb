"""Children in order: the next one when one gives up, unless the request itself is at fault.

Children that are closed just now (breaker, cooldown, no room) are left out. Where all the open ones gave up,
and where there are none, the one that will be open soonest gets one try: something is better than nothing, and
one more call is no storm. A target that has given up elsewhere in the tree is not tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from penstock.core.itinerary import AttemptOutcome, Cursor, GiveUp, Step
from penstock.core.policy import PolicyNode, TargetNode
from penstock.routing.trees import targets_of
from penstock.routing.walk import Alternatives, Walk

MakeCursor = Callable[[PolicyNode, Walk], Cursor]


class FallbackCursor(Alternatives):
    """Walks the children from first to last."""

    __slots__ = (
        "_child",
        "_children",
        "_current",
        "_ejected",
        "_left_out",
        "_make",
        "_next",
        "_walk",
    )

    def __init__(self, children: Sequence[PolicyNode], walk: Walk, make: MakeCursor) -> None:
        self._children = children
        self._walk = walk
        self._make = make
        self._next = 0
        self._ejected = 0
        # Those that were closed, until one of them is tried as the last resort.
        self._left_out: list[PolicyNode] | None = []
        self._child: PolicyNode | None = None
        self._current: Cursor | None = None

    def step(self, outcome: AttemptOutcome | None, now: float, draw: float) -> Step:
        """See core.itinerary."""
        inside = self._walk.inside
        current = self._current or self._following(now)
        final = outcome is not None and outcome.verdict == "final"
        cause = ""
        while current is not None:
            self._current = current
            inside.append(self)
            step = current.step(outcome, now, draw)
            inside.pop()
            if not isinstance(step, GiveUp):
                return step
            cause = step.cause
            if self._child is not None:
                self._walk.give_up(self._child, cause)
            if final:
                break
            current, outcome = self._following(now), None
        return GiveUp(cause or self._walk.cause)

    def _following(self, now: float) -> Cursor | None:
        walk = self._walk
        while self._next < len(self._children):
            child = self._children[self._next]
            self._next += 1
            if walk.has_given_up(child):
                continue
            reason = walk.closed_to(child, now)
            if not reason or self._may_not_eject(child):
                self._child = child
                return self._make(child, walk)
            if self._left_out is not None:
                self._left_out.append(child)
            if isinstance(child, TargetNode):
                walk.skipped.append((child.target.id, reason))
            else:
                walk.skipped += [(target.id, reason) for target in targets_of(child)]
        left_out, self._left_out = self._left_out, None
        left_out = [child for child in left_out or () if not walk.has_given_up(child)]
        if not left_out:
            return None
        self._child = least = min(left_out, key=lambda child: walk.wait_s(child, now))
        return self._make(least, walk)

    def take_other(self, now: float) -> PolicyNode | None:
        """The next child that is open, which somebody else will walk through; None where there is none."""
        for at in range(self._next, len(self._children)):
            child = self._children[at]
            if self._is_open(child, now):
                # What was passed over was closed; it may still be a last resort.
                if self._left_out is not None:
                    self._left_out += self._children[self._next : at]
                self._next = at + 1
                return child
        return None

    def _may_not_eject(self, child: PolicyNode) -> bool:
        """Whether it is only slow, and enough others are left out for that."""
        if not isinstance(child, TargetNode) or not self._walk.standings.of(child.target.id).soft():
            return False
        self._ejected += 1
        return self._ejected > self._walk.max_slow * len(self._children)

    def has_other(self, now: float) -> bool:
        """See Alternatives."""
        return any(self._is_open(child, now) for child in self._children[self._next :])

    def _is_open(self, child: PolicyNode, now: float) -> bool:
        walk = self._walk
        return _leads_somewhere(child) and not walk.has_given_up(child) and not walk.closed_to(child, now)


def _leads_somewhere(node: PolicyNode) -> bool:
    """Whether there is a target below a node."""
    return isinstance(node, TargetNode) or next(targets_of(node), None) is not None
