"""An exchange that waits for room in a counter, before one of its attempts; bounded in time."""

from __future__ import annotations

from typing import Protocol

from penstock.admission.waiting import Waiter
from penstock.core.exchange import Subject
from penstock.core.itinerary import Start
from penstock.core.plan import Plan, Route, VirtualKey
from penstock.ports.clock import Clock, Timer


class Retry(Protocol):
    """What tries an attempt once more."""

    def __call__(self, *, last: bool) -> None:
        """`last`: without waiting any further."""
        ...


class Parked(Waiter):
    """Waits with one attempt. `retry` tries once more; with `last=True` because patience has run out."""

    __slots__ = ("_retry", "_timer", "number", "step")

    def __init__(
        self,
        clock: Clock,
        patience_s: float,
        step: Start,
        number: int,
        retry: Retry,
    ) -> None:
        super().__init__()
        self.step = step
        self.number = number
        self._retry = retry
        self._timer: Timer | None = clock.call_later(patience_s, self._on_time)

    def stand(self, plan: Plan, route: Route, key: VirtualKey, subject: Subject) -> None:
        """Whose place in a fair queue this is; keys without a user are users of their own."""
        self.org, self.user = subject.org, subject.user or subject.key
        self.rank = key.rank if route.rank is None else route.rank
        self.org_weight = plan.weights.get(f"org:{subject.org}", 1.0)
        self.user_weight = plan.weights.get(f"user:{subject.org}/{subject.user}", 1.0)

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
