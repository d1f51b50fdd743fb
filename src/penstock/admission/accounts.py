"""Counters of each virtual key, by its id: they survive a reload, limits are taken from the current Plan."""

from __future__ import annotations

from collections.abc import Mapping

from penstock.core.budget import HOUR_MS, Budget, window_bounds
from penstock.core.limits import RateWindow, Slots
from penstock.core.plan import Plan, VirtualKey

RPM_WINDOW_S = 60.0


class Account:
    """The live counters of one key."""

    __slots__ = ("budget", "rpm", "slots")

    def __init__(self) -> None:
        self.rpm: RateWindow | None = None
        self.slots = Slots(None)
        self.budget: Budget | None = None


class Spend:
    """What a key had spent before this process started: by hour, and in total (nano-dollars)."""

    __slots__ = ("by_hour", "total")

    def __init__(self, by_hour: Mapping[int, int], total: int) -> None:
        self.by_hour = by_hour
        self.total = total

    def since(self, start_ms: int, end_ms: int) -> int:
        """The spend of all hours that begin within [start, end)."""
        return sum(amount for hour, amount in self.by_hour.items() if start_ms <= hour * HOUR_MS < end_ms)


class Accounts:
    """All keys' counters."""

    def __init__(self, earlier: Mapping[str, Spend] | None = None) -> None:
        self._accounts: dict[str, Account] = {}
        self._earlier = dict(earlier or {})

    def of(self, key: VirtualKey) -> Account:
        """The counters of a key that `apply` has seen."""
        return self._accounts[key.id]

    def apply(self, plan: Plan, now_ms: int) -> None:
        """Take over the limits of a new Plan; what is counted stays counted."""
        for key in plan.keys.values():
            account = self._accounts.setdefault(key.id, Account())
            account.slots.limit = key.concurrency
            if key.rpm is None:
                account.rpm = None
            elif account.rpm is None:
                account.rpm = RateWindow(key.rpm, RPM_WINDOW_S)
            elif account.rpm.limit != key.rpm:
                account.rpm = account.rpm.resized(key.rpm, RPM_WINDOW_S)
            self._apply_budget(key, account, now_ms)

    def _apply_budget(self, key: VirtualKey, account: Account, now_ms: int) -> None:
        wanted, budget = key.budget, account.budget
        if wanted is None:
            # Without a limit nothing is counted; a limit that comes back must still know what was spent.
            if budget is not None:
                budget.limit_nanousd = 1 << 62
            return
        if budget is not None and budget.window == wanted.window:
            budget.limit_nanousd = wanted.limit_nanousd
            return
        fresh = Budget(wanted.limit_nanousd, wanted.window)
        fresh.roll(now_ms)
        earlier = self._earlier.get(key.id)
        if earlier is not None:
            if wanted.window == "total":
                fresh.spent_nanousd = earlier.total
            else:
                fresh.spent_nanousd = earlier.since(*window_bounds(wanted.window, now_ms))
        if budget is not None:
            # Another window over the same account: what this process knows of is not lost.
            fresh.spent_nanousd = max(fresh.spent_nanousd, budget.spent_nanousd)
            fresh.reserved_nanousd = budget.reserved_nanousd
        account.budget = fresh
