"""Counters whose limit several processes share: each takes from its lease, and asks the owner for more."""

from __future__ import annotations

from collections.abc import Callable

from penstock.admission.accounts import Counters, Earlier
from penstock.admission.counters import FOREVER_S, Counter
from penstock.admission.lease import HeldLease, lease_of
from penstock.admission.tending import Away, LeaseDesk
from penstock.admission.waiting import NO, OK, Wakings
from penstock.core.allowance import BudgetRule, RateRule
from penstock.core.budget import FOREVER_MS, window_bounds
from penstock.ports.accounts import Shares
from penstock.ports.clock import Clock

TALLY = "tally"


def _held(counter: Counter, lease: HeldLease, amount: int, now: float) -> int:
    """Put `amount` of a lease to use; else what to say."""
    if amount > lease.free or counter.waitlist.blocks():
        code = lease.short(amount, now)
        if code != OK:
            return code
    lease.free -= amount
    lease.in_use += amount
    if lease.free < lease.low or not lease.busy:
        lease.taken(amount, now)
    return OK


class LeasedRate(Counter):
    """At most so many of a unit in a sliding window, all processes together."""

    __slots__ = ("_lease",)

    def __init__(
        self, counter_id: str, account: str, wakings: Wakings, rule: RateRule, desk: LeaseDesk
    ) -> None:
        super().__init__(counter_id, account, rule.unit, rule.limit, rule.window_s, wakings)
        self._lease = lease_of(desk, self, counter_id, "rate", rule.window_s)

    def apply(self, limit: int) -> None:
        """Take another limit."""
        if limit != self.limit:
            self.limit = limit
            self._lease.changed()

    def take(self, amount: int, now: float, now_ms: int) -> int:
        """See Counter."""
        lease = self._lease
        if amount > lease.free or self.waitlist.blocks():
            code = lease.short(amount, now)
            if code == NO:
                return self.queued(amount, lease.wait_s(amount, now))
            if code != OK:
                return code
        lease.free -= amount
        lease.use(amount, now)
        if lease.free < lease.low or not lease.busy:
            lease.taken(amount, now)
        return OK

    def settle(self, taken: int, used: int, at: float, at_ms: int) -> None:
        """See Counter."""
        if taken != used:
            self._lease.correct(used - taken, at)

    def unknown(self) -> bool:
        """See Counter."""
        return self._lease.away_at != FOREVER_S

    def wait_s(self, amount: int, now: float, now_ms: int) -> float:
        """See Counter."""
        return self._lease.wait_s(amount, now)

    def left(self, now: float, now_ms: int) -> int:
        """See Counter: the lease, since nobody else's part is known here."""
        return max(0, self._lease.free)

    def used(self, now: float, now_ms: int) -> int:
        """See Counter: all but the lease."""
        return self.limit - max(0, self._lease.free)


class LeasedSlots(Counter):
    """At most so many at a time, all processes together."""

    __slots__ = ("_lease",)

    def __init__(self, counter_id: str, account: str, wakings: Wakings, limit: int, desk: LeaseDesk) -> None:
        super().__init__(counter_id, account, "slots", limit, 0.0, wakings)
        self._lease = lease_of(desk, self, counter_id, "slots")

    def apply(self, limit: int) -> None:
        """Take another limit; who is under way goes on."""
        if limit != self.limit:
            self.limit = limit
            self._lease.changed()

    def take(self, amount: int, now: float, now_ms: int) -> int:
        """See Counter."""
        return _held(self, self._lease, amount, now)

    def settle(self, taken: int, used: int, at: float, at_ms: int) -> None:
        """See Counter."""
        self._lease.spend(taken, 0, at)

    def unknown(self) -> bool:
        """See Counter."""
        return self._lease.away_at != FOREVER_S

    def wait_s(self, amount: int, now: float, now_ms: int) -> float:
        """See Counter: nobody knows when one ends, so a second is a guess."""
        return 1.0

    def left(self, now: float, now_ms: int) -> int:
        """See Counter: the lease, since nobody else's part is known here."""
        return max(0, self._lease.free)

    def used(self, now: float, now_ms: int) -> int:
        """See Counter: those of this process."""
        return self._lease.in_use


class LeasedTally(Counter):
    """So many in all, never given back, all processes together."""

    __slots__ = ("_lease",)

    def __init__(self, counter_id: str, account: str, wakings: Wakings, limit: int, desk: LeaseDesk) -> None:
        super().__init__(counter_id, account, TALLY, limit, 0.0, wakings)
        self._lease = lease_of(desk, self, counter_id, "budget", 0.0, FOREVER_MS)

    def apply(self, limit: int) -> None:
        """Take another limit."""
        if limit != self.limit:
            self.limit = limit
            self._lease.changed()

    def take(self, amount: int, now: float, now_ms: int) -> int:
        """See Counter."""
        code = _held(self, self._lease, amount, now)
        if code == OK:
            self._lease.spend(amount, amount, now)
        return code

    def settle(self, taken: int, used: int, at: float, at_ms: int) -> None:
        """See Counter."""
        if used != taken:
            self._lease.spend(0, used - taken, at)

    def unknown(self) -> bool:
        """See Counter."""
        return self._lease.away_at != FOREVER_S

    def wait_s(self, amount: int, now: float, now_ms: int) -> float:
        """See Counter."""
        return FOREVER_S

    def left(self, now: float, now_ms: int) -> int:
        """See Counter."""
        return left_of(self._lease, self.limit)

    def used(self, now: float, now_ms: int) -> int:
        """See Counter."""
        return self._lease.spent


class LeasedBudget(Counter):
    """Nano-dollars in a calendar window, all processes together; each window is a counter of its own.

    A soft one refuses nothing, so it needs no lease: what is spent is told, and comes back as everybody's sum.
    """

    __slots__ = ("_before", "_desk", "_lease", "_rule", "_start_ms")

    def __init__(
        self,
        counter_id: str,
        account: str,
        wakings: Wakings,
        rule: BudgetRule,
        desk: LeaseDesk,
        bounds: tuple[int, int],
        spent: int,
    ) -> None:
        super().__init__(counter_id, account, "budget", rule.limit_nanousd, 0.0, wakings)
        self.hard = rule.hard
        self._desk = desk
        self._rule = rule
        self._before: list[tuple[int, HeldLease]] = []
        self._start_ms, end_ms = bounds
        self._lease = self._leased(end_ms, spent)

    def _leased(self, end_ms: int, spent: int) -> HeldLease:
        lease = lease_of(self._desk, self, f"{self.id}|{self._start_ms}", "budget", 0.0, end_ms)
        if not lease.total:
            lease.total = lease.spent = spent
        lease.open()
        return lease

    def apply(self, rule: BudgetRule) -> None:
        """Take another limit over the same window; what is spent and held stays."""
        self._rule = rule
        if rule.limit_nanousd != self.limit:
            self.limit = rule.limit_nanousd
            self._lease.changed()

    def roll(self, now_ms: int) -> None:
        """Enter the window of `now_ms`. What is under way is settled in the window in which it began."""
        lease = self._lease
        if now_ms < lease.ends_ms:
            return
        if lease.in_use:
            self._before.append((self._start_ms, lease))
        else:
            lease.close()
        self._start_ms, end_ms = window_bounds(self._rule.window, now_ms, self._rule.timezone)
        self._lease = self._leased(end_ms, 0)
        self.freed()

    def take(self, amount: int, now: float, now_ms: int) -> int:
        """See Counter."""
        lease = self._lease
        if now_ms >= lease.ends_ms:
            self.roll(now_ms)
            lease = self._lease
        if not self.hard:
            lease.free -= amount
            lease.in_use += amount
            return OK
        return _held(self, lease, amount, now)

    def settle(self, taken: int, used: int, at: float, at_ms: int) -> None:
        """See Counter."""
        if at_ms >= self._start_ms:
            self._lease.spend(taken, used, at)
            return
        for index, (start_ms, lease) in enumerate(self._before):
            if start_ms <= at_ms < lease.ends_ms:
                lease.spend(taken, used, at)
                if not lease.in_use:
                    lease.close()
                    del self._before[index]
                return

    def unknown(self) -> bool:
        """See Counter."""
        return self._lease.away_at != FOREVER_S

    def wait_s(self, amount: int, now: float, now_ms: int) -> float:
        """See Counter."""
        if amount > self.limit:
            return FOREVER_S
        return max(0.0, (self._lease.ends_ms - now_ms) / 1000)

    def left(self, now: float, now_ms: int) -> int:
        """See Counter."""
        self.roll(now_ms)
        return left_of(self._lease, self.limit)

    def used(self, now: float, now_ms: int) -> int:
        """See Counter: spent by all, and held by this process."""
        self.roll(now_ms)
        return self._lease.spent + self._lease.in_use


def left_of(lease: HeldLease, limit: int) -> int:
    """What is neither spent nor held by anybody, or free in this lease."""
    out = max(lease.leased, lease.free + lease.in_use)
    return max(0, limit - lease.spent - out + max(0, lease.free))


class LeasedCounters(Counters):
    """Makes counters that this process has only a part of."""

    def __init__(self, wakings: Wakings, desk: LeaseDesk) -> None:
        super().__init__(wakings)
        self._desk = desk

    def rate(self, counter_id: str, account: str, rule: RateRule, before: Counter | None) -> Counter:
        """See Counters."""
        if isinstance(before, LeasedRate):
            before.apply(rule.limit)
            return before
        return LeasedRate(counter_id, account, self._wakings, rule, self._desk)

    def slots(self, counter_id: str, account: str, limit: int, before: Counter | None) -> Counter:
        """See Counters."""
        if isinstance(before, LeasedSlots):
            before.apply(limit)
            return before
        return LeasedSlots(counter_id, account, self._wakings, limit, self._desk)

    def budget(
        self,
        counter_id: str,
        account: str,
        rule: BudgetRule,
        before: Counter | None,
        earlier: Earlier | None,
        now_ms: int,
    ) -> Counter:
        """See Counters. `earlier` is what this process spent; what others did the owner knows."""
        if isinstance(before, LeasedBudget):
            before.apply(rule)
            return before
        start_ms, end_ms = window_bounds(rule.window, now_ms, rule.timezone)
        spent = earlier.spent(account, start_ms, end_ms) if earlier is not None else 0
        return LeasedBudget(counter_id, account, self._wakings, rule, self._desk, (start_ms, end_ms), spent)

    def tally(self, counter_id: str, account: str, limit: int, before: Counter | None) -> Counter:
        """See Counters."""
        if isinstance(before, LeasedTally):
            before.apply(limit)
            return before
        return LeasedTally(counter_id, account, self._wakings, limit, self._desk)


def leased_counters(shares: Shares, clock: Clock, away: Away) -> Callable[[Wakings], Counters]:
    """What Accounts makes its counters with, in one of several processes."""
    desk = LeaseDesk(shares, clock, away)

    def make(wakings: Wakings) -> Counters:
        return LeasedCounters(wakings, desk)

    return make
