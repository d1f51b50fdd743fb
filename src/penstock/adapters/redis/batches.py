"""When something is said of a counter: at the end of this turn, or together with others a little later."""

from __future__ import annotations

from collections.abc import Callable

from penstock.adapters.redis.counter import SharedCounter
from penstock.ports.clock import Clock, Timer

# What nobody waits for is said so often at most; a use ages from its own instant whenever it is said.
LAZY_S = 0.05
# Of a rate, as a share of its window: what has aged is known so late at most.
LAZY_SHARE = 0.01


class Batches:
    """Counters of which something is to be said. `say` is called for each that has nothing under way."""

    def __init__(self, clock: Clock, say: Callable[[SharedCounter], None]) -> None:
        self._clock = clock
        self._say = say
        self._due: set[SharedCounter] = set()
        self._lazy: set[SharedCounter] = set()
        self._flushing = False
        self._timer: Timer | None = None
        self._timer_at = 0.0

    def soon(self, counter: SharedCounter) -> None:
        """At the end of this turn."""
        self._due.add(counter)
        if not self._flushing:
            self._flushing = True
            self._clock.call_soon(self._flush)

    def later(self, counter: SharedCounter) -> None:
        """Before long; at once where somebody waits for it."""
        if counter.recalled or counter.closing:
            self.soon(counter)
            return
        if counter in self._lazy:
            return
        self._lazy.add(counter)
        window_s = counter.rule.window_s
        delay_s = min(LAZY_S, window_s * LAZY_SHARE) if window_s else LAZY_S
        at = self._clock.monotonic() + delay_s
        if self._timer is not None:
            if self._timer_at <= at:
                return
            self._timer.cancel()
        self._timer_at = at
        self._timer = self._clock.call_later(delay_s, self._flush_lazy)

    def halt(self) -> None:
        """Say nothing more."""
        self._due.clear()
        self._lazy.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _flush_lazy(self) -> None:
        self._timer = None
        self._due |= self._lazy
        self._lazy = set()
        self._flush()

    def _flush(self) -> None:
        self._flushing = False
        due, self._due = self._due, set()
        for counter in due:
            if counter.said is None:
                self._say(counter)
