"""Rates of which more is wanted than there is: what is granted ahead of its time, and asking for the rest.

Redis has no timers, and a question takes a while. So it leases what leaves the window within the next moments
before it does, and says from when on it may be used; and whoever was denied asks again by itself shortly before
something becomes free, whether or not a request happens to come just then.
"""

from __future__ import annotations

from collections.abc import Callable

from penstock.adapters.redis.counter import Said, SharedCounter
from penstock.adapters.redis.remote_clock import RemoteClock
from penstock.core.leases import INTEREST_S
from penstock.core.shared_counter import LEAD_S, LEAD_SHARE
from penstock.ports.clock import Clock


class Pressing:
    """`soon` has a counter's turn sent."""

    def __init__(self, clock: Clock, remote: RemoteClock, soon: Callable[[SharedCounter], None]) -> None:
        self._clock = clock
        self._remote = remote
        self._soon = soon
        self._ended = False

    def answers(self, counter: SharedCounter) -> bool:
        """Whether a want is answered without asking: what there will be next was told a moment ago."""
        now = self._clock.monotonic()
        if not counter.ripening or now >= counter.fresh_until:
            return False
        holder, wait_s = counter.holder, max(0.001, counter.ripens - now)
        self._clock.call_soon(lambda: holder.denied(wait_s))
        return True

    def stop(self, counter: SharedCounter) -> None:
        """Ask no more by itself."""
        counter.pressing = False
        if counter.presses is not None:
            counter.presses.cancel()
            counter.presses = None

    def end(self) -> None:
        """Hand nothing over any more."""
        self._ended = True

    def turned(
        self, counter: SharedCounter, said: Said, granted: int, wait_us: int, told_us: int, ahead: list[int]
    ) -> None:
        """Redis answered a want of a rate; `ahead` has an instant of its time and an amount, in turn."""
        now = self._clock.monotonic()
        lead_s = min(LEAD_S, counter.rule.window_s * LEAD_SHARE)
        if ahead:
            counter.fresh_until = now + lead_s / 4
            counter.ripens = self._remote.local(ahead[0], told_us, now)
        for at_us, amount in zip(ahead[::2], ahead[1::2], strict=True):
            counter.held += amount
            counter.ripening += amount
            delay_s = self._remote.local(at_us, told_us, now) - now
            self._clock.call_later(max(0.0, delay_s), self._ripe(counter, amount))
        if said.least <= 0 or wait_us == -2 or (granted < 0 and wait_us == -1):
            return
        got = max(0, granted) + sum(ahead[1::2])
        if granted < 0 and not ahead:
            wait_s = wait_us / 1_000_000
            delay_s = max(wait_s - lead_s / 2, lead_s / 8)
            until = now + wait_s + INTEREST_S
        else:
            delay_s, until = lead_s / 2, now + lead_s
        if said.presses:
            until = min(until, counter.keen_until)
        if got < said.most and now + delay_s <= until and not counter.closing:
            self.stop(counter)
            counter.keen_until = until
            counter.least, counter.most = said.least, said.most - got
            counter.presses = self._clock.call_later(delay_s, lambda: self._press(counter))

    def _press(self, counter: SharedCounter) -> None:
        counter.presses = None
        if not (counter.wants or counter.closing or counter.away or self._ended):
            counter.wants = counter.pressing = True
            self._soon(counter)

    def _ripe(self, counter: SharedCounter, amount: int) -> Callable[[], None]:
        def ripe() -> None:
            counter.ripening -= amount
            if not (counter.closing or self._ended):
                counter.holder.granted(amount)

        return ripe
