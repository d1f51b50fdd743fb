"""One counter in the owner's book (core.leases): what is used, what is leased to whom, and who waits."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

from penstock.core.allowance import CounterRule
from penstock.core.limits import SlidingWindow

# What a holder is told where nobody can know when a place becomes free.
GUESS_S = 1.0
Verb = Literal["granted", "denied", "recalled", "known"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One thing to tell a holder. `amount`: granted, or what is spent of a budget; `leased`: what is held."""

    holder: str
    counter: str
    verb: Verb
    amount: int = 0
    leased: int = 0
    wait_s: float = 0.0


@dataclass(slots=True)
class Lease:
    """One holder's part of one counter.

    `held`: granted and neither used nor given back. `told`: all that it said it used, since it began.
    `recalled`: it gives back what it does not need until its next grant; `asked`: it has not answered yet.
    `fresh`: it has not said yet what it holds.
    """

    held: int = 0
    told: int = 0
    recalled: bool = False
    asked: bool = False
    fresh: bool = True


@dataclass(frozen=True, slots=True)
class Want:
    """Who waits for how much."""

    holder: str
    least: int
    most: int


class Shared:
    """One counter. `spent` is what was used of a budget, by holders that are gone as well."""

    __slots__ = ("id", "interest", "leases", "rule", "said", "spent", "touched", "wants", "window")

    def __init__(self, counter: str, rule: CounterRule) -> None:
        self.id = counter
        self.rule = rule
        self.window = SlidingWindow(rule.limit, rule.window_s) if rule.kind == "rate" else None
        self.spent = 0
        self.leases: dict[str, Lease] = {}
        self.wants: deque[Want] = deque()
        # Denied wants of a rate, by holder, and until when they stand.
        self.interest: dict[str, tuple[Want, float]] = {}
        self.touched = 0.0
        self.said: tuple[int, int] = (0, 0)

    def apply(self, rule: CounterRule) -> None:
        """Take another limit."""
        self.rule = rule
        if self.window is not None:
            self.window.limit = rule.limit

    def used(self, now: float) -> int:
        """What counts as used just now."""
        if self.window is None:
            return self.spent
        self.window.pass_to(now)
        return self.window.used

    def leased(self) -> int:
        """The sum of all leases."""
        return sum(lease.held for lease in self.leases.values() if lease.held > 0)

    def room(self, now: float) -> int:
        """What can be granted; below zero after a limit was lowered."""
        return self.rule.limit - self.used(now) - self.leased()

    def wait_s(self, amount: int, now: float) -> float:
        """Seconds after which `amount` of a rate may fit, if what is leased stays out."""
        if self.window is None:
            return GUESS_S
        return self.window.wait_s(min(self.rule.limit, amount + self.leased()), now)

    def use(self, lease: Lease, amount: int, at: float) -> None:
        """Something was used (or, below zero, turned out not to have been)."""
        lease.told += amount
        if self.window is None:
            self.spent += amount
            if amount > 0:
                lease.held -= amount
        elif amount > 0:
            self.window.count(amount, at)
            lease.held -= amount
        else:
            self.window.correct(amount, at)
