"""What an account may use: the rules of limits, budgets and session ceilings, as the Plan holds them.

An *account* is whoever or whatever a rule is about, by its id: `org:acme`, `team:acme/research`,
`user:acme/jane`, `key:dev`, `route:support`, `deployment:sonnet`, `tag:acme/feature=search`,
`session:acme/s1`, `task:acme/t1` (core.accounts). Each rule of an account becomes one *counter*.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["requests", "input_tokens", "output_tokens", "tokens"]
Window = Literal["hour", "day", "week", "month", "total"]
Kind = Literal["rate", "slots", "budget"]
WINDOW_S: dict[str, float] = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86_400.0}


@dataclass(frozen=True, slots=True)
class RateRule:
    """At most `limit` of `unit` in any span of `window_s` seconds.

    `fail_open`: whether requests go on, on a part of the limit, while its owner cannot be asked; None: as the
    process does by default.
    """

    unit: Unit
    window_s: float
    limit: int
    fail_open: bool | None = None


@dataclass(frozen=True, slots=True)
class BudgetRule:
    """At most `limit_nanousd` in a calendar window of `timezone` (an IANA name).

    A budget that is not `hard` refuses nothing. `downgrade_to` names the route that serves requests once
    `downgrade_at` (a share of the limit) is spent; empty where none does. `fail_open`: whether a part of what
    was left when its owner was heard of last may be spent while it cannot be asked.
    """

    limit_nanousd: int
    window: Window
    timezone: str = "UTC"
    hard: bool = True
    downgrade_to: str = ""
    downgrade_at: float = 1.0
    fail_open: bool = False


@dataclass(frozen=True, slots=True)
class AccountRule:
    """Everything that bounds one account, or each account of a kind (then without an id).

    `concurrency`: exchanges under way; `requests`: exchanges in all. None where unbounded. `queue_size` and
    `queue_wait_s`: how many, and how long, wait for the slots of a deployment. `fail_open`: see RateRule, of
    the concurrency; `requests` never do.
    """

    id: str
    rates: tuple[RateRule, ...] = ()
    concurrency: int | None = None
    budgets: tuple[BudgetRule, ...] = ()
    requests: int | None = None
    queue_size: int = 0
    queue_wait_s: float = 0.0
    fail_open: bool | None = None


@dataclass(frozen=True, slots=True)
class SessionRule:
    """Ceilings of one session, or of one task.

    `account` bounds requests and money, None where neither is bounded. `depth` is the length of the chain of
    calls within calls as this gateway saw it; `wall_s` counts from the first request. None: unbounded.
    """

    account: AccountRule | None = None
    depth: int | None = None
    wall_s: float | None = None


@dataclass(frozen=True, slots=True)
class CounterRule:
    """One counter as whoever owns it must know it.

    rate    at most `limit` in any span of `window_s` seconds; `ends_ms` is 0
    slots   at most `limit` at a time; `window_s` and `ends_ms` are 0
    budget  at most `limit` nano-dollars; the calendar window is a part of the counter's id, and ends at
            `ends_ms` (Unix epoch; 2**62 for one without end), after which the counter is of no use

    `patient`: of slots, a want that does not fit waits until it does instead of being denied; of budgets it
    always does, as long as what is spent leaves room for it.
    """

    kind: Kind
    limit: int
    window_s: float = 0.0
    ends_ms: int = 0
    patient: bool = False
