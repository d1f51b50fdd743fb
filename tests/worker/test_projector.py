"""The journal becomes the ledger: once, whatever dies."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pytest

from penstock.adapters.files.posix import is_locked
from penstock.adapters.sqlite.ledger import SqliteLedger
from penstock.core.exchange import Event, Projected
from penstock.core.scores import Sum
from penstock.ports.ledger import Gaps, LedgerState, Position
from penstock.worker.projector import Projector
from tests.ledger.doubles import attempt, attempt_settled, opened, refused, settled
from tests.worker.doubles import BEFORE_NOTES, dump, project, rows, write

STORY: list[Event] = [
    opened(1),
    opened(2),
    settled(1),
    refused(3),
    attempt_settled(2, cost=7),
    opened(2, 2),
    settled(2, [attempt(1, 7, "error"), attempt(2)]),
    opened(4),
    attempt_settled(4, cost=5),
    opened(4, 2, reserved=900),
    opened(5),
    attempt_settled(5, cost=3),
    opened(6, reserved=None),
]


def test_each_exchange_has_one_row_with_everything_known(tmp_path: Path) -> None:
    """Retries, sums over attempts, names and times arrive in their columns."""
    write(tmp_path, "b1", STORY)
    project(tmp_path)
    query = """SELECT request_id, attempts, retries, outcome, status, cost_nanousd, input_tokens, key,
               route, target, json_extract(tags, '$.feature'), ttft_us, success FROM exchanges ORDER BY 1"""
    one, two = rows(tmp_path, query)[:2]
    common = ("dev", "support", "openai/gpt-4o", "search", 700, 1)
    assert one == ("req_00000001", 1, "{}", "ok", 200, 123, 90, *common)
    assert two == ("req_00000002", 2, '{"status_429":1}', "ok", 200, 130, 90, *common)
    assert rows(tmp_path, "SELECT request_id, status, code FROM refusals") == [
        ("req_00000003", 429, "rate_limited")
    ]


def test_attempts_settled_early_do_not_double(tmp_path: Path) -> None:
    """The exchange's end repeats its attempts; rows and spending count them once."""
    write(tmp_path, "b1", STORY[:7], close=False)
    project(tmp_path)
    assert rows(tmp_path, "SELECT request_id, idx, cost_nanousd FROM attempts ORDER BY 1, 2") == [
        ("req_00000001", 1, 123),
        ("req_00000002", 1, 7),
        ("req_00000002", 2, 123),
    ]
    assert rows(tmp_path, "SELECT nanousd FROM spend WHERE account = 'key:dev'") == [(253,)]
    assert rows(tmp_path, "SELECT * FROM open_attempts") == []


def test_a_dead_boot_is_charged_at_its_reservations(tmp_path: Path) -> None:
    """Open attempts become interrupted and estimated; their exchanges get rows, earlier tries included."""
    journal = write(tmp_path, "b1", STORY, close=False)
    project(tmp_path)
    assert len(rows(tmp_path, "SELECT * FROM open_attempts")) == 2
    assert len(rows(tmp_path, "SELECT * FROM exchanges")) == 2
    journal.close()
    project(tmp_path)
    query = """SELECT request_id, outcome, attempts, cost_nanousd, spent_nanousd, usage_source, input_tokens
               FROM exchanges WHERE outcome = 'interrupted' ORDER BY 1"""
    assert rows(tmp_path, query) == [
        ("req_00000004", "interrupted", 2, 905, 905, "estimated", 100),
        ("req_00000005", "interrupted", 1, 3, 3, "reported", 0),
        ("req_00000006", "interrupted", 1, None, 0, "estimated", 100),
    ]
    assert rows(tmp_path, "SELECT * FROM open_attempts") == rows(tmp_path, "SELECT * FROM open_exchanges") == []
    assert rows(tmp_path, "SELECT finished FROM checkpoints") == [(1,)]
    before = dump(tmp_path)
    project(tmp_path)
    assert dump(tmp_path) == before


def test_an_opening_that_never_reached_the_upstream_is_not_charged(tmp_path: Path) -> None:
    """An exchange that ends without the attempt releases its reservation."""
    write(tmp_path, "b1", [opened(1), settled(1, [])])
    project(tmp_path)
    assert rows(tmp_path, "SELECT cost_nanousd, attempts FROM exchanges") == [(0, 0)]
    assert rows(tmp_path, "SELECT * FROM attempts") == []


def test_an_unpriced_attempt_makes_the_cost_null_not_zero(tmp_path: Path) -> None:
    """The known part stays visible as spending."""
    write(tmp_path, "b1", [opened(1), settled(1, [attempt(1, 50, "error"), attempt(2, None)])])
    project(tmp_path)
    assert rows(tmp_path, "SELECT cost_nanousd, spent_nanousd FROM exchanges") == [(None, 50)]
    assert rows(tmp_path, "SELECT nanousd FROM spend WHERE account = 'key:dev'") == [(50,)]


class Dying:
    """A store that dies just before or just after its n-th commit."""

    def __init__(self, inner: SqliteLedger, calls: int, *, after: bool) -> None:
        self.inner, self.calls, self.after = inner, calls, after

    def positions(self) -> Mapping[str, Position]:
        return self.inner.positions()

    def commit(
        self, boot: str, events: Sequence[tuple[int, Projected]], position: Position, gaps: Gaps
    ) -> None:
        self.calls -= 1
        if self.calls or self.after:
            self.inner.commit(boot, events, position, gaps)
        if not self.calls:
            raise sqlite3.OperationalError("disk I/O error")

    def finish(self, boot: str, position: Position, now_ms: int) -> int:
        self.calls -= 1
        charged = self.inner.finish(boot, position, now_ms) if self.calls or self.after else 0
        if not self.calls:
            raise sqlite3.OperationalError("database or disk is full")
        return charged

    def stamp(self) -> object:
        return self.inner.stamp()

    def count_tags(self, tags: frozenset[str]) -> None:
        self.inner.count_tags(tags)

    def fold(self, now_ms: int) -> bool:
        return self.inner.fold(now_ms)

    def judge(self, now_ms: int) -> int:
        return self.inner.judge(now_ms)

    def judgements(self, since_ms: int) -> list[Sum]:
        return self.inner.judgements(since_ms)

    def forget(self, boots: Sequence[str]) -> None:
        self.inner.forget(boots)

    def state(self, now_ms: int) -> LedgerState:
        return self.inner.state(now_ms)

    def close(self) -> None:
        self.inner.close()


@pytest.mark.parametrize("after", [False, True])
def test_a_projector_that_dies_between_any_two_commits_changes_nothing(tmp_path: Path, *, after: bool) -> None:
    """With a commit per record, dying before or after each one ends in the same ledger."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    story = [*STORY, *(event for number in range(10, 30) for event in (opened(number), settled(number)))]
    for state_dir in (whole, parts):
        write(state_dir, "b1", story)
        write(state_dir, "b2", [opened(40), settled(40), opened(41)])
    project(whole)
    for calls in range(1, 80):
        store = Dying(SqliteLedger(parts / "ledger.db"), calls % 5 + 1, after=after)
        projector = Projector(
            parts / "journal",
            store,
            is_locked=is_locked,
            now_ms=lambda: 1_790_000_100_000,
            monotonic=lambda: 0.0,
            commit_records=1,
            most_records=1,
        )
        try:
            while projector.step():
                pass
        except sqlite3.OperationalError:
            pass
        store.close()
    project(parts)
    assert dump(parts) == dump(whole)


def test_a_group_written_twice_counts_once(tmp_path: Path) -> None:
    """A write that failed half-way is repeated in the next segment with the same sequence numbers."""
    write(tmp_path, "b1", [opened(1), settled(1), refused(2)])
    file = next((tmp_path / "journal").iterdir())
    data = file.read_bytes()
    (tmp_path / "journal" / "b1-000002.journal").write_bytes(data)
    project(tmp_path)
    assert len(rows(tmp_path, "SELECT * FROM refusals")) == 1
    assert rows(tmp_path, "SELECT nanousd FROM spend WHERE account = 'key:dev'") == [(123,)]


def test_torn_places_are_counted_in_the_checkpoint(tmp_path: Path) -> None:
    """What was lost is on record, and what follows it is projected."""
    write(tmp_path, "b1", [settled(1), settled(2), settled(3)])
    file = next((tmp_path / "journal").iterdir())
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(data)
    project(tmp_path)
    assert len(rows(tmp_path, "SELECT * FROM exchanges")) == 2
    ((places, lost),) = rows(tmp_path, "SELECT torn_places, torn_bytes FROM checkpoints")
    assert (places, lost > 0) == (1, True)


def test_rows_carry_every_field_of_the_events(tmp_path: Path) -> None:
    """No field of the journal's events is left out of the ledger without somebody noticing."""
    write(tmp_path, "b1", [opened(1), settled(1)])
    project(tmp_path)
    columns = {name for (name,) in rows(tmp_path, "SELECT name FROM pragma_table_info('exchanges')")}
    event = settled(1)
    for part in (event, event.request, event.subject, event.attempts[0].usage):
        names = {field.name for field in msgspec.structs.fields(type(part))} - {"request", "subject"}
        assert names <= columns, names - columns
    assert json.loads(rows(tmp_path, "SELECT tags FROM exchanges")[0][0]) == {"feature": "search"}


def test_a_ledger_without_reported_costs_gets_them(tmp_path: Path) -> None:
    """Rows of version 3 stay and have none; new ones do."""
    write(tmp_path, "b1", [opened(1), settled(1)])
    project(tmp_path)
    database = sqlite3.connect(tmp_path / "ledger.db")
    database.executescript(BEFORE_NOTES)
    for table in ("exchanges", "attempts"):
        database.execute(f"ALTER TABLE {table} DROP COLUMN reported_cost_nanousd")
    database.execute("PRAGMA user_version = 3")
    database.close()
    told = msgspec.structs.replace(attempt(), reported_cost_nanousd=120)
    write(tmp_path, "b2", [opened(2), settled(2, [told])])
    project(tmp_path)
    for table in ("exchanges", "attempts"):
        query = f"SELECT reported_cost_nanousd FROM {table} ORDER BY request_id"  # noqa: S608
        assert rows(tmp_path, query) == [(None,), (120,)]


def test_a_count_beyond_64_bits_does_not_stop_the_projection(tmp_path: Path) -> None:
    """One absurd row is cut; the rows beside it are exact."""
    absurd = msgspec.structs.replace(attempt(), cost_nanousd=2**64 - 1)
    write(tmp_path, "b1", [settled(1, [absurd]), settled(2), settled(3, [absurd])])
    project(tmp_path)
    assert rows(tmp_path, "SELECT cost_nanousd FROM exchanges ORDER BY request_id") == [
        (2**53,),
        (123,),
        (2**53,),
    ]
    assert rows(tmp_path, "SELECT nanousd FROM spend WHERE account = 'key:dev'") == [(2**54 + 123,)]
