"""Ledger, replay and the plainest way of adding up agree on what every account has spent, under any cut."""

import contextlib
import sqlite3
import tempfile
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.adapters.files.posix import is_locked
from penstock.adapters.sqlite.ledger import SqliteLedger
from penstock.adapters.sqlite.ledger_read import open_reader
from penstock.bootstrap.plan_source import LazyBox
from penstock.bootstrap.state_dir import StateDir
from penstock.bootstrap.worker import PublishedFacts
from penstock.config.document import Allowed, Budget, Document, Org
from penstock.config.snapshot import make_snapshot, write_snapshot
from penstock.core.exchange import AttemptFacts, Event, Projected, RequestFacts, Subject
from penstock.ledger.accounts_replay import (
    SNAPSHOT_NAME,
    Spent,
    read_snapshot,
    replay,
    spending_of_boot,
)
from penstock.ledger.journal.writer import Journal
from penstock.ports.ledger import Gaps, LedgerError, LedgerState, LedgerStore, Position
from penstock.worker.accounts import AccountsSnapshots
from penstock.worker.housekeeping import clean
from penstock.worker.projector import Projector
from penstock.worker.stores import LedgerPlace, open_store
from tests.ledger.doubles import attempt, attempt_settled, opened, refused, settled
from tests.worker.doubles import BEFORE_NOTES, Sums, full_sum, project, rows, write

HOUR = 3_600_000
NOW = 1_790_000_000_000
SUBJECTS = [
    Subject(),
    Subject("acme", "", "", "dev"),
    Subject("acme", "a", "42", "dev"),
    Subject("b", "a", "42"),
]
FACTS = [("", "", ""), ("support", "s1", ""), ("support", "s1", "t1"), ("", "s2", "t1")]


@st.composite
def exchanges(draw: st.DrawFn, number: int) -> list[Event]:
    """One exchange with retries, cut off somewhere or nowhere."""
    subject = draw(st.sampled_from(SUBJECTS))
    route, session, task = draw(st.sampled_from(FACTS))
    at_ms = NOW - draw(st.sampled_from([0, 60_000, 1_200_000, 5 * HOUR]))
    tries = draw(st.integers(0, 3))
    ends: list[AttemptFacts] = []
    events: list[Event] = []
    for index in range(1, tries + 1):
        target = draw(st.sampled_from(["openai/gpt-4o", "mini"]))
        begun = opened(number, index, draw(st.none() | st.integers(0, 2_000)), at_ms + index)
        events.append(msgspec.structs.replace(begun, target=target))
        ended = attempt(index, draw(st.none() | st.integers(0, 1_000)))
        ends.append(msgspec.structs.replace(ended, target=target, opened_ms=at_ms + index))
        if index < tries or draw(st.booleans()):
            events.append(msgspec.structs.replace(attempt_settled(number, index), attempt=ends[-1]))
    # An attempt may turn out never to have reached its upstream.
    events.append(settled(number, ends[: draw(st.sampled_from([len(ends), max(0, len(ends) - 1)]))], at_ms))
    of_one = [_of(event, subject, route, session, task) for event in events]
    return of_one[: draw(st.integers(0, len(of_one)))]


def _of(event: Event, subject: Subject, route: str, session: str, task: str) -> Event:
    request: RequestFacts = msgspec.structs.replace(event.request, route=route, session=session, task=task)
    return msgspec.structs.replace(event, subject=subject, request=request)


@st.composite
def stories(draw: st.DrawFn) -> dict[str, list[Event]]:
    """For each of a few boots its exchanges, interleaved."""
    found: dict[str, list[Event]] = {}
    for boot in range(draw(st.integers(1, 3))):
        open_ones = [draw(exchanges(boot * 100 + number)) for number in range(draw(st.integers(1, 5)))]
        story: list[Event] = [refused(boot * 100 + 99)]
        while any(open_ones):
            story.append(draw(st.sampled_from([each for each in open_ones if each])).pop(0))
        found[f"b{boot}"] = story
    return found


class Killed(Exception):  # noqa: N818 - it is no error
    """The worker's process ends here."""


class Dying:
    """A store whose process is killed before or after its n-th commit; it can hear a commit twice."""

    def __init__(self, inner: LedgerStore, calls: int, *, after: bool, twice: bool) -> None:
        self.inner, self.calls, self.after, self.twice = inner, calls, after, twice
        self.positions, self.forget, self.fold = inner.positions, inner.forget, inner.fold
        self.state, self.stamp, self.count_tags = inner.state, inner.stamp, inner.count_tags
        self.close, self.judge, self.judgements = inner.close, inner.judge, inner.judgements

    def commit(
        self, boot: str, events: Sequence[tuple[int, Projected]], position: Position, gaps: Gaps
    ) -> None:
        self._step(lambda: self.inner.commit(boot, events, position, gaps))

    def finish(self, boot: str, position: Position, now_ms: int) -> int:
        self._step(lambda: self.inner.finish(boot, position, now_ms))
        return 0

    def _step(self, call: object) -> None:
        assert callable(call)
        self.calls -= 1
        if self.calls > 0 or self.after:
            for _ in range(1 + self.twice):
                call()
        if self.calls <= 0:
            raise Killed


def run_until_killed(place: LedgerPlace, data: st.DataObject) -> None:
    """A worker of which little is known but that it dies, at the latest when it has nothing left to do."""
    calls, size = data.draw(st.integers(1, 30)), data.draw(st.integers(1, 6))
    after, twice, writes = (data.draw(st.booleans()) for _ in range(3))
    with contextlib.closing(open_store(place)) as store:
        dying = Dying(store, calls, after=after, twice=twice)
        try:
            projector = Projector(
                place.state_dir / "journal",
                dying,
                is_locked=is_locked,
                now_ms=lambda: NOW,
                monotonic=lambda: 0.0,
                commit_records=size,
                most_records=size,
            )
            while projector.step():
                pass
        except Killed:
            pass
        if writes:
            AccountsSnapshots(place.state_dir, now_ms=lambda: NOW, monotonic=lambda: 0.0).write(store)


def plain(accounts: Mapping[str, Spent]) -> dict[str, dict[int, int]]:
    """Sums without what cancelled out; each total is that of its slots."""
    for spent in accounts.values():
        assert sum(spent.slots.values()) == spent.total
    found = {name: {slot: sum_ for slot, sum_ in each.slots.items() if sum_} for name, each in accounts.items()}
    return {name: slots for name, slots in found.items() if slots}


def over_boots(sums: Sums) -> dict[str, dict[int, int]]:
    """All boots together."""
    total: dict[str, dict[int, int]] = {}
    for accounts in sums.values():
        for account, slots in accounts.items():
            found = total.setdefault(account, {})
            for slot, nanousd in slots.items():
                found[slot] = found.get(slot, 0) + nanousd
    return total


def in_ledger(state: LedgerState) -> Sums:
    """The rows of a ledger in which nothing is under way."""
    assert not state.flights
    sums: Sums = {}
    for boot, account, slot, nanousd in state.spent:
        sums.setdefault(boot, {}).setdefault(account, {})[slot] = nanousd
    return sums


def assert_replay(state_dir: Path, expected: Sums, boots: Sequence[str]) -> None:
    """What a gateway that starts now believes, of all boots and of each."""
    spending = replay(state_dir, is_locked)
    assert plain(spending.by_account()) == over_boots(expected)
    for boot in boots:
        assert plain(spending.of_boot(boot)) == expected.get(boot, {})
        assert plain(spending_of_boot(state_dir, boot, is_locked)) == expected.get(boot, {})


@settings(max_examples=80, deadline=None)
@given(stories(), st.data())
def test_ledger_replay_and_the_plain_sum_agree_per_boot_and_in_all(
    by_boot: dict[str, list[Event]], data: st.DataObject
) -> None:
    """Gateways and workers die and come back, groups and commits are written twice: no sum changes."""
    expected = full_sum([(boot, event) for boot, story in by_boot.items() for event in story])
    with tempfile.TemporaryDirectory() as folder:
        state_dir = Path(folder)
        alive: list[Journal] = []
        for boot, story in by_boot.items():
            journal = write(state_dir, boot, story, close=False)
            if data.draw(st.booleans()):
                alive.append(journal)
                continue
            journal.close()
            if data.draw(st.booleans()):
                last = max((state_dir / "journal").glob(f"{boot}-*"))
                last.with_name(f"{boot}-000999.journal").write_bytes(last.read_bytes())
        for _ in range(data.draw(st.integers(0, 3))):
            run_until_killed(LedgerPlace(state_dir), data)
            assert_replay(state_dir, expected, list(by_boot))
        for journal in alive:
            journal.close()
        assert_replay(state_dir, expected, list(by_boot))
        store = SqliteLedger(state_dir / "ledger.db")
        project(state_dir, store)
        assert in_ledger(store.state(NOW)) == expected
        AccountsSnapshots(state_dir, now_ms=lambda: NOW, monotonic=lambda: 0.0).write(store)
        assert_replay(state_dir, expected, list(by_boot))
        while store.fold(NOW + 2 * HOUR):
            pass
        assert in_ledger(store.state(NOW + 2 * HOUR)) == ({"": over_boots(expected)} if expected else {})
        store.close()
        (state_dir / SNAPSHOT_NAME).unlink()
        assert_replay(state_dir, expected, list(by_boot))


def test_a_finished_ledger_and_its_snapshot_agree_after_compression(tmp_path: Path) -> None:
    """Interrupted charges, compressed segments and a snapshot give the same sums as the segments alone."""
    story: list[Event] = [opened(50), opened(51)]
    for number in range(30):
        story += [opened(number), settled(number)]
    write(tmp_path, "b1", story)
    project(tmp_path)
    expected = full_sum([("b1", event) for event in story])
    store = SqliteLedger(tmp_path / "ledger.db")
    assert_replay(tmp_path, expected, ["b1"])
    clean(tmp_path / "journal", store.positions(), is_locked=is_locked, retention_s=1e9, now_s=0)
    assert {path.suffix for path in (tmp_path / "journal").iterdir()} == {".gz"}
    assert_replay(tmp_path, expected, ["b1"])
    AccountsSnapshots(tmp_path, now_ms=lambda: NOW, monotonic=lambda: 0.0).write(store)
    store.close()
    assert_replay(tmp_path, expected, ["b1"])
    for path in (tmp_path / "journal").iterdir():
        path.unlink()
    assert_replay(tmp_path, expected, ["b1"])


@pytest.mark.parametrize("folded", [False, True])
def test_what_is_older_than_slots_are_kept_counts_only_in_the_total(tmp_path: Path, *, folded: bool) -> None:
    """The snapshot stays small and the total never forgets; of sessions only the last day is kept."""
    old = settled(1, [attempt(1, 10)])
    new_ms = NOW + 41 * 24 * HOUR
    new = settled(2, [msgspec.structs.replace(attempt(1, 20), opened_ms=new_ms)], new_ms)
    write(tmp_path, "b1", [old, new])
    project(tmp_path)
    store = SqliteLedger(tmp_path / "ledger.db")
    while folded and store.fold(new_ms):
        pass
    AccountsSnapshots(tmp_path, now_ms=lambda: new_ms, monotonic=lambda: 0.0).write(store)
    store.close()
    spending = replay(tmp_path, is_locked)
    assert spending.spent("key:dev", new_ms - new_ms % HOUR, new_ms + HOUR) == 20
    assert (spending.spent("key:dev", 0, 1 << 62), spending.spent("key:x", 0, 1 << 62)) == (30, 0)
    spent = spending.by_account()
    assert spent["key:dev"] == Spent({new_ms // 900_000: 20}, 30)
    assert spent["session:acme/s1"] == Spent({new_ms // 900_000: 20}, 20)
    (tmp_path / SNAPSHOT_NAME).unlink()
    assert replay(tmp_path, is_locked).by_account() == spent


def test_a_boot_stays_apart_for_an_hour_after_its_end(tmp_path: Path) -> None:
    """So long its lease can be resolved from its own sums; a boot that lives is never folded."""
    write(tmp_path, "b1", [opened(1), settled(1)])
    journal = write(tmp_path, "b2", [opened(2)], close=False)
    store = SqliteLedger(tmp_path / "ledger.db")
    project(tmp_path, store)
    (ended,) = rows(tmp_path, "SELECT finished_ms FROM checkpoints WHERE boot = 'b1'")[0]
    assert not store.fold(ended + HOUR)
    assert {boot for boot, *_ in store.state(NOW).spent} == {"b1"}
    while store.fold(ended + HOUR + 1):
        pass
    assert {boot for boot, *_ in store.state(NOW).spent} == {""}
    store.close()
    journal.close()
    project(tmp_path)
    assert rows(tmp_path, "SELECT DISTINCT boot FROM spend ORDER BY 1") == [("",), ("b2",)]


def test_only_tags_that_have_budgets_get_accounts(tmp_path: Path) -> None:
    """The worker's set holds for the ledger; a gateway may know of one more, and has it from the journal."""
    store = SqliteLedger(tmp_path / "ledger.db")
    store.count_tags(frozenset({"feature"}))
    write(tmp_path, "b1", [opened(1), settled(1)])
    project(tmp_path, store)
    AccountsSnapshots(tmp_path, now_ms=lambda: NOW, monotonic=lambda: 0.0).write(store)
    store.close()
    assert replay(tmp_path, is_locked).by_account()["tag:acme/feature=search"].total == 123
    write(tmp_path, "b2", [opened(2)])
    assert replay(tmp_path, is_locked).by_account()["tag:acme/feature=search"].total == 623
    (tmp_path / SNAPSHOT_NAME).unlink()
    assert "tag:acme/feature=search" not in replay(tmp_path, is_locked).by_account()
    known = replay(tmp_path, is_locked, frozenset({"feature", "other"})).by_account()
    assert [name for name in known if name.startswith("tag:")] == ["tag:acme/feature=search"]


def test_a_damaged_or_older_snapshot_is_as_good_as_none(tmp_path: Path) -> None:
    """The whole journal is replayed instead."""
    write(tmp_path, "b1", [settled(1)])
    older = {"form": 1, "positions": {"b1": (1, 10**6, 10**6, True)}, "hours": {}, "totals": {}, "flights": {}}
    for data in (b"\x93garbage", msgspec.msgpack.encode(older)):
        (tmp_path / SNAPSHOT_NAME).write_bytes(data)
        assert read_snapshot(tmp_path / SNAPSHOT_NAME) is None
        assert replay(tmp_path, is_locked).by_account()["key:dev"].total == 123


OLDER = """
ALTER TABLE exchanges DROP COLUMN reported_cost_nanousd;
ALTER TABLE attempts DROP COLUMN reported_cost_nanousd;
DROP TABLE spend;
ALTER TABLE checkpoints DROP COLUMN finished_ms;
CREATE TABLE spend_hourly (key TEXT, hour INTEGER, nanousd INTEGER, estimated_nanousd INTEGER, attempts INTEGER,
  unpriced INTEGER, PRIMARY KEY (key, hour)) WITHOUT ROWID;
CREATE TABLE spend_total (key TEXT PRIMARY KEY, nanousd INTEGER NOT NULL) WITHOUT ROWID;
CREATE TRIGGER attempt_spends AFTER INSERT ON attempts BEGIN
  INSERT INTO spend_total VALUES (NEW.key, 0) ON CONFLICT DO NOTHING;
END;
PRAGMA user_version = 2;
"""


@pytest.mark.parametrize("version", [1, 2])
def test_a_ledger_of_an_older_version_is_brought_up_to_date(tmp_path: Path, version: int) -> None:
    """Its rows stay and are added up by account; a reader that comes too early says what to do."""
    story = [opened(1), settled(1), opened(2), attempt_settled(2, 1, 7), opened(2, 2)]
    journal = write(tmp_path, "b1", story, close=False)
    project(tmp_path)
    whole = SqliteLedger(tmp_path / "ledger.db").state(NOW).spent
    database = sqlite3.connect(tmp_path / "ledger.db")
    database.executescript(BEFORE_NOTES)
    database.executescript(OLDER)
    if version == 1:
        for table in ("exchanges", "attempts"):
            database.execute(f"ALTER TABLE {table} DROP COLUMN service_tier")
        database.execute("PRAGMA user_version = 1")
    database.close()
    with pytest.raises(LedgerError, match="a worker that starts brings older ones up to date"):
        open_reader(tmp_path / "ledger.db")
    store = SqliteLedger(tmp_path / "ledger.db")
    by_account = {(account, slot): nanousd for _, account, slot, nanousd in whole}
    found: dict[tuple[str, int], int] = {}
    for _, account, slot, nanousd in store.state(NOW).spent:
        found[account, slot] = found.get((account, slot), 0) + nanousd
    assert found == by_account
    assert {boot for boot, *_ in store.state(NOW).spent} == {"", "b1"}
    store.close()
    journal.close()
    flex = msgspec.structs.replace(attempt(), service_tier="flex")
    write(tmp_path, "b2", [opened(3), settled(3, [flex])])
    project(tmp_path)
    assert rows(tmp_path, "SELECT service_tier FROM attempts ORDER BY request_id")[-1] == ("flex",)
    assert rows(tmp_path, "SELECT sum(nanousd) FROM spend WHERE account = 'key:dev'") == [
        (123 + 7 + 500 + 123,)
    ]


def test_an_interrupted_exchange_is_charged_to_all_its_accounts(tmp_path: Path) -> None:
    """What a dead boot left open counts at its reservation, before and after the worker settles it."""
    write(tmp_path, "b1", [opened(1, reserved=900)])
    before = plain(spending_of_boot(tmp_path, "b1", is_locked))
    assert before["user:acme/42"] == {NOW // 900_000: 900}
    project(tmp_path)
    store = SqliteLedger(tmp_path / "ledger.db")
    assert in_ledger(store.state(NOW)) == {"b1": before}
    store.close()


def test_the_worker_learns_from_the_published_configuration_which_tags_have_budgets(tmp_path: Path) -> None:
    """Tags with limits only are not counted; a new configuration is seen without a restart."""
    state = StateDir(tmp_path)
    tags = PublishedFacts(state).tags
    assert tags() == frozenset()
    for name in ("feature", "project"):
        bounds = Allowed(budget=Budget(usd=Decimal(1), window="day"))
        values = {name: {"*": bounds}, "quiet": {"*": Allowed()}}
        document = Document(version=1, orgs={"acme": Org(tags=values)})
        write_snapshot(state.snapshot, make_snapshot(document, {}, NOW, b""), LazyBox(tmp_path, {}, "snapshot"))
        assert tags() == frozenset({name})
    state.snapshot.write_bytes(b"damaged")
    assert tags() == frozenset({"project"})
