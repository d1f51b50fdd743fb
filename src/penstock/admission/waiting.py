"""Who waits for a counter, in which order, and how they are woken.

Nobody holds anything while waiting, so that waiting cannot lock up: who is woken tries to take everything anew.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Final

from penstock.core.fair_queue import FairQueue, Ticket
from penstock.ports.clock import Timer

OK: Final = 0
WAIT: Final = 1
NO: Final = 2
MAX_WAITING: Final = 10_000
SOONEST_S: Final = 0.001
Later = Callable[[float, Callable[[], None]], Timer]


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

    __slots__ = ("_waiters", "_wakings", "size", "waking")

    def __init__(self, wakings: Wakings | None = None) -> None:
        self._waiters: deque[Waiter] = deque()
        self._wakings = wakings
        self.size = MAX_WAITING
        self.waking = False

    def blocks(self) -> bool:
        """Whether a newcomer must queue behind others."""
        return len(self) > 0 and not self.waking

    def full(self) -> bool:
        """Whether no more may wait; who was woken has a place already."""
        return len(self) >= self.size and not self.waking

    def add(self, waiter: Waiter) -> None:
        """Let it wait, unless it waits here already."""
        if waiter.place is self:
            return
        waiter.leave()
        waiter.place = self
        self._append(waiter)
        if len(self) > 1 and self.first() is waiter:
            self._ready()  # it may fit where the one who was first did not

    def _append(self, waiter: Waiter) -> None:
        self._waiters.append(waiter)

    def _ready(self) -> None:
        """Somebody else is first: what did not fit the one before may fit now."""
        if self._wakings is not None and not self.waking:
            self._wakings.ready(self)

    def remove(self, waiter: Waiter) -> None:
        """It waits no longer."""
        was_first = self.first() is waiter
        self._drop(waiter)
        if was_first and len(self):
            self._ready()

    def _drop(self, waiter: Waiter) -> None:
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

    def __init__(self, wakings: Wakings | None = None) -> None:
        super().__init__(wakings)
        self._queue = FairQueue()

    def _append(self, waiter: Waiter) -> None:
        self._queue.add(waiter)

    def _drop(self, waiter: Waiter) -> None:
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
    """Waitlists whose counter has room again: they are served at the end of this turn of the event loop.

    Or at a moment that is known before, where room comes by the passing of time.
    """

    __slots__ = ("_call_later", "_call_soon", "_due", "_timers")

    def __init__(
        self, call_soon: Callable[[Callable[[], None]], None], call_later: Later | None = None
    ) -> None:
        self._call_soon = call_soon
        self._call_later = call_later
        self._due: list[Waitlist] = []
        self._timers: dict[Waitlist, Timer] = {}

    def timed(self) -> bool:
        """Whether there is a clock to wait by."""
        return self._call_later is not None

    def later(self, waitlist: Waitlist, delay_s: float) -> None:
        """Wake it after a time, in place of the time that was said before."""
        if self._call_later is None:
            return
        timer = self._timers.pop(waitlist, None)
        if timer is not None:
            timer.cancel()

        def wake() -> None:
            self._timers.pop(waitlist, None)
            waitlist.wake()

        # Not in this turn again: a window whose oldest use leaves right now has left it in the next one.
        self._timers[waitlist] = self._call_later(max(delay_s, SOONEST_S), wake)

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
