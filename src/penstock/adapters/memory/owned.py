"""Owned ids in memory (ports.owned.OwnedIds): for tests, and for a gateway without a state directory."""

from __future__ import annotations

from collections.abc import Callable

from penstock.ports.clock import Clock
from penstock.ports.owned import Owned


class MemoryOwned:
    """Answers in the next turn of the loop, as a store on disk would."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.records: dict[tuple[str, str], Owned] = {}

    def keep(self, record: Owned, then: Callable[[], None]) -> None:
        """See ports.owned."""
        self.records[record.org, record.id] = record
        self._clock.call_soon(then)

    def find(
        self, org: str, name: str, then: Callable[[Owned | None], None], failed: Callable[[str], None]
    ) -> None:
        """See ports.owned."""
        del failed
        record = self.records.get((org, name))
        if record is not None and record.expires_ms <= self._clock.now_ms():
            del self.records[org, name]
            record = None
        self._clock.call_soon(lambda: then(record))

    def forget(self, org: str, name: str, then: Callable[[], None], failed: Callable[[str], None]) -> None:
        """See ports.owned."""
        del failed
        self.records.pop((org, name), None)
        self._clock.call_soon(then)
