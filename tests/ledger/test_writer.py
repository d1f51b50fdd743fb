"""The journal's writer: order, space, failures."""

from pathlib import Path

import msgspec
import pytest

from penstock.adapters.files.posix import PosixDirectory, is_locked
from penstock.core.exchange import AlertRaised, Drilled, Event, ExchangeSettled, Judged, Record
from penstock.core.usage import Usage
from penstock.ledger.journal.format import scan
from penstock.ledger.journal.settings import JournalFull, JournalSettings
from tests.ledger.doubles import (
    FailingDirectory,
    FakeClock,
    attempt,
    attempt_settled,
    make_journal,
    opened,
    refused,
    settled,
)

SMALL = JournalSettings(segment_bytes=8_192, step_bytes=8_192)


def records(path: Path) -> list[Record]:
    """All records of a directory's segments, by file name."""
    found: list[Record] = []
    for file in sorted(path.glob("*.journal")):
        found += scan(file.read_bytes(), complete=True, final=True).records
    return found


def events(path: Path) -> list[Event]:
    """What the records say of requests."""
    return [each.event for each in records(path) if not isinstance(each.event, AlertRaised | Judged | Drilled)]


def test_a_turn_is_one_write_and_callbacks_follow_it_in_order(tmp_path: Path) -> None:
    """Nothing is called before the group is in the file, and then everything in order."""
    directory = FailingDirectory(tmp_path)
    clock = FakeClock()
    journal = make_journal(directory, clock)
    before = directory.done
    seen: list[tuple[str, int]] = []

    def note(name: str) -> None:
        seen.append((name, len(records(tmp_path))))

    journal.append(opened(1), lambda: note("a"))
    journal.after(lambda: note("b"))
    journal.append(settled(1), lambda: note("c"))
    assert seen == []
    clock.turn()
    assert directory.done == before + 1
    assert seen == [("a", 2), ("b", 2), ("c", 2)]
    assert journal.stats.records == 2


def test_a_broken_callback_harms_no_other(tmp_path: Path) -> None:
    """The exception is reported and the rest still runs."""
    errors: list[Exception] = []
    clock = FakeClock()
    journal = make_journal(PosixDirectory(tmp_path), clock, errors=errors)
    ran: list[str] = []

    def broken() -> None:
        raise ValueError("closed socket")

    journal.append(settled(1), broken)
    journal.append(settled(2), lambda: ran.append("second"))
    clock.turn()
    assert ran == ["second"]
    assert [str(error) for error in errors] == ["closed socket"]


def test_what_a_callback_appends_goes_into_the_next_turn(tmp_path: Path) -> None:
    """A callback may use the journal."""
    clock = FakeClock()
    journal = make_journal(PosixDirectory(tmp_path), clock)
    journal.append(opened(1), lambda: journal.append(settled(1)))
    clock.turn()
    assert len(records(tmp_path)) == 1
    clock.turn()
    assert [record.seq for record in records(tmp_path)] == [1, 2]


def test_segments_rotate_and_the_old_one_is_cut_and_unlocked(tmp_path: Path) -> None:
    """A closed segment has its exact size; only the newest is locked; no record is lost between them."""
    clock = FakeClock()
    journal = make_journal(PosixDirectory(tmp_path), clock, settings=SMALL)
    for number in range(1, 41):
        journal.append(opened(number))
        journal.append(settled(number))
        clock.turn()
    files = sorted(tmp_path.glob("*.journal"))
    assert len(files) > 2
    assert [is_locked(file) for file in files] == [False] * (len(files) - 1) + [True]
    assert files[0].stat().st_size <= 8_192
    assert not files[0].read_bytes().endswith(bytes(16))
    journal.close()
    assert not is_locked(files[-1])
    assert [record.seq for record in records(tmp_path)] == list(range(1, 81))


def test_a_full_disk_refuses_openings_but_takes_every_settlement(tmp_path: Path) -> None:
    """Every attempt that was opened can settle with the disk full; then there is room for a few more."""
    clock = FakeClock()
    journal = make_journal(FailingDirectory(tmp_path, limit=65_536), clock, settings=SMALL)
    number = 0
    full = False
    while not full:
        try:
            journal.append(opened(number + 1))
        except JournalFull:
            full = True
        else:
            number += 1
        clock.turn()
    assert number > 10
    clock.advance(1)
    with pytest.raises(JournalFull):
        journal.append(opened(number + 1))
    for each in range(1, number + 1):
        journal.append(attempt_settled(each))
        journal.append(settled(each, [attempt(1, 0, "error"), attempt(2)]))
        clock.turn()
    assert journal.open_exchanges == 0
    assert journal.stats.refused == 2
    assert len(records(tmp_path)) == 3 * number


def test_max_bytes_counts_what_other_writers_left(tmp_path: Path) -> None:
    """The limit holds for the directory, and the journal recovers when files go."""
    tmp_path.mkdir(exist_ok=True)
    old = tmp_path / "a0-000001.journal"
    old.write_bytes(bytes(60_000))
    clock = FakeClock()
    settings = JournalSettings(segment_bytes=8_192, step_bytes=8_192, max_bytes=64_000)
    journal = make_journal(PosixDirectory(tmp_path), clock, settings=settings)
    with pytest.raises(JournalFull):
        journal.append(opened(1))
    old.unlink()
    clock.advance(1)
    journal.append(opened(1))
    clock.turn()
    assert len(records(tmp_path)) == 1


def test_drop_and_count_goes_on_without_a_record(tmp_path: Path) -> None:
    """Under that policy a full journal costs records, not requests."""
    clock = FakeClock()
    settings = JournalSettings(step_bytes=4_096, on_full="drop_and_count")
    journal = make_journal(FailingDirectory(tmp_path, limit=4_096), clock, settings=settings)
    ran: list[int] = []
    for number in range(1, 11):
        journal.append(opened(number), lambda number=number: ran.append(number))
        clock.turn()
    assert ran == list(range(1, 11))
    assert journal.stats.dropped == 10 - len(records(tmp_path)) > 0


def test_a_refusal_is_dropped_when_there_is_no_room(tmp_path: Path) -> None:
    """A request that was turned away costs nobody anything, so it never blocks."""
    clock = FakeClock()
    journal = make_journal(
        FailingDirectory(tmp_path, limit=4_096), clock, settings=JournalSettings(step_bytes=4_096)
    )
    for number in range(1, 31):
        journal.append(refused(number))
        clock.turn()
    assert 0 < len(records(tmp_path)) < 30
    assert journal.stats.dropped == 30 - len(records(tmp_path))


@pytest.mark.parametrize("fail_at", range(1, 16))
@pytest.mark.parametrize("fails", [1, 3, 100])
def test_the_nth_io_failure_loses_no_settlement_and_starts_no_unrecorded_call(
    tmp_path: Path, fail_at: int, fails: int
) -> None:
    """Whatever fails, an upstream call has its opening on disk, and settlements arrive in the end."""
    errors: list[Exception] = []
    clock = FakeClock()
    directory = FailingDirectory(tmp_path, frozenset(range(fail_at, fail_at + fails)))
    settings = JournalSettings(segment_bytes=2_500, step_bytes=8_192, fsync="turn")
    journal = make_journal(directory, clock, settings=settings, errors=errors)
    sent: set[int] = set()
    for number in range(1, 7):
        try:
            journal.append(opened(number), lambda number=number: sent.add(number), lambda _: None)
        except JournalFull:
            continue
        clock.turn()
        on_disk = {event.request.request_id for event in events(tmp_path)}
        assert {f"req_{each:08d}" for each in sent} <= on_disk
        journal.append(settled(number))
        clock.turn()
    directory.fail_at = frozenset()
    clock.advance(1)
    journal.append(settled(99, []))
    clock.turn()
    journal.close()
    found = [record.seq for record in records(tmp_path)]
    ended = {
        event.request.request_id
        for event in events(tmp_path)
        if event == settled(int(event.request.request_id[4:]))
    }
    assert {f"req_{each:08d}" for each in sent} <= ended
    assert sorted(found) == list(range(1, len(found) + 1))
    assert errors


def test_fsync_by_interval_runs_off_the_turn(tmp_path: Path) -> None:
    """Turns within an interval share one background sync."""
    clock = FakeClock()
    directory = FailingDirectory(tmp_path)
    journal = make_journal(directory, clock, settings=JournalSettings(fsync="interval", fsync_interval_s=2))
    before = directory.done
    for number in (1, 2):
        journal.append(settled(number, []))
        clock.turn()
    assert directory.done == before + 2
    clock.advance(2)
    assert directory.done == before + 3
    journal.close()


def test_what_cannot_be_encoded_is_cut_and_kept(tmp_path: Path) -> None:
    """An upstream's absurd count or a client's broken text never costs the record."""
    clock = FakeClock()
    journal = make_journal(PosixDirectory(tmp_path), clock)
    usage = Usage(input_tokens=10**30)
    absurd = msgspec.structs.replace(attempt(), usage=usage, cost_nanousd=10**40, finish_reason="a\ud800b")
    journal.append(settled(1, [absurd]))
    clock.turn()
    ((event),) = [record.event for record in records(tmp_path)]
    assert isinstance(event, ExchangeSettled)
    kept = event.attempts[0]
    assert (kept.usage.input_tokens, kept.cost_nanousd, kept.finish_reason) == (2**53, 2**53, "a?b")
    assert msgspec.structs.replace(event, attempts=[]) == settled(1, [])


def test_a_dead_disk_fills_no_memory_and_recovers(tmp_path: Path) -> None:
    """While a group cannot be written openings are refused; what was open settles when the disk is back."""
    clock = FakeClock()
    directory = FailingDirectory(tmp_path)
    journal = make_journal(directory, clock)
    for number in (1, 2):
        journal.append(opened(number))
    clock.turn()
    directory.fail_at = frozenset(range(1, 100_000))
    journal.append(settled(1))
    clock.turn()
    for number in range(10, 200):
        with pytest.raises(JournalFull):
            journal.append(opened(number))
        journal.append(refused(number))
        clock.turn()
    assert journal.queued_bytes < 2_000
    journal.append(settled(2))
    clock.turn()
    directory.fail_at = frozenset()
    clock.advance(1)
    journal.append(opened(300))
    clock.turn()
    assert [record.event for record in records(tmp_path)] == [
        *(opened(1), opened(2)),
        *(settled(1), settled(2)),
        opened(300),
    ]
