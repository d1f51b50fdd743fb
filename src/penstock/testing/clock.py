"""Virtual time (ports.clock.Clock): nothing happens until a test says so."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable

START_MS = 1_790_000_000_000


class VirtualTimer:
    """A timer of a VirtualClock."""

    def __init__(self, call: Callable[[], None]) -> None:
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        """See ports.clock."""
        self.call = None


class VirtualClock:
    """Time that stands still until `advance`; `run_soon` is one turn of an event loop."""

    def __init__(self) -> None:
        self._now = 1_000.0
        self._soon: deque[Callable[[], None]] = deque()
        self._timers: list[tuple[float, int, VirtualTimer]] = []
        self._count = 0

    def monotonic(self) -> float:
        """Seconds, from 1,000."""
        return self._now

    def now_ms(self) -> int:
        """Milliseconds since the epoch, in step with `monotonic`."""
        return START_MS + int(self._now * 1000)

    def call_later(self, delay_s: float, call: Callable[[], None]) -> VirtualTimer:
        """See ports.clock."""
        timer = VirtualTimer(call)
        self._count += 1
        heapq.heappush(self._timers, (self._now + delay_s, self._count, timer))
        return timer

    def call_soon(self, call: Callable[[], None]) -> None:
        """See ports.clock."""
        self._soon.append(call)

    def run_soon(self) -> None:
        """Run what is due now, and what that makes due, until nothing is."""
        while self._soon:
            self._soon.popleft()()

    def advance(self, seconds: float) -> None:
        """Let time pass, running timers in their order."""
        end = self._now + seconds
        self.run_soon()
        while self._timers and self._timers[0][0] <= end:
            self._now, _, timer = heapq.heappop(self._timers)
            if timer.call is not None:
                timer.call()
            self.run_soon()
        self._now = end

    def leap(self, seconds: float) -> None:
        """Let time pass without running any timer, as when the process was not scheduled."""
        self._now += seconds

    @property
    def pending(self) -> int:
        """Timers that have neither run nor been called off."""
        return sum(1 for _, _, timer in self._timers if timer.call is not None)
