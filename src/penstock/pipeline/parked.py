"""An exchange that waits for room in a counter, before one of its attempts; bounded in time."""

from __future__ import annotations

from typing import Protocol

from penstock.admission.counters import Counter
from penstock.admission.waiting import Waiter
from penstock.core.plan import Target
from penstock.ports.clock import Clock, Timer

# What a request waits at most for others to settle, or for another process to answer.
PATIENCE_S = 30.0


class Retry(Protocol):
    """What tries an attempt once more."""

    def __call__(self, *, last: bool) -> None:
        """`last`: without waiting any further."""
        ...


class Parked(Waiter):
    """Waits with one attempt. `retry` tries once more; with `last=True` because patience has run out."""

    __slots__ = ("_retry", "_timer", "retry_of", "target")

    def __init__(
        self,
        clock: Clock,
        deadline: float,
        target: Target,
        retry_of: str,
        retry: Retry,
    ) -> None:
        super().__init__()
        self.target = target
        self.retry_of = retry_of
        self._retry = retry
        patience_s = min(PATIENCE_S, max(0.0, deadline - clock.monotonic()))
        self._timer: Timer | None = clock.call_later(patience_s, self._on_time)

    def at(self, counter: Counter) -> None:
        """Wait there, keeping one's place where one waits there already."""
        counter.waitlist.add(self)

    def again(self) -> bool:
        """See Waiter."""
        place = self.place
        self._retry(last=False)
        return self.place is not place

    def _on_time(self) -> None:
        self._timer = None
        self.leave()
        self._retry(last=True)

    def end(self) -> None:
        """Wait no longer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.leave()
