"""What a policy says next, and what it is told of the attempt before.

A policy node's cursor is a state machine: `step(outcome, now, draw)` takes the outcome of the attempt that it
started last (None at first and after a wait) and says what to do. Cursors nest because these steps compose.
"""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from penstock.core.plan import Target

Verdict = Literal["ok", "retry", "fallback", "final", "stale"]


class AttemptOutcome(msgspec.Struct, frozen=True, gc=False):
    """How an attempt ended, as far as a policy must know.

    `retry`: the same target may do better. `fallback`: only another can. `final`: the request itself is at
    fault, no target would do better. `stale`: an idle connection had died, nothing reached the upstream.
    """

    verdict: Verdict
    cause: str = ""
    retry_after_s: float | None = None


OK = AttemptOutcome("ok")


class Start(msgspec.Struct, frozen=True, gc=False):
    """Start an attempt at this target."""

    target: Target
    retry_of: str = ""


class Wait(msgspec.Struct, frozen=True, gc=False):
    """Step again, with no outcome, after `delay_s`."""

    delay_s: float


class Accept(msgspec.Struct, frozen=True, gc=False):
    """The last attempt's answer is the answer."""


class Static(msgspec.Struct, frozen=True, gc=False):
    """Answer with this text, marked degraded."""

    text: str


class GiveUp(msgspec.Struct, frozen=True, gc=False):
    """No more to try; `cause` is that of the last attempt."""

    cause: str


Step = Start | Wait | Accept | Static | GiveUp
ACCEPT = Accept()


class Cursor(Protocol):
    """One exchange's walk through one policy node."""

    def step(self, outcome: AttemptOutcome | None, now: float, draw: float) -> Step:
        """What to do next; `now` in monotonic seconds, `draw` uniform in [0, 1)."""
        ...
