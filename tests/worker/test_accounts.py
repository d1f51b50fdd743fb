"""Snapshot and journal's tail together are the whole ledger, wherever the cut is."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.adapters.files.posix import is_locked
from penstock.adapters.sqlite.ledger import SqliteLedger
from penstock.core.exchange import Event
from penstock.ledger.accounts_replay import SNAPSHOT_NAME, read_snapshot, replay
from penstock.worker.accounts import AccountsSnapshots
from penstock.worker.housekeeping import clean
from penstock.worker.projector import Projector
from tests.ledger.doubles import attempt, attempt_settled, opened, refused, settled
from tests.worker.doubles import full_sum, project, write

HOUR = 3_600_000
NOW = 1_790_000_000_000


@st.composite
def stories(draw: st.DrawFn) -> list[Event]:
    """Exchanges with retries, some left open, interleaved."""
    exchanges: list[list[Event]] = []
    for number in range(draw(st.integers(1, 8))):
        tries = draw(st.integers(0, 3))
        costs = [draw(st.none() | st.integers(0, 1_000)) for _ in range(tries)]
        events: list[Event] = []
        for index, cost in enumerate(costs, 1):
            events.append(opened(number, index, reserved=draw(st.none() | st.integers(0, 2_000))))
            if index < tries:
                events.append(attempt_settled(number, index, cost))
        ends = [attempt(index, cost) for index, cost in enumerate(costs, 1)]
        events.append(settled(number, ends))
        exchanges.append(events[: draw(st.integers(0, len(events)))])
    story: list[Event] = []
    while any(exchanges):
        chosen = draw(st.sampled_from([each for each in exchanges if each]))
        story.append(chosen.pop(0))
    return [*story, refused(99)]


def totals(state_dir: Path) -> dict[str, int]:
    """What a gateway that starts now believes."""
    spent = replay(state_dir, is_locked)
    for each in spent.values():
        assert sum(each.hours.values()) == each.total
    return {key: each.total for key, each in spent.items() if each.total}


@settings(max_examples=60, deadline=None)
@given(stories(), st.data())
def test_snapshot_and_tail_are_the_full_sum_under_any_cut(story: list[Event], data: st.DataObject) -> None:
    """However far projection got when the snapshot was written, nothing is missing or doubled."""
    cut = data.draw(st.integers(0, len(story)))
    expected = {key: total for key, total in full_sum(story).items() if total}
    with tempfile.TemporaryDirectory() as folder:
        state_dir = Path(folder)
        journal = write(state_dir, "b1", story, close=False)
        store = SqliteLedger(state_dir / "ledger.db")
        projector = Projector(
            state_dir / "journal",
            store,
            is_locked=is_locked,
            now_ms=lambda: NOW,
            monotonic=lambda: 0.0,
            commit_records=1,
            most_records=1,
        )
        reader_calls = iter(range(10**6))
        original = store.commit

        class Cut(Exception):  # noqa: N818
            pass

        def commit(*args: object) -> None:
            if next(reader_calls) >= cut:
                raise Cut
            original(*args)  # type: ignore[arg-type]

        store.commit = commit  # type: ignore[method-assign]
        try:
            while projector.step():
                pass
        except Cut:
            pass
        AccountsSnapshots(state_dir, now_ms=lambda: NOW, monotonic=lambda: 0.0).write(store)
        assert totals(state_dir) == expected
        store.close()
        journal.close()
        assert totals(state_dir) == expected
        project(state_dir)
        assert totals(state_dir) == expected
        (state_dir / SNAPSHOT_NAME).unlink()
        assert totals(state_dir) == expected


def test_a_finished_ledger_and_its_snapshot_agree_after_compression(tmp_path: Path) -> None:
    """Interrupted charges, compressed segments and a snapshot give the same sums as the segments alone."""
    story: list[Event] = [opened(50), opened(51)]
    for number in range(30):
        story += [opened(number), settled(number)]
    write(tmp_path, "b1", story)
    project(tmp_path)
    expected = full_sum(story)
    store = SqliteLedger(tmp_path / "ledger.db")
    assert totals(tmp_path) == expected
    clean(tmp_path / "journal", store.positions(), is_locked=is_locked, retention_s=1e9, now_s=0)
    assert {path.suffix for path in (tmp_path / "journal").iterdir()} == {".gz"}
    assert totals(tmp_path) == expected
    AccountsSnapshots(tmp_path, now_ms=lambda: NOW, monotonic=lambda: 0.0).write(store)
    store.close()
    assert totals(tmp_path) == expected
    for path in (tmp_path / "journal").iterdir():
        path.unlink()
    assert totals(tmp_path) == expected


def test_hours_beyond_forty_days_count_only_in_the_total(tmp_path: Path) -> None:
    """The snapshot stays small; the total never forgets."""
    write(tmp_path, "b1", [settled(1, [attempt(1, 10)]), settled(2, [attempt(1, 20)])])
    project(tmp_path)
    store = SqliteLedger(tmp_path / "ledger.db")
    later = NOW + 41 * 24 * HOUR
    AccountsSnapshots(tmp_path, now_ms=lambda: later, monotonic=lambda: 0.0).write(store)
    store.close()
    assert replay(tmp_path, is_locked)["dev"].total == 30
    assert replay(tmp_path, is_locked)["dev"].hours == {}


def test_a_damaged_snapshot_is_as_good_as_none(tmp_path: Path) -> None:
    """The whole journal is replayed instead."""
    write(tmp_path, "b1", [settled(1)])
    (tmp_path / SNAPSHOT_NAME).write_bytes(b"\x93garbage")
    assert read_snapshot(tmp_path / SNAPSHOT_NAME) is None
    assert totals(tmp_path) == {"dev": 123}
