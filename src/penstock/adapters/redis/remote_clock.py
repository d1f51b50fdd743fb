"""Instants of this process in the time of a server elsewhere, never too early.

A use that is recorded too early leaves its window too early, and the limit is broken; one that is recorded late
only costs what the delay is worth. The server tells its time with each answer: it was read after the question
was sent, so `told - sent` is never less than how far the server's clock is ahead. The least of the last seconds
is nearly exact, and a margin covers how far two clocks drift apart meanwhile.

Likewise what may be used from an instant of the server's on must not be used earlier: when an answer is heard,
the server's time is at least what it told, so `told - heard` is never more than how far its clock is ahead.

The same instant must always map to the same one, so that what was recorded there can be found and corrected. So
the difference is kept until it is wrong, and each change begins an era.
"""

from __future__ import annotations

from collections import deque

MARGIN_US = 1000
# How far two clocks may drift apart in twice SPAN_S.
DRIFT_US = 400
SPAN_S = 2.0
ERAS = 64


class RemoteClock:
    """How far the server's clock is ahead, as an upper bound, and as a lower one for what begins there."""

    __slots__ = ("_eras", "_least_us", "_most_before_us", "_most_us", "_span_ends")

    def __init__(self) -> None:
        self._eras: deque[tuple[float, int]] = deque(maxlen=ERAS)
        self._least_us: int | None = None
        self._most_us = self._most_before_us = 0
        self._span_ends = 0.0

    def forget(self) -> None:
        """It is another server now."""
        self._eras.clear()
        self._least_us = None

    @property
    def known(self) -> bool:
        """Whether the server has told its time yet."""
        return bool(self._eras)

    def sample(self, sent_at: float, told_us: int, heard_at: float) -> None:
        """The server said `told_us` in answer to what was sent at `sent_at`; it was heard at `heard_at`."""
        upper = told_us - int(sent_at * 1_000_000)
        lower = told_us - int(heard_at * 1_000_000) - 1
        if not self._eras:
            self._most_us = self._most_before_us = lower
            self._begin(float("-inf"), upper, heard_at)
            return
        self._most_us = max(self._most_us, lower)
        least = self._least_us
        self._least_us = least = upper if least is None else min(least, upper)
        ahead = self._eras[-1][1]
        if lower > ahead - MARGIN_US // 4 or upper + 10 * MARGIN_US < ahead:
            self._most_us = self._most_before_us = lower
            self._begin(heard_at, upper, heard_at)
        elif heard_at >= self._span_ends:
            self._most_us, self._most_before_us = lower, self._most_us
            if abs(least + MARGIN_US - ahead) > MARGIN_US // 2:
                self._begin(heard_at, least, heard_at)
            else:
                self._least_us = None
                self._span_ends = heard_at + SPAN_S

    def _begin(self, since: float, ahead_us: int, heard_at: float) -> None:
        self._eras.append((since, ahead_us + MARGIN_US))
        self._least_us = None
        self._span_ends = heard_at + SPAN_S

    def us(self, at: float) -> int:
        """The instant `at` of this process, in the server's microseconds. It has to be `known`."""
        ahead_us = self._eras[0][1]
        for since, ahead in reversed(self._eras):
            if at >= since:
                ahead_us = ahead
                break
        return int(at * 1_000_000) + ahead_us

    def local(self, at_us: int, told_us: int, heard_at: float) -> float:
        """An instant of this process at which the server's clock surely shows `at_us`.

        `told_us` was heard last, at `heard_at`, and is a bound that no drift spoils.
        """
        ahead_us = max(self._most_us, self._most_before_us) - DRIFT_US
        return max(0.0, min(heard_at + (at_us - told_us) / 1_000_000, (at_us - ahead_us) / 1_000_000))
