"""A gateway's part of the accounts that several gateways of one machine share."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable

from penstock.adapters.accounts.holder import AccountsSocket
from penstock.adapters.files.posix import is_locked
from penstock.admission.accounts import Earlier
from penstock.admission.leased import leased_counters
from penstock.admission.tending import Away
from penstock.bootstrap.state_dir import StateDir
from penstock.config.document import Document
from penstock.core.accounts import SLOT_MS
from penstock.ledger.accounts_replay import Spent, spending_of_boot
from penstock.ports.clock import Clock
from penstock.routing.standings import Standings


class SpentBefore:
    """What journals say was spent, by account. Implements admission.accounts.Earlier."""

    def __init__(self, sums: dict[str, Spent]) -> None:
        self._sums = sums

    def spent(self, account: str, start_ms: int, end_ms: int) -> int:
        """See Earlier."""
        spent = self._sums.get(account)
        if spent is None:
            return 0
        if not start_ms:
            return spent.total
        return sum(n for slot, n in spent.slots.items() if start_ms <= slot * SLOT_MS < end_ms)


def away_of(settings: Document, share: float) -> Away:
    """What holds for limits while nobody can be asked: `share` of each in this process, or nothing."""
    return Away(fail_open=settings.defaults.on_accounts_away == "fail_open", share=share)


class Part:
    """Its leases: what counters are made with, and the way to their owner.

    Limits are divided by `server.workers` while the owner is away.
    """

    def __init__(
        self,
        state: StateDir,
        boot: str,
        clock: Clock,
        settings: Document,
        tags: Callable[[], frozenset[str]],
    ) -> None:
        """`tags`: those whose values have budgets in the Plan that is about to be applied."""
        self._state = state
        self._tags = tags
        self._boot = boot
        # As long as it is locked, the owner waits for us to come back instead of counting us among the dead.
        self._alive = os.open(state.alive(boot), os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._alive, fcntl.LOCK_EX)
        self.socket = AccountsSocket(state.accounts, boot, clock)
        self.counters = leased_counters(self.socket, clock, away_of(settings, 1 / settings.server.workers))
        self._begun = False

    def earlier(self) -> Earlier:
        """What this gateway spent before the Plan in force: it counts against the budgets that are new in it.

        Every budget that it has had from its start on was counted all the time.
        """
        if not self._begun:
            self._begun = True
            return SpentBefore({})
        return SpentBefore(spending_of_boot(self._state.root, self._boot, is_locked, self._tags()))

    def shared_health(self, standings: Standings, me: str) -> None:
        """Gateways of one machine find by themselves what is down."""
        del standings, me

    async def close(self) -> None:
        """Hang up; what is held is free as soon as the owner has read our journal."""
        self.socket.hang_up()
        os.close(self._alive)
