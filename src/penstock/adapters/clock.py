"""The real clock: the event loop's time and timers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from penstock.ports.clock import Timer

_time_ns: Final = time.time_ns


class LoopClock:
    """ports.clock.Clock over the running event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.monotonic: Callable[[], float] = time.monotonic
        self._loop = loop

    def now_ms(self) -> int:
        """Wall time in milliseconds."""
        return _time_ns() // 1_000_000

    def call_later(self, delay_s: float, call: Callable[[], None]) -> Timer:
        """See ports.clock."""
        return self._loop.call_later(delay_s, call)

    def call_soon(self, call: Callable[[], None]) -> None:
        """See ports.clock."""
        self._loop.call_soon(call)
