"""What every cursor of one exchange shares: the request, the rules of its route, how targets are doing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final

from penstock.core.cascade import Escalations
from penstock.core.judge import JudgeRule
from penstock.core.policy import PolicyNode, TargetNode
from penstock.core.retry import RetryRule
from penstock.core.retry_share import RetryShare
from penstock.core.verdict import Answer
from penstock.ports.judging import Judges
from penstock.ports.oracle import Oracle, Question, Ticket
from penstock.routing.standings import Standings
from penstock.routing.trees import targets_of
from penstock.routing.view import RequestView

MAX_CASCADES: Final = 65_536


def nobody() -> None:
    """Nobody waits."""


class Alternatives(ABC):
    """A node that goes on to another child when one gives up."""

    __slots__ = ()

    @abstractmethod
    def has_other(self, now: float) -> bool:
        """Whether there is one with a target that is open."""


class Outside:
    """What nodes may ask outside of the gateway, and what cascades have spent of their escalations.

    `oracle` is set by the process; without one every question is answered with nothing.
    """

    __slots__ = ("_escalations", "oracle")

    def __init__(self) -> None:
        self.oracle: Oracle | None = None
        self._escalations: dict[str, Escalations] = {}

    def escalations(self, cascade: str) -> Escalations:
        """A cascade's, by its id; bounded."""
        found = self._escalations.get(cascade)
        if found is None:
            found = Escalations()
            if len(self._escalations) < MAX_CASCADES:
                self._escalations[cascade] = found
        return found


class Walk:
    """One exchange's way through its route's policy.

    `share` keeps the route's retries to their share. `started`: how many attempts the policy has asked for; the
    next one will be number `started` + 1, by which its outcome is told from others'.
    `deadline`: when the client must have been answered, monotonic seconds. `inside`: the nodes in whose hands
    the step is that is being taken, outermost first. `skipped`: targets that were not tried, and why.
    `skips`, `max_slow`: see core.plan.Route. `given_up`: the places of targets that are not tried again in this
    exchange; `cause`: the last one's. `outside`: whom nodes may ask; `woken` steps the policy again once such a
    question is answered. `judges`: who has answers graded.
    """

    __slots__ = (
        "cause", "deadline", "given_up", "inside", "judges", "max_slow", "notes", "outside", "request", "rule",
        "share", "skipped", "skips", "standings", "started", "woken",
    )  # fmt: skip

    def __init__(self, rule: RetryRule, share: RetryShare, request: RequestView, standings: Standings) -> None:
        self.rule = rule
        self.share = share
        self.request = request
        self.standings = standings
        self.started = 0
        self.notes: dict[str, str] = {}
        self.skips = True
        self.max_slow = 0.5
        self.deadline = float("inf")
        self.inside: list[Alternatives] = []
        self.skipped: list[tuple[str, str]] = []
        self.given_up: set[str] = set()
        self.cause = ""
        self.outside: Outside | None = None
        self.judges: Judges | None = None
        self.woken: Callable[[], None] = nobody

    def ask(self, question: Question, within_s: float) -> Ticket:
        """Ask outside; the policy is stepped again once it is answered."""
        oracle = self.outside.oracle if self.outside is not None else None
        if oracle is not None:
            return oracle.ask(question, self.woken, within_s)
        ticket = Ticket()
        ticket.tell((), "nobody can be asked")
        return ticket

    def grade(self, rule: JudgeRule, answer: Answer, within_s: float) -> Ticket:
        """Have another route grade an answer; the policy is stepped again once it has."""
        if self.judges is not None:
            return self.judges.grade(rule, answer, self.woken, within_s)
        ticket = Ticket()
        ticket.tell((), "nobody can be asked")
        return ticket

    def escalations(self, cascade: str) -> Escalations:
        """What a cascade has spent."""
        return self.outside.escalations(cascade) if self.outside is not None else Escalations()

    def give_up(self, node: PolicyNode, cause: str) -> None:
        """A node has given up. Where it is a target, it is not tried again."""
        self.cause = cause or self.cause
        if isinstance(node, TargetNode):
            self.given_up.add(node.target.place)

    def has_given_up(self, node: PolicyNode) -> bool:
        """Whether the node is a target that has given up anywhere in the tree."""
        return isinstance(node, TargetNode) and node.target.place in self.given_up

    def elsewhere(self, now: float) -> bool:
        """Whether another target that is open would take over, if the one in question gave up now."""
        return any(each.has_other(now) for each in self.inside)

    def closed_to(self, node: PolicyNode, now: float) -> str:
        """Why nothing below a node should be tried now; empty where something may, or nothing stands there."""
        if not self.skips:
            return ""
        if isinstance(node, TargetNode):
            return self.standings.of(node.target.id).closed_to(now)
        first = ""
        for target in targets_of(node):
            reason = self.standings.of(target.id).closed_to(now)
            if not reason:
                return ""
            first = first or reason
        return first

    def wait_s(self, node: PolicyNode, now: float) -> float:
        """Seconds until something below a node may be tried."""
        return min([self.standings.of(target.id).wait_s(now) for target in targets_of(node)], default=0.0)

    def note(self, name: str, value: str) -> None:
        """Write down what a node decided; the ledger tells exchanges apart by it (`note.NAME`)."""
        self.notes[name] = value
