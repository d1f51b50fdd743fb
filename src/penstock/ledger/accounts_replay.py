"""What every account has spent, from the worker's last snapshot and the journal's tail. Needs no database.

A gateway does this at its start, before it admits traffic on a budget, and for one process that died, whose
leases then end with what its journal says. Attempts that are open count at their reservation, whether their
process is dead or alive, so the sums never miss what is on record.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from penstock.core.accounts import (
    BRIEF_SLOTS,
    EARLIER,
    KEPT_SLOTS,
    MOST_NANOUSD,
    NO_TAGS,
    SLOT_MS,
    accounts_of,
    is_brief,
    slot_of,
)
from penstock.core.exchange import (
    AlertRaised,
    AttemptFacts,
    AttemptOpened,
    AttemptSettled,
    Drilled,
    Entry,
    ExchangeSettled,
    Judged,
    RequestFacts,
    Subject,
)
from penstock.ledger.journal.reader import read_boot, read_rest
from penstock.ports.ledger import Flight, LedgerState, OpenAttempt, Position

SNAPSHOT_NAME = "accounts.snapshot"
JOURNAL_NAME = "journal"
_FORM = 2


class Snapshot(msgspec.Struct, frozen=True):
    """The file that the worker writes about once a second: nano-dollars by boot, account and slot.

    `tags` are the names of the tags whose values have accounts; `recent` is as in `ports.ledger.LedgerState`.
    """

    form: int
    positions: dict[str, Position]
    spent: dict[str, dict[str, dict[int, int]]]
    flights: dict[str, Flight]
    tags: frozenset[str] = NO_TAGS
    recent: frozenset[str] = frozenset()


class Spent(msgspec.Struct):
    """Nano-dollars of one account: by slot (`core.accounts`) as far as they are kept, and in all."""

    slots: dict[int, int] = {}
    total: int = 0

    def add(self, slot: int, nanousd: int) -> None:
        """Count an amount; what lies before the slots that are kept counts in the total only."""
        self.total += nanousd
        if slot != EARLIER:
            self.slots[slot] = self.slots.get(slot, 0) + nanousd


class Spending:
    """Sums of spending that follow the journal's events in their order, each event once.

    It is what `admission.accounts.Earlier` asks for.
    """

    def __init__(self, snapshot: Snapshot | None = None, tags: frozenset[str] = NO_TAGS) -> None:
        self._boots: dict[str, dict[str, Spent]] = {}
        self._open: dict[str, dict[int, OpenAttempt]] = {}
        self._settled: dict[str, set[int]] = {}
        self._tags = tags
        # Boots of this journal whose sums may not be in what another machine reads of a shared ledger.
        self.own: set[str] = set()
        if snapshot is not None:
            self._tags |= snapshot.tags
            self.own.update(snapshot.recent)
            self.own.update(boot for boot, place in snapshot.positions.items() if not place.finished)
            self._resume(snapshot)

    def spent(self, account: str, start_ms: int, end_ms: int) -> int:
        """Nano-dollars of an account's attempts opened in slots that begin within [start, end).

        From 0 on it is the total, which includes what is older than slots are kept.
        """
        found = [accounts[account] for accounts in self._boots.values() if account in accounts]
        if start_ms == 0:
            return sum(each.total for each in found)
        return sum(
            nanousd
            for each in found
            for slot, nanousd in each.slots.items()
            if start_ms <= slot * SLOT_MS < end_ms
        )

    def boots(self) -> list[str]:
        """Whose spending is known; '' stands for all that are folded."""
        return list(self._boots)

    def of_boot(self, boot: str) -> dict[str, Spent]:
        """What one boot has spent, by account."""
        return self._boots.get(boot, {})

    def by_account(self) -> dict[str, Spent]:
        """What all boots have spent together, by account."""
        sums: dict[str, Spent] = {}
        for accounts in self._boots.values():
            for account, spent in accounts.items():
                found = sums.setdefault(account, Spent())
                found.total += spent.total
                for slot, nanousd in spent.slots.items():
                    found.slots[slot] = found.slots.get(slot, 0) + nanousd
        return sums

    def apply(self, boot: str, event: Entry) -> None:
        """Count one event of a boot."""
        if isinstance(event, AlertRaised | Judged | Drilled):
            return  # they cost nothing
        request, subject = event.request, event.subject
        if isinstance(event, AttemptOpened):
            accounts = accounts_of(subject, request, event.target, self._tags)
            reserved = min(event.reserved_nanousd or 0, MOST_NANOUSD)
            self._hold(
                boot, request.request_id, OpenAttempt(event.index, accounts, slot_of(event.at_ms), reserved)
            )
        elif isinstance(event, AttemptSettled):
            self._settle(boot, request, subject, event.attempt)
        elif isinstance(event, ExchangeSettled):
            for attempt in event.attempts:
                self._settle(boot, request, subject, attempt)
            # What was opened and is not among the attempts never reached an upstream.
            for attempt in self._open.pop(request.request_id, {}).values():
                self._release(boot, attempt)
            self._settled.pop(request.request_id, None)

    def prune(self) -> None:
        """Leave out the slots that the ledger would not keep, counted from the newest one."""
        everything = [spent for accounts in self._boots.values() for spent in accounts.values()]
        newest = max((slot for spent in everything for slot in spent.slots), default=0)
        for accounts in self._boots.values():
            for account in list(accounts):
                _prune(accounts, account, newest)

    def _resume(self, snapshot: Snapshot) -> None:
        for boot, accounts in snapshot.spent.items():
            self._boots[boot] = {account: _spent(slots) for account, slots in accounts.items()}
        for request_id, flight in snapshot.flights.items():
            self._settled[request_id] = set(flight.settled)
            for attempt in flight.open:
                self._hold(flight.boot, request_id, attempt)

    def _hold(self, boot: str, request_id: str, attempt: OpenAttempt) -> None:
        self._open.setdefault(request_id, {})[attempt.index] = attempt
        self._add(boot, attempt.accounts, attempt.slot, attempt.reserved_nanousd)

    def _release(self, boot: str, attempt: OpenAttempt) -> None:
        self._add(boot, attempt.accounts, attempt.slot, -attempt.reserved_nanousd)

    def _settle(self, boot: str, request: RequestFacts, subject: Subject, attempt: AttemptFacts) -> None:
        held = self._open.get(request.request_id, {}).pop(attempt.index, None)
        if held is not None:
            self._release(boot, held)
        settled = self._settled.setdefault(request.request_id, set())
        if attempt.index not in settled:
            settled.add(attempt.index)
            accounts = accounts_of(subject, request, attempt.target, self._tags)
            cost = min(attempt.cost_nanousd or 0, MOST_NANOUSD)
            self._add(boot, accounts, slot_of(attempt.opened_ms), cost)

    def _add(self, boot: str, accounts: tuple[str, ...], slot: int, nanousd: int) -> None:
        if nanousd:
            sums = self._boots.setdefault(boot, {})
            for account in accounts:
                sums.setdefault(account, Spent()).add(slot, nanousd)


def _spent(slots: dict[int, int]) -> Spent:
    total = sum(slots.values())
    slots.pop(EARLIER, None)
    return Spent(slots, total)


def _prune(accounts: dict[str, Spent], account: str, newest: int) -> None:
    spent = accounts[account]
    brief = is_brief(account)
    oldest = newest - (BRIEF_SLOTS if brief else KEPT_SLOTS)
    old = [slot for slot in spent.slots if slot < oldest]
    for slot in old:
        nanousd = spent.slots.pop(slot)
        if brief:
            spent.total -= nanousd
    if brief and not spent.slots:
        del accounts[account]


def snapshot_of(state: LedgerState) -> Snapshot:
    """A snapshot of the committed ledger."""
    spent: dict[str, dict[str, dict[int, int]]] = {}
    for boot, account, slot, nanousd in state.spent:
        spent.setdefault(boot, {}).setdefault(account, {})[slot] = nanousd
    return Snapshot(_FORM, state.positions, spent, state.flights, state.tags, state.recent)


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


def asked_at_s(state_dir: Path) -> float:
    """When the ledger said last what the snapshot has (Unix seconds); 0 where there is no snapshot."""
    try:
        return (state_dir / SNAPSHOT_NAME).stat().st_mtime
    except FileNotFoundError:
        return 0.0


def replay(state_dir: Path, is_locked: Callable[[Path], bool], tags: frozenset[str] = NO_TAGS) -> Spending:
    """What each account has spent up to the journal's present end.

    Args:
        state_dir: holds the snapshot and the folder of segments.
        is_locked: whether a live writer holds a segment.
        tags: the names of the tags that have budgets, beside those that the worker counts already.

    Raises:
        OSError: a file is there but cannot be read; without it a hard budget must not be served.
    """
    snapshot = read_snapshot(state_dir / SNAPSHOT_NAME)
    spending = Spending(snapshot, tags)
    positions = dict(snapshot.positions) if snapshot is not None else {}
    for batch in read_rest(state_dir / JOURNAL_NAME, positions, is_locked):
        spending.own.add(batch.boot)
        for _, event, _ in batch.records:
            spending.apply(batch.boot, event)
    spending.prune()
    return spending


def spending_of_boot(
    state_dir: Path, boot: str, is_locked: Callable[[Path], bool], tags: frozenset[str] = NO_TAGS
) -> dict[str, Spent]:
    """What one boot has spent up to its journal's present end, however far the worker has come.

    For a boot that is dead this is final: settled attempts, and at their reservations those that it left open.
    It can be asked for up to an hour after the worker settled the boot; later its sums are only in the whole.

    Raises:
        OSError: a file is there but cannot be read; its lease must be held until it can.
    """
    snapshot = read_snapshot(state_dir / SNAPSHOT_NAME)
    spending = Spending(snapshot, tags)
    position = snapshot.positions.get(boot, Position()) if snapshot is not None else Position()
    if not position.finished:
        for batch in read_boot(state_dir / JOURNAL_NAME, boot, position, is_locked):
            for _, event, _ in batch.records:
                spending.apply(boot, event)
    return spending.of_boot(boot)
