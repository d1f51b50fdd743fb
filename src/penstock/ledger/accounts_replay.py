"""What every key has spent, from the worker's last snapshot and the journal's tail. Needs no database.

A gateway does this at its start, before it admits traffic on a budget. Attempts that are open count at their
reservation, whether their process is dead or alive, so the sums never miss what is on record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from penstock.core.exchange import (
    AttemptFacts,
    AttemptOpened,
    AttemptSettled,
    Event,
    ExchangeSettled,
)
from penstock.ledger.journal.reader import read_rest
from penstock.ports.ledger import Flight, LedgerState, OpenAttempt, Position

SNAPSHOT_NAME = "accounts.snapshot"
JOURNAL_NAME = "journal"
KEPT_HOURS = 40 * 24
_MS_PER_HOUR = 3_600_000
_FORM = 1


class Snapshot(msgspec.Struct, frozen=True):
    """The file that the worker writes about once a second; hours count from the Unix epoch."""

    form: int
    positions: dict[str, Position]
    hours: dict[str, dict[int, int]]
    totals: dict[str, int]
    flights: dict[str, Flight]


class Spent(msgspec.Struct):
    """Nano-dollars of one key: per hour for the last 40 days, and in all."""

    hours: dict[int, int] = {}
    total: int = 0


class Spending:
    """Implements admission's Earlier; only keys are summed."""

    def __init__(self, spent: dict[str, Spent]) -> None:
        self._spent = spent

    def spent(self, account: str, start_ms: int, end_ms: int) -> int:
        """Nano-dollars of attempts opened within [start, end)."""
        found = self._spent.get(account.removeprefix("key:"))
        if found is None:
            return 0
        if start_ms == 0:
            return found.total
        return sum(amount for hour, amount in found.hours.items() if start_ms <= hour * _MS_PER_HOUR < end_ms)


class Accounts:
    """Sums of spending that follow the journal's events in their order, each event once."""

    def __init__(self, snapshot: Snapshot | None = None) -> None:
        self.spent: dict[str, Spent] = {}
        self._open: dict[str, dict[int, OpenAttempt]] = {}
        self._settled: dict[str, set[int]] = {}
        if snapshot is not None:
            for key, total in snapshot.totals.items():
                self.spent[key] = Spent(dict(snapshot.hours.get(key, {})), total)
            for request_id, flight in snapshot.flights.items():
                self._settled[request_id] = set(flight.settled)
                for attempt in flight.open:
                    self._hold(request_id, attempt)

    def apply(self, event: Event) -> None:
        """Count one event."""
        request_id = event.request.request_id
        if isinstance(event, AttemptOpened):
            hour = event.at_ms // _MS_PER_HOUR
            reserved = event.reserved_nanousd or 0
            self._hold(request_id, OpenAttempt(event.index, event.subject.key, hour, reserved))
        elif isinstance(event, AttemptSettled):
            self._settle(request_id, event.subject.key, event.attempt)
        elif isinstance(event, ExchangeSettled):
            for attempt in event.attempts:
                self._settle(request_id, event.subject.key, attempt)
            # What was opened and is not among the attempts never reached an upstream.
            for attempt in self._open.pop(request_id, {}).values():
                self._add(attempt.key, attempt.hour, -attempt.reserved_nanousd)
            self._settled.pop(request_id, None)

    def _hold(self, request_id: str, attempt: OpenAttempt) -> None:
        self._open.setdefault(request_id, {})[attempt.index] = attempt
        self._add(attempt.key, attempt.hour, attempt.reserved_nanousd)

    def _settle(self, request_id: str, key: str, attempt: AttemptFacts) -> None:
        held = self._open.get(request_id, {}).pop(attempt.index, None)
        if held is not None:
            self._add(held.key, held.hour, -held.reserved_nanousd)
        settled = self._settled.setdefault(request_id, set())
        if attempt.index not in settled:
            settled.add(attempt.index)
            self._add(key, attempt.opened_ms // _MS_PER_HOUR, attempt.cost_nanousd or 0)

    def _add(self, key: str, hour: int, nanousd: int) -> None:
        spent = self.spent.setdefault(key, Spent())
        spent.total += nanousd
        spent.hours[hour] = spent.hours.get(hour, 0) + nanousd


def snapshot_of(state: LedgerState) -> Snapshot:
    """A snapshot of the committed ledger."""
    hours: dict[str, dict[int, int]] = {}
    for key, hour, nanousd in state.hours:
        hours.setdefault(key, {})[hour] = nanousd
    return Snapshot(
        form=_FORM, positions=state.positions, hours=hours, totals=state.totals, flights=state.flights
    )


def read_snapshot(path: Path) -> Snapshot | None:
    """The last snapshot, or None where there is none that can be used: then the whole journal is replayed.

    Raises:
        OSError: it is there but cannot be read.
    """
    try:
        snapshot = msgspec.msgpack.decode(path.read_bytes(), type=Snapshot)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return snapshot if snapshot.form == _FORM else None


def replay(state_dir: Path, is_locked: Callable[[Path], bool]) -> dict[str, Spent]:
    """What each key has spent up to the journal's present end.

    Args:
        state_dir: holds the snapshot and the folder of segments.
        is_locked: whether a live writer holds a segment.

    Raises:
        OSError: a file is there but cannot be read; without it a hard budget must not be served.
    """
    snapshot = read_snapshot(state_dir / SNAPSHOT_NAME)
    accounts = Accounts(snapshot)
    positions = dict(snapshot.positions) if snapshot is not None else {}
    for batch in read_rest(state_dir / JOURNAL_NAME, positions, is_locked):
        for _, event, _ in batch.records:
            accounts.apply(event)
    return accounts.spent


def spent_by(events: Iterable[Event]) -> dict[str, Spent]:
    """The sums of a sequence of events that begins at the beginning."""
    accounts = Accounts()
    for event in events:
        accounts.apply(event)
    return accounts.spent
