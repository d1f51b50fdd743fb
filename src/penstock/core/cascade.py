"""Cascades, compiled: cheap targets first, a dearer one where the answer does not pass."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.core.judge import JudgeRule
from penstock.core.policy import PolicyNode
from penstock.core.verdict import Bounds


class Acceptance:
    """When a step's answer is good enough; all of it must hold.

    `samples` answers are asked for, of which a `share` must come down to the same (1 sample asks for nothing).
    `scorer` is the id of a trained model that must give at least `least_score`, `function` the dotted path of a
    Python function that must say yes; both are asked outside of the gateway, for at most `deadline_s`, and an
    answer that is late or missing passes only with `error_passes`. `judge`: another route grades it; the same.
    """

    __slots__ = (
        "bounds", "deadline_s", "error_passes", "function", "judge", "least_score", "samples", "scorer",
        "share",
    )  # fmt: skip

    def __init__(
        self,
        bounds: Bounds,
        samples: int = 1,
        share: float = 1.0,
        scorer: str = "",
        least_score: float = 0.0,
        function: str = "",
        judge: JudgeRule | None = None,
        deadline_s: float = 1.0,
        error_passes: bool = False,
    ) -> None:
        self.bounds = bounds
        self.samples = samples
        self.share = share
        self.scorer = scorer
        self.least_score = least_score
        self.function = function
        self.judge = judge
        self.deadline_s = deadline_s
        self.error_passes = error_passes


class CascadeStep:
    """One stage: what is asked, and when its answer is good enough; None: always, and it is the last one."""

    __slots__ = ("acceptance", "node")

    def __init__(self, node: PolicyNode, acceptance: Acceptance | None) -> None:
        self.node = node
        self.acceptance = acceptance


class CascadeNode(PolicyNode):
    """Steps from the cheapest to the dearest. At most `most_escalations` (a share) of its answers go further.

    `id` tells it from other cascades, of this route and others.
    """

    __slots__ = ("id", "most_escalations", "steps")

    def __init__(self, steps: tuple[CascadeStep, ...], most_escalations: float = 1.0, id: str = "") -> None:  # noqa: A002
        self.steps = steps
        self.most_escalations = most_escalations
        self.id = id

    def below(self) -> tuple[PolicyNode, ...]:
        """The nodes of its steps."""
        return tuple([step.node for step in self.steps])

    def with_below(self, below: Sequence[PolicyNode | None]) -> PolicyNode | None:
        """The steps that are left; whatever is then the last one accepts everything."""
        left = [
            CascadeStep(node, step.acceptance)
            for node, step in zip(below, self.steps, strict=True)
            if node is not None
        ]
        if not left:
            return None
        left[-1] = CascadeStep(left[-1].node, None)
        return left[0].node if len(left) == 1 else CascadeNode(tuple(left), self.most_escalations, self.id)

    def whole(self) -> bool:
        """An answer is looked at before anybody gets it."""
        return True


class Escalations:
    """How many of a cascade's first answers went further of late, against a share that is allowed.

    Counts decay by half about every HALF_LIFE_S seconds, so that a quiet hour does not save up for a storm.
    """

    __slots__ = ("_asked", "_at", "_gone")

    HALF_LIFE_S = 300.0
    # So many may go before the share binds: ten requests say little of a share.
    FREE = 3.0

    def __init__(self) -> None:
        self._asked = 0.0
        self._gone = 0.0
        self._at = 0.0

    def asked(self, now: float) -> None:
        """An exchange has begun; `now` in monotonic seconds."""
        self._fade(now)
        self._asked += 1.0

    def allow(self, now: float, share: float) -> bool:
        """Whether one more may go further; it is counted where it may."""
        self._fade(now)
        if share < 1.0 and self._gone + 1.0 > max(self.FREE, share * self._asked):
            return False
        self._gone += 1.0
        return True

    def _fade(self, now: float) -> None:
        passed = now - self._at
        if passed >= 1.0:
            faded = 0.5 ** (passed / self.HALF_LIFE_S)
            self._asked *= faded
            self._gone *= faded
            self._at = now
