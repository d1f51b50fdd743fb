"""All accounts of a gateway: their counters survive a reload, their limits are taken from the current Plan."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Protocol

from penstock.admission.counters import BudgetCounter, Counter, RateCounter, SlotCounter, TallyCounter
from penstock.admission.waiting import FairWaitlist, Later, Wakings
from penstock.core.allowance import AccountRule, BudgetRule, RateRule
from penstock.core.budget import window_bounds
from penstock.core.plan import Plan

# Accounts that requests name themselves (users, tag values, sessions); the longest unused ones go first.
MAX_NAMED: Final = 65_536
MAX_EVICTED: Final = 262_144


class Earlier(Protocol):
    """What was spent before, by account."""

    def spent(self, account: str, start_ms: int, end_ms: int) -> int:
        """Nano-dollars of attempts opened within [start, end); those under way count at their reservation."""
        ...


ReadEarlier = Callable[[], Earlier]


class Counters:
    """Makes the counters of a process that is the only one: they live in its own memory.

    `before` is what counted under an id until now; it goes on where it can.
    """

    def __init__(self, wakings: Wakings) -> None:
        self._wakings = wakings

    def rate(self, counter_id: str, account: str, rule: RateRule, before: Counter | None) -> Counter:
        """A rate."""
        if isinstance(before, RateCounter):
            before.apply(rule)
            return before
        return RateCounter(counter_id, account, self._wakings, rule)

    def slots(self, counter_id: str, account: str, limit: int, before: Counter | None) -> Counter:
        """A number of slots."""
        if isinstance(before, SlotCounter):
            before.apply(limit)
            return before
        return SlotCounter(counter_id, account, self._wakings, limit)

    def budget(
        self,
        counter_id: str,
        account: str,
        rule: BudgetRule,
        before: Counter | None,
        earlier: Earlier | None,
        now_ms: int,
    ) -> Counter:
        """A budget, which begins with what was spent `earlier` in its window."""
        if isinstance(before, BudgetCounter):
            before.apply(rule)
            return before
        counter = BudgetCounter(counter_id, account, self._wakings, rule)
        counter.budget.roll(now_ms)
        if earlier is not None:
            start_ms, end_ms = window_bounds(rule.window, now_ms, rule.timezone)
            counter.budget.spent_nanousd = earlier.spent(account, start_ms, end_ms)
        return counter

    def tally(self, counter_id: str, account: str, limit: int, before: Counter | None) -> Counter:
        """A number that is never given back."""
        if isinstance(before, TallyCounter):
            before.limit = limit
            return before
        return TallyCounter(counter_id, account, self._wakings, limit)


class Account:
    """The counters of one account: `requests` and `slots` count exchanges, the others attempts.

    Of a deployment, all of them count attempts. `began_ms`: when this process first met it.
    """

    __slots__ = ("began_ms", "budgets", "id", "requests", "rule", "slots", "tokens")

    def __init__(self, account: str, rule: AccountRule, began_ms: int) -> None:
        self.id = account
        self.began_ms = began_ms
        self.rule = rule
        self.requests: list[Counter] = []
        self.slots: list[Counter] = []
        self.tokens: list[Counter] = []
        self.budgets: list[Counter] = []

    def counters(self) -> list[Counter]:
        """All of them."""
        return [*self.requests, *self.slots, *self.tokens, *self.budgets]


def _queue(account: Account, wakings: Wakings) -> None:
    """Let requests queue, fairly, for the slots and the rates of a deployment.

    In one queue: who waited for one of them and lacks another keeps his place.
    """
    rule = account.rule
    counters = [*account.requests, *account.tokens, *account.slots]
    fair = [counter.waitlist for counter in counters if isinstance(counter.waitlist, FairWaitlist)]
    waitlist = fair[0] if fair else FairWaitlist(wakings)
    waitlist.size = rule.queue_size
    for counter in counters:
        counter.queues = rule.queue_size > 0 and (counter.unit == "slots" or wakings.timed())
        counter.patience_s = rule.queue_wait_s
        counter.waitlist = waitlist


class Allowance:
    """The counters of all accounts that bind one exchange. `hard`: one of the budgets can refuse."""

    __slots__ = ("accounts", "budgets", "downgrades", "hard", "requests", "slots", "tokens")

    def __init__(self, accounts: list[Account]) -> None:
        self.accounts = accounts
        self.downgrades: list[tuple[Counter, BudgetRule]] = []
        self.requests: list[Counter] = []
        self.slots: list[Counter] = []
        self.tokens: list[Counter] = []
        self.budgets: list[Counter] = []
        self.hard = False
        for account in accounts:
            self.requests += account.requests
            self.slots += account.slots
            self.tokens += account.tokens
            self.budgets += account.budgets
            self.downgrades += [
                (counter, rule)
                for counter, rule in zip(account.budgets, account.rule.budgets, strict=True)
                if rule.downgrade_to
            ]
        for budget in self.budgets:
            if budget.hard:
                self.hard = True

    def downgraded_to(self, now: float, now_ms: int) -> str:
        """The route that serves instead because enough of a budget is spent; empty where none does."""
        for counter, rule in self.downgrades:
            if counter.used(now, now_ms) >= rule.limit_nanousd * rule.downgrade_at:
                return rule.downgrade_to
        return ""

    def left_nanousd(self, now: float, now_ms: int) -> int | None:
        """What the tightest hard budget has left, None without one."""
        left: int | None = None
        for budget in self.budgets:
            if budget.hard:
                each = budget.left(now, now_ms)
                if left is None or each < left:
                    left = each
        return left


class Accounts:
    """Accounts by id. `earlier` reads what was spent before: at the start, and whenever the Plan changes.

    What is new later was either read then, or nothing had been spent on it. Without `call_later` nobody queues
    for rates.
    """

    def __init__(
        self,
        call_soon: Callable[[Callable[[], None]], None],
        earlier: ReadEarlier | None = None,
        counters: Callable[[Wakings], Counters] = Counters,
        call_later: Later | None = None,
    ) -> None:
        self.wakings = Wakings(call_soon, call_later)
        self.counters = counters(self.wakings)
        self._earlier = earlier
        self._before: Earlier | None = None
        # Ordered, because the first entry of a plain dict is found only past all that were deleted before it.
        self._evicted: OrderedDict[str, None] = OrderedDict()
        self._accounts: dict[str, Account] = {}
        self._named: OrderedDict[str, Account] = OrderedDict()
        self._known: dict[str, Counter] = {}
        self.targets: dict[str, Account] = {}
        # What allowances.py has worked out for a key on a route; void with the next Plan.
        self.combined: dict[tuple[str, str], Allowance] = {}

    def find(self, account: str) -> Account | None:
        """An account of the Plan that has rules."""
        return self._accounts.get(account)

    def all(self) -> list[Account]:
        """Every account that has rules, those named by requests included."""
        return [*self._accounts.values(), *self._named.values()]

    def apply(self, plan: Plan, now_ms: int) -> None:
        """Take over the rules of a new Plan; what is counted stays counted."""
        self._before = self._earlier() if self._earlier is not None else None
        before = self._known
        self._known = {}
        self._accounts = {rule.id: self._made(rule.id, rule, before, now_ms) for rule in plan.accounts.values()}
        # What requests named is made anew, with what was counted, when it is named again.
        for account in self._named.values():
            for counter in account.counters():
                self._known[counter.id] = counter
        # A rate or a slot without its rule may come back. A budget would not have counted what was spent
        # meanwhile: it is read anew.
        for counter_id, counter in before.items():
            if counter.unit != "budget":
                self._known.setdefault(counter_id, counter)
        self.targets = {
            each.id.removeprefix("deployment:"): each
            for each in self._accounts.values()
            if each.id.startswith("deployment:")
        }
        for account in self.targets.values():
            _queue(account, self.wakings)
        self.combined.clear()

    def named(self, account: str, rule: AccountRule, now_ms: int) -> Account:
        """An account that a request names, bound by a rule that holds for all of its kind."""
        found = self._named.pop(account, None)
        if found is None or found.rule is not rule:
            before = found
            found = self._made(account, rule, self._known, now_ms)
            if before is not None:
                found.began_ms = before.began_ms
            if len(self._named) >= MAX_NAMED:
                self._forget(next(iter(self._named)))
        self._named[account] = found  # at the end: the one used last
        return found

    def _forget(self, account: str) -> None:
        for counter in self._named.pop(account).counters():
            # What is spent of a budget is kept longer: somebody may name it again.
            if counter.unit != "budget":
                self._known.pop(counter.id, None)
            else:
                self._evicted[counter.id] = None
        while len(self._evicted) > MAX_EVICTED:
            oldest, _ = self._evicted.popitem(last=False)
            self._known.pop(oldest, None)

    def _made(
        self,
        account_id: str,
        rule: AccountRule,
        before: dict[str, Counter],
        now_ms: int,
    ) -> Account:
        account = Account(account_id, rule, now_ms)
        for rate in rule.rates:
            name = f"{account_id}|{rate.unit}|{rate.window_s:g}"
            counter = self.counters.rate(name, account_id, rate, before.get(name))
            counter.fail_open = rate.fail_open
            (account.requests if rate.unit == "requests" else account.tokens).append(counter)
        if rule.concurrency is not None:
            name = f"{account_id}|slots"
            slots = self.counters.slots(name, account_id, rule.concurrency, before.get(name))
            slots.fail_open = rule.fail_open
            account.slots.append(slots)
        if rule.requests is not None:
            name = f"{account_id}|tally"
            account.requests.append(self.counters.tally(name, account_id, rule.requests, before.get(name)))
        for budget in rule.budgets:
            name = f"{account_id}|usd|{budget.window}|{budget.timezone}|{'hard' if budget.hard else 'soft'}"
            sums = self.counters.budget(name, account_id, budget, before.get(name), self._before, now_ms)
            sums.fail_open = budget.fail_open
            account.budgets.append(sums)
        for counter in account.counters():
            self._known[counter.id] = counter
            self._evicted.pop(counter.id, None)
        return account
