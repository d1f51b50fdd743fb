"""Who waits for a counter, in which order, and how they are woken.

Nobody holds anything while waiting, so that waiting cannot lock up: who is woken tries to take everything anew.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

OK = 0
WAIT = 1
NO = 2
MAX_WAITING = 10_000


class Waiter:
    """Something that goes on when a counter has room. Subclasses implement `again`."""

    __slots__ = ("place",)

    def __init__(self) -> None:
        self.place: Waitlist | None = None

    def again(self) -> bool:
        """Try once more. False: still blocked by the same counter, so the place at the head is kept."""
        raise NotImplementedError

    def leave(self) -> None:
        """Give up waiting; harmless where it does not wait."""
        place, self.place = self.place, None
        if place is not None:
            place.remove(self)


class Waitlist:
    """Waiters of one counter in order of arrival; a fair queue is a Waitlist with another order."""

    __slots__ = ("_waiters", "waking")

    def __init__(self) -> None:
        self._waiters: deque[Waiter] = deque()
        self.waking = False

    def blocks(self) -> bool:
        """Whether a newcomer must queue behind others."""
        return bool(self._waiters) and not self.waking

    def full(self) -> bool:
        """Whether no more may wait."""
        return len(self._waiters) >= MAX_WAITING

    def add(self, waiter: Waiter) -> None:
        """Let it wait at the end, unless it waits here already."""
        if waiter.place is self:
            return
        waiter.leave()
        waiter.place = self
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
