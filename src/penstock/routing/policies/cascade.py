"""A cascade: a cheap target's answer is held back and looked at; where it does not pass, a dearer one is asked.

Samples of one step are asked for one after the other, and no more of them than can still change the decision.
Whatever fails on the way up, the best answer at hand is better than none: it is accepted then.
"""

from __future__ import annotations

from collections.abc import Callable

from penstock.core.cascade import Acceptance, CascadeNode, CascadeStep
from penstock.core.itinerary import Accept, AttemptOutcome, Cursor, GiveUp, Start, Step, Wait
from penstock.core.policy import PolicyNode
from penstock.core.verdict import Answer, agreement, fault
from penstock.ports.oracle import Kind, Question, Ticket
from penstock.routing.answers import answer_of
from penstock.routing.walk import Walk

# A check may take so much of the time that is left.
_CHECKING = 0.8


class _Sample:
    """One answer of the present step: the attempt's number, and what it says."""

    __slots__ = ("answer", "attempt")

    def __init__(self, attempt: int, answer: Answer) -> None:
        self.attempt = attempt
        self.answer = answer


class CascadeCursor:
    """Walks the steps from first to last."""

    __slots__ = (
        "_asking",
        "_at",
        "_best",
        "_current",
        "_make",
        "_node",
        "_samples",
        "_ticket",
        "_until",
        "_walk",
    )

    def __init__(self, node: CascadeNode, walk: Walk, make: Callable[[PolicyNode, Walk], Cursor]) -> None:
        self._node = node
        self._walk = walk
        self._make = make
        self._at = 0
        self._samples: list[_Sample] = []
        # The attempt that is accepted where nothing better comes; 0: none.
        self._best = 0
        self._ticket: Ticket | None = None
        self._until = 0.0
        # Which of the outside checks is being asked: 1 scorer, 2 function, 3 judge.
        self._asking = 0
        self._current: Cursor | None = None

    def step(self, outcome: AttemptOutcome | None, now: float, draw: float) -> Step:
        """See core.itinerary."""
        ticket = self._ticket
        if ticket is not None:
            if not ticket.done and now < self._until:
                return Wait(self._until - now)  # somebody else was told something
            self._ticket = None
            return self._told(ticket, now, draw)
        current = self._current
        if current is None:
            self._walk.escalations(self._node.id).asked(now)
            return self._begin(now, draw)
        return self._follow(current.step(outcome, now, draw), outcome, now, draw)

    def _begin(self, now: float, draw: float) -> Step:
        """Ask for (another) answer of the present step, or of the first one after it that has not given up."""
        while self._walk.has_given_up(self._present().node):
            if self._at + 1 >= len(self._node.steps):
                return Accept(self._best) if self._best else GiveUp(self._walk.cause)
            self._at += 1
        current = self._make(self._node.steps[self._at].node, self._walk)
        self._current = current
        return self._follow(current.step(None, now, draw), None, now, draw)

    def _follow(self, step: Step, outcome: AttemptOutcome | None, now: float, draw: float) -> Step:
        if isinstance(step, Start):
            held_back = self._present().acceptance is not None
            held_back = held_back or step.whole
            return Start(step.target, step.retry_of, step.wake_s, held_back, step.patient, step.stage)
        if isinstance(step, GiveUp):
            if outcome is not None and outcome.verdict == "final":
                return step
            self._walk.give_up(self._present().node, step.cause)
            return self._further(now, draw, step)
        if not isinstance(step, Accept):
            return step
        number = step.attempt or (outcome.attempt if outcome is not None else 0)
        acceptance = self._present().acceptance
        if acceptance is None:
            return Accept(number)
        whole = outcome.answer if outcome is not None else None
        said = Answer("") if whole is None else answer_of(self._walk.request.request.endpoint, whole)
        self._samples.append(_Sample(number, said))
        return self._look(acceptance, now, draw)

    def _look(self, acceptance: Acceptance, now: float, draw: float) -> Step:
        """There is one more answer: enough to decide?"""
        share, first = agreement([sample.answer.text for sample in self._samples])
        have, wanted = len(self._samples), acceptance.samples
        agreeing = round(share * have)
        chosen = self._samples[first] if agreeing else self._samples[0]
        self._best = chosen.attempt
        needed = needed_of(acceptance)
        if wanted > 1:
            if agreeing + (wanted - have) < needed:
                return self._further(now, draw, GiveUp("disagreement"))
            if agreeing < needed:
                return self._begin(now, draw)
        if fault(acceptance.bounds, chosen.answer):
            return self._further(now, draw, GiveUp("not_accepted"))
        return self._ask(acceptance, chosen, 1, now, draw)

    def _ask(self, acceptance: Acceptance, sample: _Sample, first: int, now: float, draw: float) -> Step:
        """The checks that are made elsewhere, from number `first` on."""
        # An answer that is at hand is never lost to a check of it: what is left of the time bounds the check.
        within_s = min(acceptance.deadline_s, max(0.0, self._walk.deadline - now) * _CHECKING)
        for number in range(first, 4):
            ticket = self._asked(acceptance, sample.answer, number, within_s)
            if ticket is None:
                continue
            self._asking = number
            if not ticket.done:
                self._ticket = ticket
                self._until = now + within_s
                return Wait(within_s)
            if not self._passes(acceptance, ticket):
                return self._further(now, draw, GiveUp("not_accepted"))
        return Accept(sample.attempt)

    def _asked(self, acceptance: Acceptance, said: Answer, number: int, within_s: float) -> Ticket | None:
        """Ask for check `number`, where it is one of this step's."""
        walk, judge = self._walk, acceptance.judge
        if number == 3:
            return walk.grade(judge, said, within_s) if judge is not None else None
        kind: Kind = "scorer" if number == 1 else "function"
        about = acceptance.scorer if number == 1 else acceptance.function
        if not about:
            return None
        question = Question(kind, about, walk.request.prompt, said.text, said.logprobs or ())
        return walk.ask(question, within_s)

    def _told(self, ticket: Ticket, now: float, draw: float) -> Step:
        """The question was answered, or its time is over."""
        acceptance = self._present().acceptance
        if acceptance is None or not self._passes(acceptance, ticket):
            return self._further(now, draw, GiveUp("not_accepted"))
        sample = [each for each in self._samples if each.attempt == self._best][0]  # noqa: RUF015 - compiled as it stands
        return self._ask(acceptance, sample, self._asking + 1, now, draw)

    def _passes(self, acceptance: Acceptance, ticket: Ticket) -> bool:
        """Late or empty: as the step says."""
        told = ticket.told[0] if ticket.done and ticket.told else None
        judge = acceptance.judge
        if self._asking == 3 and judge is not None:
            self._walk.note("judge", f"{told:.2f}" if told is not None else "none")
        if told is None:
            return acceptance.error_passes
        if self._asking == 3:
            return judge is not None and told >= judge.least
        return told >= (acceptance.least_score if self._asking == 1 else 0.5)

    def _further(self, now: float, draw: float, why: GiveUp) -> Step:
        """The next step, where there is one and the share of escalations allows it; else the best at hand."""
        node = self._node
        if self._at + 1 >= len(node.steps):
            return Accept(self._best) if self._best else why
        # Without any answer going on is a fallback, and none that a share of escalations should hold up.
        if self._best and not self._walk.escalations(node.id).allow(now, node.most_escalations):
            return Accept(self._best)
        self._at += 1
        self._samples = []
        return self._begin(now, draw)

    def _present(self) -> CascadeStep:
        return self._node.steps[self._at]


def needed_of(acceptance: Acceptance) -> int:
    """How many of the samples must agree."""
    wanted = acceptance.share * acceptance.samples
    return min(acceptance.samples, max(1, int(wanted) + (wanted > int(wanted) + 1e-9)))
