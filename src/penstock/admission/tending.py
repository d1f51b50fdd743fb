"""What all leases of a process share: when they tell, give back and close, and what holds without the owner."""

from __future__ import annotations

from abc import ABC, abstractmethod

from penstock.admission.counters import FOREVER_S
from penstock.ports.accounts import Shares
from penstock.ports.clock import Clock

# Uses of a rate are told so much later at most, and counted as of the last of them; until then they are a part
# of the lease, so no limit depends on it.
TELL_S = 0.002
# What was not touched for so long goes back.
IDLE_S = 0.05
# A rate or slots that nobody touched for so long are closed. A budget is not before its window ends, since only
# its holder knows what it has spent of it; but what one session or task may spend is forgotten after BRIEF_S.
CLOSE_S = 60.0
BRIEF_S = 6 * 3600.0
# How long requests wait for an owner that is away, before the rule's policy holds.
PATIENCE_S = 1.0
# After an ask ahead that brought nothing.
PAUSE_S = 0.01


class Away:
    """What holds when the owner cannot be asked and a lease is used up.

    `fail_open`: rates and slots go on with `share` of each limit in this process; budgets never do.
    """

    __slots__ = ("fail_open", "share")

    def __init__(self, *, fail_open: bool, share: float) -> None:
        self.fail_open = fail_open
        self.share = share


class Tended(ABC):
    """Something that is looked after: a lease. `touched`: when it was used last."""

    __slots__ = ("id", "touched")

    def __init__(self, counter_id: str) -> None:
        self.id = counter_id
        self.touched = 0.0

    @abstractmethod
    def tell(self) -> None:
        """Say what was used."""

    @abstractmethod
    def cool(self, now: float) -> bool:
        """Give back what is idle; False once there is nothing to look after."""

    @abstractmethod
    def idle(self) -> bool:
        """Whether nothing is held, and nobody asks for it."""

    @abstractmethod
    def brief(self) -> bool:
        """Whether it is a budget of something that passes."""

    @abstractmethod
    def lasting(self) -> bool:
        """Whether it has to be kept until its window ends."""

    @abstractmethod
    def freed(self) -> None:
        """Let those who wait try again."""

    @abstractmethod
    def close(self) -> None:
        """Let go of it."""


class LeaseDesk:
    """What all leases of a process share: the way to the owner, the clock, and who is to be looked after."""

    __slots__ = (
        "_brief",
        "_cold",
        "_hot",
        "_left_alone",
        "_queue",
        "_sweeping",
        "_telling",
        "away",
        "away_at",
        "clock",
        "open",
        "shares",
    )

    def __init__(self, shares: Shares, clock: Clock, away: Away) -> None:
        self.shares = shares
        self.clock = clock
        self.away = away
        # All that are open, by counter: whoever needs one that is there gets that one.
        self.open: dict[str, Tended] = {}
        self._hot: dict[str, Tended] = {}
        # In the order in which they were left alone, so that the first is the one to close next.
        self._cold: dict[str, Tended] = {}
        self._brief: dict[str, Tended] = {}
        self._queue: list[Tended] = []
        self._telling = False
        self._sweeping = False
        self._left_alone: dict[str, Tended] = {}
        self.away_at = FOREVER_S

    def heat(self, lease: Tended) -> None:
        """Look after it from now on."""
        self._hot[lease.id] = lease
        self._cold.pop(lease.id, None)
        self._brief.pop(lease.id, None)
        if not self._sweeping:
            self._sweeping = True
            self.clock.call_later(IDLE_S, self._sweep)

    def queue(self, lease: Tended) -> None:
        """It has something to tell, soon."""
        self._queue.append(lease)
        if not self._telling:
            self._telling = True
            self.clock.call_later(TELL_S, self._tell)

    def be_patient(self, lease: Tended) -> float:
        """The owner is away; who waits is to try again once patience is over. Since when it is away."""
        now = self.clock.monotonic()
        if self.away_at == FOREVER_S:
            self.away_at = now
            self.clock.call_later(PATIENCE_S + PAUSE_S, self._lose_patience)
        self._left_alone[lease.id] = lease
        return self.away_at

    def _lose_patience(self) -> None:
        for lease in self._left_alone.values():
            lease.freed()
        if self.clock.monotonic() >= self.away_at + PATIENCE_S:
            self._left_alone.clear()

    def _tell(self) -> None:
        self._telling = False
        queue, self._queue = self._queue, []
        for lease in queue:
            lease.tell()

    def _sweep(self) -> None:
        now = self.clock.monotonic()
        for lease in list(self._hot.values()):
            if not lease.cool(now):
                del self._hot[lease.id]
                if not lease.lasting():
                    (self._brief if lease.brief() else self._cold)[lease.id] = lease
        close_idle(self._cold, now - CLOSE_S)
        close_idle(self._brief, now - BRIEF_S)
        self._sweeping = bool(self._hot)
        if self._sweeping:
            self.clock.call_later(IDLE_S, self._sweep)


def close_idle(leases: dict[str, Tended], since: float) -> None:
    """Close those that nobody has touched since then; those at the front were touched first."""
    idle: list[Tended] = []
    for lease in leases.values():
        if lease.touched > since:
            break
        idle.append(lease)
    for lease in idle:
        del leases[lease.id]
    for lease in idle:
        if lease.idle():
            lease.close()
