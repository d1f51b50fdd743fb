"""Limits, budgets and session ceilings: how much somebody may use."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from penstock.config.document.fields import Count, CountOrNone, Name, Seconds, Share, Text, Usd, nanousd

Window = Literal["hour", "day", "week", "month", "total"]
Unit = Literal["requests", "input_tokens", "output_tokens", "tokens"]
Span = Literal["second", "minute", "hour", "day"]
Priority = Literal["high", "normal", "low"]
Away = Literal["fail_open", "fail_closed"]


class Rate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At most so many of something in any span of time.

    Attributes:
        unit: `requests`, `input_tokens`, `output_tokens` or `tokens` (input and output together).
        per: The sliding span: `second`, `minute`, `hour` or `day`.
        limit: How many.
        on_accounts_away: What holds for this rate while it is shared and its owner cannot be asked; without it
            as for the other limits.
    """

    unit: Unit = "requests"
    per: Span = "minute"
    limit: Count
    on_accounts_away: Away | None = None


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rates over sliding spans of time, and simultaneous requests; a limit that is not set does not apply.

    Attributes:
        rpm: Requests in any 60 seconds.
        tpm: Tokens in any 60 seconds.
        concurrency: Requests at the same time.
        rates: Other rates.
        on_accounts_away: What holds for these limits while gateways share them and their owner cannot be asked:
            `fail_open` goes on with this gateway's share of each, `fail_closed` refuses what is not leased;
            without it as `defaults.on_accounts_away` says.
    """

    rpm: Count | None = None
    tpm: Count | None = None
    concurrency: Count | None = None
    rates: tuple[Rate, ...] = ()
    on_accounts_away: Away | None = None


class Downgrade(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another route for requests whose budget is nearly spent.

    Attributes:
        to: The route that serves them.
        at: The share of the budget that is spent by then.
    """

    to: Name
    at: Share = 1.0


class Budget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sum of money per window; unless it is soft, what could overspend it is refused before it is sent.

    Attributes:
        usd: Dollars, exact to nine digits after the point.
        window: The time in which at most that sum is spent; `total` never refills.
        timezone: Where hours, days, weeks (from Monday) and months begin: an IANA name.
        soft: Refuse nothing: the sum is there for alerts and for `downgrade`.
        alerts: Shares of the sum at which somebody is told.
        downgrade: Another route for requests once a share is spent.
        on_accounts_away: What holds while gateways share it and its owner cannot be asked: `fail_closed`
            refuses what is not leased, so that it is never overspent; `fail_open` goes on with this gateway's
            share of what was left when the owner was heard of last.
    """

    usd: Usd
    window: Window
    timezone: Text = "UTC"
    soft: bool = False
    alerts: tuple[Share, ...] = ()
    downgrade: Downgrade | None = None
    on_accounts_away: Away = "fail_closed"

    @property
    def nanousd(self) -> int:
        """The sum as an integer of nano-dollars."""
        return nanousd(self.usd)


class SessionCeiling(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much one session (one agent run) may use, so that a loop ends; `{}` is none.

    A session is what requests name by the tag `session`, a task by the tag `task`; both are bounded alike.

    Attributes:
        requests: Requests in one session.
        usd: Dollars in one session.
        depth: Calls within calls, by the chain of `traceparent` headers that passed through here.
        wall_s: Seconds from a session's first request to its last.
    """

    requests: Count | None = None
    usd: Usd | None = None
    depth: Annotated[int, Meta(ge=1, le=1000)] | None = None
    wall_s: Annotated[float, Meta(gt=0, le=30 * 86_400)] | None = None


class Queue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who waits for a deployment whose `concurrency` or rates are used up; those beyond it are refused at once.

    The order is fair: by priority, between organisations by their weight, and in one between its users.

    Attributes:
        size: How many wait at most; 0 refuses instead.
        wait_s: How long, in seconds.
        overflow: Where a policy has another target that is open, that one takes what finds no slot, at once;
            `false` lets it wait here first.
    """

    size: CountOrNone = 1000
    wait_s: Seconds = 30.0
    overflow: bool = True
