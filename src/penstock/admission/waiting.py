"""Who waits for a counter, in which order, and how they are woken.

Nobody holds anything while waiting, so that waiting cannot lock up: who is woken tries to take everything anew.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable

from penstock.core.fair_queue import FairQueue, Ticket

OK = 0
WAIT = 1
NO = 2
MAX_WAITING = 10_000


class Waiter(Ticket, ABC):
    """Something that goes on when a counter has room. Subclasses implement `again`."""

    __slots__ = ("place",)

    def __init__(self) -> None:
        super().__init__()
        self.place: Waitlist | None = None

    @abstractmethod
    def again(self) -> bool:
        """Try once more. False: still blocked by the same counter, so the place at the head is kept."""

    def leave(self) -> None:
        """Give up waiting; harmless where it does not wait."""
        place, self.place = self.place, None
        if place is not None:
            place.remove(self)


class Waitlist:
    """Waiters of one counter in order of arrival."""

    __slots__ = ("_waiters", "size", "waking")

    def __init__(self) -> None:
        self._waiters: deque[Waiter] = deque()
        self.size = MAX_WAITING
        self.waking = False

    def blocks(self) -> bool:
        """Whether a newcomer must queue behind others."""
        return len(self) > 0 and not self.waking

    def full(self) -> bool:
        """Whether no more may wait."""
        return len(self) >= self.size

    def add(self, waiter: Waiter) -> None:
        """Let it wait, unless it waits here already."""
        if waiter.place is self:
            return
        waiter.leave()
        waiter.place = self
        self._append(waiter)

    def _append(self, waiter: Waiter) -> None:
        self._waiters.append(waiter)

    def remove(self, waiter: Waiter) -> None:
        """It waits no longer."""
        try:
            self._waiters.remove(waiter)
        except ValueError:
            return

    def first(self) -> Waiter | None:
        """Who is next, None where nobody waits."""
        return self._waiters[0] if self._waiters else None

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiters)

    def wake(self) -> None:
        """Let waiters try in order, until one is still blocked here."""
        if self.waking:
            return
        self.waking = True
        try:
            while (head := self.first()) is not None:
                if not head.again() and self.first() is head:
                    return
                if head.place is self:
                    head.leave()
        finally:
            self.waking = False


class FairWaitlist(Waitlist):
    """Waiters of one counter in the order of a fair queue."""

    __slots__ = ("_queue",)

    def __init__(self) -> None:
        super().__init__()
        self._queue = FairQueue()

    def _append(self, waiter: Waiter) -> None:
        self._queue.add(waiter)

    def remove(self, waiter: Waiter) -> None:
        """See Waitlist: who leaves when it was woken has had its turn."""
        if self.waking:
            self._queue.serve(waiter)
        self._queue.leave(waiter)

    def first(self) -> Waiter | None:
        """See Waitlist."""
        head = self._queue.first()
        return head if isinstance(head, Waiter) else None

    def __len__(self) -> int:
        """See Waitlist."""
        return len(self._queue)


class Wakings:
    """Waitlists whose counter has room again: they are served at the end of this turn of the event loop."""

    __slots__ = ("_call_soon", "_due")

    def __init__(self, call_soon: Callable[[Callable[[], None]], None]) -> None:
        self._call_soon = call_soon
        self._due: list[Waitlist] = []

    def ready(self, waitlist: Waitlist) -> None:
        """Wake it soon."""
        if waitlist not in self._due:
            if not self._due:
                self._call_soon(self._run)
            self._due.append(waitlist)

    def _run(self) -> None:
        due, self._due = self._due, []
        for waitlist in due:
            waitlist.wake()
