"""Who has an answer graded by another route."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from penstock.core.judge import JudgeRule
from penstock.core.verdict import Answer
from penstock.ports.oracle import Ticket


class Judges(Protocol):
    """Has answers graded. It never raises and never waits."""

    def grade(self, rule: JudgeRule, answer: Answer, woken: Callable[[], None], within_s: float) -> Ticket:
        """A ticket that will tell one number, 0 to 1; `woken` is called once it is done, and never at once."""
        ...
