"""Around a policy whose answers must obey a schema: each is held back, repaired, or asked for again.

An answer that will not do is a failure of its target: it is asked again as often as the rule allows, with what
is wrong, and then the policy goes on to its next target.
"""

from __future__ import annotations

from msgspec.structs import replace

from penstock.core.chat import ChatReply, ChatRequest
from penstock.core.itinerary import Accept, AttemptOutcome, Cursor, GiveUp, Start, Step
from penstock.core.structured import Again, Rewritten, StructuredRule
from penstock.routing.answers import reply_of
from penstock.routing.structured import Inspection, inspect
from penstock.routing.walk import Walk

CAUSE = "schema"
MISMATCH = "schema_mismatch"
_WHOLE = True
# How many places are told in the ledger.
_MOST_NOTED = 8
NOTE, FAILED = "structured", "failed"


class StructuredCursor:
    """Walks the policy as if there were no schema. What is asked again goes by the first attempt's number."""

    __slots__ = (
        "_chat",
        "_inner",
        "_left",
        "_noted",
        "_rewritten",
        "_rule",
        "_stands",
        "_starts",
        "_unfit",
        "_walk",
    )

    def __init__(self, inner: Cursor, walk: Walk, rule: StructuredRule, chat: ChatRequest) -> None:
        self._inner = inner
        self._walk = walk
        self._rule = rule
        self._chat = chat
        self._left = rule.reasks
        # By the driver's number: how it was started. `_stands`: which attempt stands for the one that the
        # policy knows, and for what the policy knows it.
        self._starts: dict[int, Start] = {}
        self._stands: dict[int, int] = {}
        self._rewritten: dict[int, Rewritten] = {}
        self._unfit = 0
        self._noted: list[str] = []

    def step(self, outcome: AttemptOutcome | None, now: float, draw: float) -> Step:
        """See core.itinerary."""
        if outcome is not None:
            number = outcome.attempt
            known = next((first for first, real in self._stands.items() if real == number), number)
            if outcome.verdict == "ok" and outcome.answer is not None:
                reply = reply_of(self._walk.request.request.endpoint, outcome.answer)
                found = inspect(self._chat, reply, self._rule) if reply is not None else None
                if found is not None and reply is not None and not self._fits(found, reply, number):
                    again = self._again(found, number, known)
                    if again is not None:
                        return again
                    self._unfit = number
                    outcome = AttemptOutcome("fallback", MISMATCH, None, known)
                else:
                    outcome = AttemptOutcome("ok", "", None, known, outcome.answer)
            else:
                outcome = AttemptOutcome(
                    outcome.verdict, outcome.cause, outcome.retry_after_s, known, outcome.answer
                )
        return self._told(self._inner.step(outcome, now, draw), outcome)

    def _told(self, step: Step, outcome: AttemptOutcome | None) -> Step:
        """The policy's step, with whole answers, and the attempt that stands for the one it means."""
        if isinstance(step, Start):
            whole = Start(step.target, step.retry_of, step.wake_s, _WHOLE, step.patient, step.stage)
            self._starts[self._walk.started + 1] = whole
            return whole
        if isinstance(step, Accept):
            known = step.attempt or (outcome.attempt if outcome is not None else 0)
            real = self._stands.get(known, known)
            return Accept(real, self._rewritten.get(real))
        if isinstance(step, GiveUp) and self._unfit:
            self._walk.note(NOTE, FAILED)
            return Accept(self._unfit) if self._rule.passes else GiveUp(MISMATCH)
        return step

    def _fits(self, found: Inspection, reply: ChatReply, number: int) -> bool:
        """Whether the answer will do, as it is or repaired; what happened is written down."""
        self._noted += [f"{change.path}:{change.kind}" for change in found.changes]
        self._noted += [f"{place}:invalid" for place in found.places]
        if self._noted:
            self._walk.note("structured.fields", ",".join(list(dict.fromkeys(self._noted))[:_MOST_NOTED]))
        if found.problems:
            return False
        if found.changed:
            self._rewritten[number] = Rewritten(_with_parts(reply, found))
        how = "asked again" if self._left < self._rule.reasks else "as it came"
        if found.changed and how == "as it came":
            how = "parsed" if found.parsed else "normalised"
        self._walk.note(NOTE, how)
        return True

    def _again(self, found: Inspection, number: int, known: int) -> Start | None:
        before = self._starts.get(number)
        if before is None or self._left <= 0:
            return None
        self._left -= 1
        following = self._walk.started + 1
        self._stands[known] = following
        again = Again(found.parts, tuple(found.problems))
        start = Start(before.target, CAUSE, None, _WHOLE, before.patient, before.stage, again)
        self._starts[following] = start
        return start


def _with_parts(reply: ChatReply, found: Inspection) -> ChatReply:
    first = replace(reply.choices[0], parts=found.parts)
    return replace(reply, choices=(first, *reply.choices[1:]))
