"""Limits, budgets and session ceilings: how much somebody may use."""

from __future__ import annotations

from typing import Literal

import msgspec

from penstock.config.document.fields import Count, Share, Usd, nanousd

Window = Literal["hour", "day", "week", "month", "total"]


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rates over a sliding minute, and simultaneous requests; a limit that is not set does not apply.

    Attributes:
        rpm: Requests in any 60 seconds.
        tpm: Tokens in any 60 seconds.
        concurrency: Requests at the same time.
    """

    rpm: Count | None = None
    tpm: Count | None = None
    concurrency: Count | None = None


class Budget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A hard sum of money per window: what could overspend it is refused before it is sent.

    Attributes:
        usd: Dollars, exact to nine digits after the point.
        window: The time in which at most that sum is spent; `total` never refills.
        alerts: Shares of the sum at which somebody is told.
    """

    usd: Usd
    window: Window
    alerts: tuple[Share, ...] = ()

    @property
    def nanousd(self) -> int:
        """The sum as an integer of nano-dollars."""
        return nanousd(self.usd)


class SessionCeiling(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much one session (one agent run) may use, so that a loop ends.

    Attributes:
        requests: Requests in one session.
        usd: Dollars in one session.
    """

    requests: Count | None = None
    usd: Usd | None = None
