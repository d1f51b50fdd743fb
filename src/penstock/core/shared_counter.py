"""One counter in the owner's book (core.leases): what is used, what is leased to whom, and who waits."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

from penstock.core.allowance import CounterRule
from penstock.core.limits import SlidingWindow

# What a holder is told where nobody can know when a place becomes free.
GUESS_S = 1.0
# What leaves the window of a rate within this time, or this share of the window, is granted ahead of it, to be
# used from that instant on: messages take their time, and what nobody can use meanwhile would be lost.
LEAD_S = 0.02
LEAD_SHARE = 0.05
# Of a rate of which more is wanted than there is, all holders together get one part in so many of the limit at
# once, or the least that they need: what lies in a lease is used by nobody else.
PARTS_AT_ONCE = 200
Verb = Literal["granted", "denied", "recalled", "known"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One thing to tell a holder. `amount`: granted, or what is spent of a budget; `leased`: what is held.

    `at`: the instant from which on what is granted may be used; 0 where that is at once.
    """

    holder: str
    counter: str
    verb: Verb
    amount: int = 0
    leased: int = 0
    wait_s: float = 0.0
    at: float = 0.0


@dataclass(slots=True)
class Lease:
    """One holder's part of one counter.

    `held`: granted and neither used nor given back. `told`: all that it said it used, since it began.
    `recalled`: it gives back what it does not need until its next grant; `asked`: it has not answered yet.
    `fresh`: it has not said yet what it holds. `ripens`: when the last that was granted ahead may be used.
    """

    held: int = 0
    told: int = 0
    recalled: bool = False
    asked: bool = False
    fresh: bool = True
    ripens: float = 0.0


@dataclass(frozen=True, slots=True)
class Want:
    """Who waits for how much."""

    holder: str
    least: int
    most: int


class Shared:
    """One counter. `spent` is what was used of a budget, by holders that are gone as well."""

    __slots__ = ("id", "interest", "keen", "leases", "rule", "said", "spent", "touched", "wants", "window")

    def __init__(self, counter: str, rule: CounterRule) -> None:
        self.id = counter
        self.rule = rule
        self.window = SlidingWindow(rule.limit, rule.window_s) if rule.kind == "rate" else None
        self.spent = 0
        self.leases: dict[str, Lease] = {}
        self.wants: deque[Want] = deque()
        # Denied wants of a rate, by holder, and until when they stand.
        self.interest: dict[str, tuple[Want, float]] = {}
        # Who wanted more of a rate than there was, and until when it counts as wanting it.
        self.keen: dict[str, float] = {}
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

    @property
    def lead_s(self) -> float:
        """How long before it leaves the window something is granted."""
        return min(LEAD_S, self.rule.window_s * LEAD_SHARE)

    def pressed(self, now: float) -> int:
        """How many want more of it than there is, as far as is known."""
        for holder, until in list(self.keen.items()):
            if until < now:
                del self.keen[holder]
        return len(self.keen)

    def at_once(self, amount: int, least: int, now: float) -> int:
        """How much of that a holder gets at once."""
        wanting = self.pressed(now)
        return min(amount, max(least, self.rule.limit // (PARTS_AT_ONCE * wanting))) if wanting else amount

    def ripening(self, now: float) -> int:
        """What leaves the window soon, and can be granted ahead."""
        if self.window is None or self.room(now) < 0:
            return 0
        return self.window.ripening(now + self.lead_s)

    def grant(self, lease: Lease, at_once: int, ahead: int, least: int, now: float) -> list[tuple[float, int]]:
        """Lease so much of the room, and so much of what ripens, in parts of `least` at least.

        What ripens is leased instead of being counted as used, so that the sum of both does not change. Nothing
        may be granted ahead to a holder in debt, whose lease does not count in full.

        Returns (instant, amount): from when on each part may be used.
        """
        taken = [(now, at_once)] if at_once > 0 else []
        if self.window is not None and ahead > 0:
            taken += self.window.take_ripening(ahead, now + self.lead_s)
        parts: list[tuple[float, int]] = []
        for at, amount in taken:
            lease.held += amount
            if parts and parts[-1][1] < least:
                parts[-1] = (at, parts[-1][1] + amount)
            else:
                parts.append((at, amount))
        if len(parts) > 1 and parts[-1][1] < least:
            at, amount = parts.pop()
            parts[-1] = (at, parts[-1][1] + amount)
        if parts:
            lease.ripens = max(lease.ripens, parts[-1][0])
        return parts

    def drop(self, lease: Lease, amount: int, now: float) -> None:
        """A holder has so much less than it was granted. What it might not have used yet counts as used now."""
        if self.window is not None and amount > 0 and now < lease.ripens:
            self.window.count(amount, now)

    def use(self, lease: Lease, amount: int, at: float) -> None:
        """Something was used (or, below zero, turned out not to have been)."""
        if self.window is None:
            lease.told += amount
            self.spent += amount
            if amount > 0:
                lease.held -= amount
        elif amount > 0:
            # Of a rate without what was taken back: a lost use must not hide behind an older one's correction.
            lease.told += amount
            self.window.count(amount, at)
            lease.held -= amount
        else:
            self.window.correct(amount, at)
