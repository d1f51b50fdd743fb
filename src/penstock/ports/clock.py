"""Time and timers, so that tests can run in virtual time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """A scheduled call that can be called off."""

    def cancel(self) -> None:
        """Call it off; harmless when it has run."""
        ...


class Clock(Protocol):
    """One source of time for a process."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        ...

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch."""
        ...

    def call_later(self, delay_s: float, call: Callable[[], None]) -> Timer:
        """Run `call` once in the event loop after `delay_s` seconds."""
        ...

    def call_soon(self, call: Callable[[], None]) -> None:
        """Run `call` once at the end of this turn of the event loop."""
        ...
