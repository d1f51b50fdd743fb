"""A journal of a chosen story, and a ledger to look into."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from penstock.adapters.files.posix import PosixDirectory, is_locked
from penstock.adapters.sqlite.ledger import SqliteLedger
from penstock.core.exchange import AttemptOpened, AttemptSettled, Event, ExchangeSettled
from penstock.ledger.journal.settings import JournalSettings
from penstock.ledger.journal.writer import Journal
from penstock.ports.ledger import LedgerStore
from penstock.worker.projector import Projector
from tests.ledger.doubles import FakeClock, make_journal

SMALL = JournalSettings(segment_bytes=4_096, step_bytes=4_096)


def write(state_dir: Path, boot: str, events: Sequence[Event], *, close: bool = True) -> Journal:
    """Write events in a turn each; the boot is dead afterwards unless it is left open."""
    clock = FakeClock()
    journal = make_journal(PosixDirectory(state_dir / "journal"), clock, boot=boot, settings=SMALL)
    for event in events:
        journal.append(event)
        clock.turn()
    if close:
        journal.close()
    return journal


def project(state_dir: Path, store: LedgerStore | None = None, steps: int = 1_000) -> None:
    """Project until nothing is left."""
    own = store if store is not None else SqliteLedger(state_dir / "ledger.db")
    projector = Projector(
        state_dir / "journal",
        own,
        is_locked=is_locked,
        now_ms=lambda: 1_790_000_100_000,
        monotonic=lambda: 0.0,
    )
    idle = 0
    for _ in range(steps):
        before = projector.positions
        idle = 0 if projector.step() or projector.positions != before else idle + 1
        if idle > 1:
            break
    if store is None:
        own.close()


def rows(state_dir: Path, query: str) -> list[tuple[Any, ...]]:
    """What the ledger says."""
    database = sqlite3.connect(state_dir / "ledger.db")
    try:
        return database.execute(query).fetchall()
    finally:
        database.close()


def dump(state_dir: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All that is derived from the journal."""
    tables = (
        "exchanges",
        "attempts",
        "open_attempts",
        "open_exchanges",
        "refusals",
        "spend_hourly",
        "spend_total",
    )
    return {table: rows(state_dir, f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables}  # noqa: S608


def full_sum(events: Sequence[Event]) -> dict[str, int]:
    """Known spending per key with open attempts at their reservation, summed in the plainest way."""
    settled: dict[tuple[str, int], tuple[str, int]] = {}
    held: dict[tuple[str, int], tuple[str, int]] = {}
    ended: set[str] = set()
    for event in events:
        request_id, key = event.request.request_id, event.subject.key
        if isinstance(event, AttemptOpened):
            held[request_id, event.index] = (key, event.reserved_nanousd or 0)
        elif isinstance(event, AttemptSettled):
            settled[request_id, event.attempt.index] = (key, event.attempt.cost_nanousd or 0)
        elif isinstance(event, ExchangeSettled):
            ended.add(request_id)
            for each in event.attempts:
                settled[request_id, each.index] = (key, each.cost_nanousd or 0)
    totals: dict[str, int] = {}
    for place, (key, cost) in {**held, **settled}.items():
        if place in settled or place[0] not in ended:
            totals[key] = totals.get(key, 0) + cost
    return totals
