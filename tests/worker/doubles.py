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
        "spend",
    )
    found = {table: rows(state_dir, f"SELECT * FROM {table}") for table in tables}  # noqa: S608
    names = [row[1] for row in rows(state_dir, "PRAGMA table_info(exchanges)")]
    at = names.index("taken")  # the order in which they came, which is another after a crash
    found["exchanges"] = [(*row[:at], *row[at + 1 :]) for row in found["exchanges"]]
    return {table: sorted(each) for table, each in found.items()}


# What versions 5 to 9 of the tables have that those before do not.
BEFORE_NOTES = """
DROP TABLE drills;
DROP TABLE feedback;
DROP TABLE scores;
DROP INDEX exchanges_session;
DROP INDEX exchanges_task;
ALTER TABLE exchanges DROP COLUMN web_searches;
ALTER TABLE exchanges DROP COLUMN grounded_answers;
ALTER TABLE exchanges DROP COLUMN file_searches;
ALTER TABLE exchanges DROP COLUMN code_sessions;
ALTER TABLE exchanges DROP COLUMN characters;
ALTER TABLE attempts DROP COLUMN web_searches;
ALTER TABLE attempts DROP COLUMN grounded_answers;
ALTER TABLE attempts DROP COLUMN file_searches;
ALTER TABLE attempts DROP COLUMN code_sessions;
ALTER TABLE attempts DROP COLUMN characters;
DROP INDEX exchanges_taken;
ALTER TABLE exchanges DROP COLUMN taken;
ALTER TABLE exchanges DROP COLUMN purpose;
ALTER TABLE exchanges DROP COLUMN parent;
ALTER TABLE exchanges DROP COLUMN notes;
"""


Sums = dict[str, dict[str, dict[int, int]]]


def full_sum(events: Sequence[tuple[str, Event]]) -> Sums:
    """Known spending by boot, account and slot of (boot, event) pairs, summed in the plainest way.

    Attempts that are open count at their reservation. The names of accounts are spelled out here once more.
    """
    settled: dict[tuple[str, int], tuple[str, Event, str, int, int]] = {}
    held: dict[tuple[str, int], tuple[str, Event, str, int, int]] = {}
    ended: set[str] = set()
    for boot, event in events:
        request_id = event.request.request_id
        if isinstance(event, AttemptOpened):
            cost = event.reserved_nanousd or 0
            held[request_id, event.index] = (boot, event, event.target, event.at_ms, cost)
        elif isinstance(event, AttemptSettled):
            each = event.attempt
            charge = (boot, event, each.target, each.opened_ms, each.cost_nanousd or 0)
            settled.setdefault((request_id, each.index), charge)
        elif isinstance(event, ExchangeSettled):
            ended.add(request_id)
            for each in event.attempts:
                charge = (boot, event, each.target, each.opened_ms, each.cost_nanousd or 0)
                settled.setdefault((request_id, each.index), charge)
    sums: Sums = {}
    for place, (boot, event, target, at_ms, cost) in {**held, **settled}.items():
        if cost and (place in settled or place[0] not in ended):
            for account in plain_accounts(event, target):
                slots = sums.setdefault(boot, {}).setdefault(account, {})
                slots[at_ms // 900_000] = slots.get(at_ms // 900_000, 0) + cost
    return sums


def plain_accounts(event: Event, target: str) -> list[str]:
    """The accounts of an attempt, by a table."""
    who, what = event.subject, event.request
    table = [
        (who.org, "org:" + who.org),
        (who.org and who.team, f"team:{who.org}/{who.team}"),
        (who.user, f"user:{who.org}/{who.user}"),
        (who.key, "key:" + who.key),
        (what.route, "route:" + what.route),
        (target, "deployment:" + target),
        (what.session, f"session:{who.org}/{what.session}"),
        (what.task, f"task:{who.org}/{what.task}"),
    ]
    return [account for level, account in table if level]
