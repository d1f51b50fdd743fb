"""What a policy says next, and what it is told of the attempts before.

A policy node's cursor is a state machine: `step(outcome, now, draw)` takes the outcome of an attempt (None at
first, and when a wait is over) and says what to do. Cursors nest because these steps compose.

The attempts of an exchange are numbered from 1 in the order in which they are asked for. Usually one runs at a
time. Where a node has several under way, each outcome says whose it is; a node that accepts one lets all others
go.
"""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from penstock.core.hook import Hook
from penstock.core.structured import Again, Rewritten
from penstock.core.target import Target
from penstock.core.usage import Usage

Verdict = Literal["ok", "retry", "fallback", "final", "stale", "full"]


class WholeAnswer(msgspec.Struct, frozen=True, gc=False):
    """An answer that was held back, as the client would get it.

    `body`: all of it; with `stream`, the bytes from the first event to the last. Seconds since it was sent.
    """

    body: bytes
    stream: bool
    usage: Usage
    cost_nanousd: int | None
    first_s: float
    total_s: float


class AttemptOutcome(msgspec.Struct, frozen=True, gc=False):
    """How an attempt ended, as far as a policy must know.

    `retry`: the same target may do better. `fallback`: only another can. `final`: the request itself is at
    fault, no target would do better. `stale`: an idle connection had died, nothing reached the upstream.
    `full`: every slot of the target is taken; started again `patient`ly, it waits for one.
    `ok`: the first content of a stream is there, or the whole of another answer; for an attempt that was
    started `whole`, all of it is, and `answer` has it. `attempt` is the attempt's number.
    """

    verdict: Verdict
    cause: str = ""
    retry_after_s: float | None = None
    attempt: int = 0
    answer: WholeAnswer | None = None


class Start(msgspec.Struct, frozen=True, gc=False):
    """Start an attempt at this target.

    With `wake_s`, step again with no outcome where nothing has come of any attempt so long after. `whole`: its
    answer is held back until all of it is there and a node accepts it. `patient`: it queues for a slot of its
    target where none is free, instead of being told `full`. `stage`: where in the policy it stands.
    `again`: the request goes out with an answer that would not do, and what is wrong with it.
    """

    target: Target
    retry_of: str = ""
    wake_s: float | None = None
    whole: bool = False
    patient: bool = False
    stage: str = ""
    again: Again | None = None


class Wait(msgspec.Struct, frozen=True, gc=False):
    """Step again with no outcome after `delay_s`, or with that of an attempt which is still under way."""

    delay_s: float


class Accept(msgspec.Struct, frozen=True, gc=False):
    """This attempt's answer is the answer; 0: that of the attempt whose outcome was told last.

    `rewritten`: the client gets it so, and not as it came; for attempts that were started `whole`.
    """

    attempt: int = 0
    rewritten: Rewritten | None = None


class Cancel(msgspec.Struct, frozen=True, gc=False):
    """Let this attempt go, and step again with no outcome."""

    attempt: int


class Static(msgspec.Struct, frozen=True, gc=False):
    """Answer with this text, marked degraded."""

    text: str


class Ask(msgspec.Struct, frozen=True, gc=False):
    """Ask this service for an answer; where it has none, step again with an outcome that says why."""

    hook: Hook


class Repeat(msgspec.Struct, frozen=True, gc=False):
    """Answer as the same request was answered before, at most so long ago; where nothing is kept, step on."""

    max_age_s: float


class GiveUp(msgspec.Struct, frozen=True, gc=False):
    """No more to try; `cause` is that of the last attempt."""

    cause: str


Step = Start | Wait | Accept | Cancel | Static | Ask | Repeat | GiveUp
ACCEPT = Accept()


class Cursor(Protocol):
    """One exchange's walk through one policy node."""

    def step(self, outcome: AttemptOutcome | None, now: float, draw: float) -> Step:
        """What to do next; `now` in monotonic seconds, `draw` uniform in [0, 1)."""
        ...
