"""Counters of this process: rates, slots, budgets and tallies, by the ids under which processes share them.

`take` answers OK (counted), WAIT (it may fit soon: wait in `waitlist`) or NO (`wait_s` says for how long).
A counter in the process's own memory is a `…Counter`; one that is leased from an owner is in `leased`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

from penstock.admission.waiting import NO, OK, WAIT, Waitlist, Wakings
from penstock.core.allowance import BudgetRule, RateRule
from penstock.core.budget import Budget
from penstock.core.limits import SlidingWindow

FOREVER_S: Final = float("inf")
# What a request waits at most for others to settle, or for another process to answer.
PATIENCE_S: Final = 30.0


class Counter(ABC):
    """What one account may use of one thing. `now` is monotonic seconds, `now_ms` milliseconds of the epoch."""

    __slots__ = (
        "_wakings",
        "account",
        "fail_open",
        "hard",
        "id",
        "limit",
        "patience_s",
        "queues",
        "unit",
        "waitlist",
        "window_s",
    )

    def __init__(
        self, counter_id: str, account: str, unit: str, limit: int, window_s: float, wakings: Wakings
    ) -> None:
        self.id = counter_id
        self.account = account
        self.unit = unit
        self.limit = limit
        self.window_s = window_s
        self.hard = True
        # What holds while its owner is away: True or False, None for what the process does by default.
        self.fail_open: bool | None = None
        self.queues = False
        self.patience_s = PATIENCE_S
        self._wakings = wakings
        self.waitlist = Waitlist(wakings)

    @abstractmethod
    def take(self, amount: int, now: float, now_ms: int) -> int:
        """Count or hold `amount`: OK, WAIT or NO."""

    @abstractmethod
    def settle(self, taken: int, used: int, at: float, at_ms: int) -> None:
        """Of `taken` at the instant `at`, `used` was used in the end; for slots: they are free again."""

    @abstractmethod
    def wait_s(self, amount: int, now: float, now_ms: int) -> float:
        """Seconds after which `amount` may fit; infinite where it never will."""

    @abstractmethod
    def left(self, now: float, now_ms: int) -> int:
        """What can be taken just now, as far as this process knows."""

    @abstractmethod
    def used(self, now: float, now_ms: int) -> int:
        """What counts against the limit just now, as far as this process knows."""

    def unknown(self) -> bool:
        """Whether what is left cannot be known just now: it is shared, and its owner cannot be asked."""
        return False

    def freed(self) -> None:
        """There may be room again; while those who wait are being woken, they find it themselves.

        Who is woken and does not get everything gives back what he took: that is no news to anybody.
        """
        if len(self.waitlist) and not self.waitlist.waking:
            self._wakings.ready(self.waitlist)

    def queued(self, amount: int, wait_s: float) -> int:
        """What to say where `amount` may fit after a time: WAIT, where it may queue until then."""
        waitlist = self.waitlist
        if not self.queues or wait_s > self.patience_s or amount > self.limit or waitlist.full():
            return NO  # nobody is made to wait for what cannot come in time
        if not waitlist.blocks():  # it is, or will be, the first
            self._wakings.later(waitlist, wait_s)
        return WAIT


class RateCounter(Counter):
    """At most so many of a unit in a sliding window, counted here. Where it `queues`, what is beyond waits."""

    __slots__ = ("_typical", "window")

    def __init__(self, counter_id: str, account: str, wakings: Wakings, rule: RateRule) -> None:
        super().__init__(counter_id, account, rule.unit, rule.limit, rule.window_s, wakings)
        self.window = SlidingWindow(rule.limit, rule.window_s)
        self._typical = 0.0

    def apply(self, rule: RateRule) -> None:
        """Take another limit over the same window; what is counted stays counted."""
        self.limit = rule.limit
        self.window.limit = rule.limit
        self.freed()

    def take(self, amount: int, now: float, now_ms: int) -> int:
        """See Counter."""
        if not self.queues:
            return OK if self.window.take(amount, now) else NO
        if not self.waitlist.blocks() and self.window.take(amount, now):
            self._typical += 0.1 * (amount - self._typical)
            return OK
        return self.queued(amount, self.window.wait_s(amount, now))

    def settle(self, taken: int, used: int, at: float, at_ms: int) -> None:
        """See Counter."""
        if taken != used:
            self.window.correct(used - taken, at)
            if used < taken:
                self.freed()

    def wait_s(self, amount: int, now: float, now_ms: int) -> float:
        """See Counter: where there is a queue, as long as it is likely to last."""
        wait_s = self.window.wait_s(amount, now)
        if self.queues and wait_s < FOREVER_S:
            wait_s += len(self.waitlist) * max(1.0, self._typical) * self.window_s / self.limit
        return wait_s

    def left(self, now: float, now_ms: int) -> int:
        """See Counter."""
        self.window.pass_to(now)
        return max(0, self.window.limit - self.window.used)

    def used(self, now: float, now_ms: int) -> int:
        """See Counter."""
        self.window.pass_to(now)
        return self.window.used


class SlotCounter(Counter):
    """At most so many at a time, counted here. Where it `queues`, what does not fit waits."""

    __slots__ = ("_interval_s", "_taken_at", "taken")

    def __init__(self, counter_id: str, account: str, wakings: Wakings, limit: int) -> None:
        super().__init__(counter_id, account, "slots", limit, 0.0, wakings)
        self.taken = 0
        self._interval_s = 1.0
        self._taken_at = 0.0

    def apply(self, limit: int) -> None:
        """Take another limit; who is under way goes on."""
        self.limit = limit
        self.freed()

    def take(self, amount: int, now: float, now_ms: int) -> int:
        """See Counter."""
        if self.taken + amount > self.limit or self.waitlist.blocks():
            return WAIT if self.queues and not self.waitlist.full() else NO
        self.taken += amount
        if self.queues:
            # How often one comes free while all are taken: what those who are turned away are told.
            if len(self.waitlist):
                self._interval_s += 0.1 * (now - self._taken_at - self._interval_s)
            self._taken_at = now
        return OK

    def settle(self, taken: int, used: int, at: float, at_ms: int) -> None:
        """See Counter."""
        self.taken -= taken
        self.freed()

    def wait_s(self, amount: int, now: float, now_ms: int) -> float:
        """See Counter: as long as the queue is likely to last."""
        return max(1.0, self._interval_s * len(self.waitlist))

    def left(self, now: float, now_ms: int) -> int:
        """See Counter."""
        return max(0, self.limit - self.taken)

    def used(self, now: float, now_ms: int) -> int:
        """See Counter."""
        return self.taken


class BudgetCounter(Counter):
    """Nano-dollars in a calendar window, counted here.

    What would fit if everything under way cost nothing waits for what is under way; a soft one refuses nothing.
    """

    __slots__ = ("budget",)

    def __init__(self, counter_id: str, account: str, wakings: Wakings, rule: BudgetRule) -> None:
        super().__init__(counter_id, account, "budget", rule.limit_nanousd, 0.0, wakings)
        self.hard = rule.hard
        self.budget = Budget(rule.limit_nanousd, rule.window, rule.timezone)

    def apply(self, rule: BudgetRule) -> None:
        """Take another limit over the same window; what is spent and held stays."""
        self.limit = rule.limit_nanousd
        self.hard = rule.hard
        self.budget.limit_nanousd = rule.limit_nanousd
        self.freed()

    def take(self, amount: int, now: float, now_ms: int) -> int:
        """See Counter."""
        budget = self.budget
        if now_ms >= budget.end_ms:
            budget.roll(now_ms)
        if not self.hard:
            budget.reserved_nanousd += amount
            return OK
        if not self.waitlist.blocks() and budget.reserve(amount, now_ms):
            return OK
        return WAIT if budget.may_fit(amount) and not self.waitlist.full() else NO

    def settle(self, taken: int, used: int, at: float, at_ms: int) -> None:
        """See Counter."""
        self.budget.settle(taken, used, at_ms)
        self.freed()

    def wait_s(self, amount: int, now: float, now_ms: int) -> float:
        """See Counter."""
        if amount > self.budget.limit_nanousd:
            return FOREVER_S
        return max(0.0, (self.budget.end_ms - now_ms) / 1000)

    def left(self, now: float, now_ms: int) -> int:
        """See Counter."""
        self.budget.roll(now_ms)
        return self.budget.left_nanousd()

    def used(self, now: float, now_ms: int) -> int:
        """See Counter: spent and held."""
        self.budget.roll(now_ms)
        return self.budget.spent_nanousd + self.budget.reserved_nanousd


class TallyCounter(Counter):
    """So many in all, never given back: the requests of a session."""

    __slots__ = ("taken",)

    def __init__(self, counter_id: str, account: str, wakings: Wakings, limit: int) -> None:
        super().__init__(counter_id, account, "tally", limit, 0.0, wakings)
        self.taken = 0

    def take(self, amount: int, now: float, now_ms: int) -> int:
        """See Counter."""
        if self.taken + amount > self.limit:
            return NO
        self.taken += amount
        return OK

    def settle(self, taken: int, used: int, at: float, at_ms: int) -> None:
        """See Counter."""
        self.taken += used - taken

    def wait_s(self, amount: int, now: float, now_ms: int) -> float:
        """See Counter."""
        return FOREVER_S

    def left(self, now: float, now_ms: int) -> int:
        """See Counter."""
        return max(0, self.limit - self.taken)

    def used(self, now: float, now_ms: int) -> int:
        """See Counter."""
        return self.taken
