"""A journal in memory (ports.journal.JournalSink), with the same grouping by turns as the real one."""

from __future__ import annotations

from collections.abc import Callable

from penstock.core.exchange import AlertRaised, AttemptOpened, Drilled, Entry, Event, ExchangeSettled, Judged
from penstock.ledger.journal.settings import JournalFull
from penstock.ports.clock import Clock


class MemoryJournal:
    """Keeps events in a list. `full` refuses openings; `fail_openings` loses them at the write."""

    def __init__(self, clock: Clock) -> None:
        self.events: list[Event] = []
        self.alerts: list[AlertRaised] = []
        self.judged: list[Judged] = []
        self.drilled: list[Drilled] = []
        self.full = False
        self.fail_openings = False
        self._clock = clock
        self._group: list[tuple[Entry, Callable[[], None] | None, Callable[[Exception], None] | None]] = []

    def append(
        self,
        event: Entry,
        then: Callable[[], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        """See ports.journal."""
        if self.full and isinstance(event, AttemptOpened | Judged):
            raise JournalFull("the journal is full")
        if not self._group:
            self._clock.call_soon(self._flush)
        self._group.append((event, then, failed))

    def _flush(self) -> None:
        group, self._group = self._group, []
        for event, then, failed in group:
            if self.fail_openings and isinstance(event, AttemptOpened) and failed is not None:
                failed(OSError(28, "No space left on device"))
                continue
            if isinstance(event, AlertRaised):
                self.alerts.append(event)
            elif isinstance(event, Judged):
                self.judged.append(event)
            elif isinstance(event, Drilled):
                self.drilled.append(event)
            else:
                self.events.append(event)
            if then is not None:
                then()

    @property
    def exchanges(self) -> list[ExchangeSettled]:
        """The settled exchanges, in order."""
        return [event for event in self.events if isinstance(event, ExchangeSettled)]
