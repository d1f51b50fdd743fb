"""What every store of the ledger does, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.adapters.ledger.reading import LedgerReader, UnknownDimensionError
from penstock.core.exchange import Event
from penstock.ports.ledger import Gaps, LedgerState, LedgerStore, Position
from penstock.worker.rebuild import rebuild
from penstock.worker.stores import LedgerPlace, open_reader, open_store
from tests.databases.postgres import PostgresServer
from tests.ledger.doubles import attempt, attempt_settled, opened, refused, settled
from tests.worker.doubles import Sums, full_sum, project, write
from tests.worker.test_accounts import NOW, in_ledger, over_boots, run_until_killed, stories

HOUR = 3_600_000
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
    opened(6, reserved=None),
]
DONE = Position(1, 1_000, len(STORY))


@contextlib.contextmanager
def store_at(place: LedgerPlace) -> Generator[LedgerStore]:
    """The store, closed afterwards."""
    store = open_store(place)
    try:
        yield store
    finally:
        store.close()


@contextlib.contextmanager
def reader_at(place: LedgerPlace) -> Generator[LedgerReader]:
    """A reader, closed afterwards."""
    with contextlib.closing(open_reader(place)) as reader:
        yield reader


def logged(place: LedgerPlace) -> list[dict[str, Any]]:
    """All exchanges as `penstock logs --json` shows them."""
    with reader_at(place) as reader:
        return list(reader.exchanges(0, 0))


def pairs(events: list[Event], first: int = 1) -> list[tuple[int, Event]]:
    """Events with their numbers."""
    return list(enumerate(events, first))


def sums_of(state: LedgerState) -> Sums:
    """Settled spending."""
    sums: Sums = {}
    for boot, account, slot, nanousd in state.spent:
        sums.setdefault(boot, {}).setdefault(account, {})[slot] = nanousd
    return sums


def test_rows_have_every_value_that_the_events_had(place: LedgerPlace) -> None:
    """An exchange comes back with its names, numbers, tags and sums over attempts."""
    with store_at(place) as store:
        store.commit("b1", pairs(STORY), DONE, Gaps())
    one, two = logged(place)
    assert (one["request_id"], two["request_id"]) == ("req_00000001", "req_00000002")
    assert (one["org"], one["team"], one["user"], one["key"]) == ("acme", "research", "42", "dev")
    assert (one["ts"], one["stream"], one["success"]) == ("2026-09-21T14:13:20.000Z", False, True)
    assert (one["tags"], one["usage"]["input"], one["cost_nanousd"]) == ({"feature": "search"}, 90, 123)
    assert (two["attempts"], two["retries"], two["cost_nanousd"]) == (2, {"status_429": 1}, 130)


def test_what_is_under_way_and_what_is_spent_are_of_one_instant(place: LedgerPlace) -> None:
    """Open attempts with their accounts, charged ones by number, sums by boot, account and slot."""
    with store_at(place) as store:
        store.commit("b1", pairs(STORY), DONE, Gaps())
        state = store.state(NOW)
        assert state.positions == {"b1": DONE} == store.positions()
        assert sums_of(state)["b1"]["key:dev"] == {NOW // 900_000: 123 + 7 + 123 + 5}
        four, six = state.flights["req_00000004"], state.flights["req_00000006"]
        assert (four.boot, four.settled, [each.index for each in four.open]) == ("b1", (1,), [2])
        assert [each.reserved_nanousd for each in (*four.open, *six.open)] == [900, 0]
        assert "user:acme/42" in four.open[0].accounts


def test_a_commit_may_be_repeated_as_a_whole_or_in_part(place: LedgerPlace) -> None:
    """Where the answer to a commit was lost the worker begins again; nothing is counted twice or reopened."""
    with store_at(place) as store:
        store.commit("b1", pairs(STORY), DONE, Gaps(1, 5))
        before, stamp = store.state(NOW), store.stamp()
        store.commit("b1", pairs(STORY), DONE, Gaps(1, 5))
        store.commit("b1", pairs(STORY[:3]), Position(1, 300, 3), Gaps())
        assert (store.state(NOW), store.stamp()) == (before, stamp)
        more = [*STORY, settled(6, [attempt(1, 50)])]
        store.commit("b1", pairs(more), Position(1, 1_100, len(more)), Gaps())
        assert store.stamp() != stamp
        assert list(store.state(NOW).flights) == ["req_00000004"]
        assert sums_of(store.state(NOW))["b1"]["key:dev"] == {NOW // 900_000: 308}
    assert len(logged(place)) == 3


def test_a_failed_commit_leaves_nothing_half_done(place: LedgerPlace) -> None:
    """Rows and position come together or not at all."""
    with store_at(place) as store:
        broken: Any = [*pairs(STORY), (len(STORY) + 1, None)]
        with pytest.raises(AttributeError):
            store.commit("b1", broken, DONE, Gaps())
        assert (store.state(NOW).spent, store.positions()) == ([], {})
    assert logged(place) == []


def test_a_dead_boot_is_charged_at_its_reservations_once(place: LedgerPlace) -> None:
    """Its exchanges get rows with the tries that were charged before; finishing again changes nothing."""
    with store_at(place) as store:
        store.commit("b1", pairs(STORY), DONE, Gaps())
        assert store.finish("b1", DONE, NOW + 5) == 2
        state = store.state(NOW)
        assert state.flights == {}
        assert state.positions["b1"].finished
        assert sums_of(state)["b1"]["key:dev"] == {NOW // 900_000: 258 + 900}
        assert store.finish("b1", DONE, NOW + 5) == 0
        assert store.state(NOW) == state
    ends = {
        each["request_id"]: (each["outcome"], each["attempts"], each["cost_nanousd"]) for each in logged(place)
    }
    assert ends["req_00000004"] == ("interrupted", 2, 905)
    assert ends["req_00000006"] == ("interrupted", 1, None)


def test_absurd_values_do_not_stop_the_rows_beside_them(place: LedgerPlace) -> None:
    """Counts beyond 64 bits are cut; a character that a store refuses is replaced or kept, never fatal."""
    odd = msgspec.structs.replace(
        settled(2).request, tags={"a\x00": "b\x00\\u0000"}, session="s\x00", model="m\x00"
    )
    events: list[Event] = [
        settled(1, [msgspec.structs.replace(attempt(), cost_nanousd=2**64 - 1)]),
        msgspec.structs.replace(settled(2), request=odd),
        settled(3),
    ]
    with store_at(place) as store:
        store.commit("b1", pairs(events), Position(1, 10, 3), Gaps())
        assert sums_of(store.state(NOW))["b1"]["key:dev"] == {NOW // 900_000: 2**53 + 246}
        assert store.positions()["b1"].last_seq == 3
    one, two, three = logged(place)
    assert (one["cost_nanousd"], three["cost_nanousd"]) == (2**53, 123)
    assert [value.endswith("\\u0000") for value in two["tags"].values()] == [True]


def test_boots_are_forgotten_when_their_sums_are_folded(place: LedgerPlace) -> None:
    """Not before, and never while they live."""
    with store_at(place) as store:
        store.commit("b1", pairs(STORY), DONE, Gaps())
        store.commit("b2", pairs([settled(20)]), Position(1, 10, 1), Gaps())
        store.finish("b1", DONE, NOW)
        store.forget(["b1", "b2"])
        assert set(store.positions()) == {"b1", "b2"}
        assert not store.fold(NOW + HOUR)
        before = over_boots(sums_of(store.state(NOW)))
        while store.fold(NOW + HOUR + 1):
            pass
        assert set(sums_of(store.state(NOW))) == {"", "b2"}
        assert over_boots(sums_of(store.state(NOW))) == before
        store.forget(["b1", "b2"])
        assert set(store.positions()) == {"b2"}


def test_old_slots_are_folded_and_sessions_of_yesterday_deleted(place: LedgerPlace) -> None:
    """The total of everything but sessions stays."""
    later = NOW + 41 * 24 * HOUR
    with store_at(place) as store:
        store.commit("b1", pairs([settled(1), settled(2)]), Position(1, 10, 2), Gaps())
        unfolded = sums_of(store.state(later))
        while store.fold(later):
            pass
        assert sums_of(store.state(later)) == unfolded
        assert unfolded["b1"]["org:acme"] == {-1: 246}
        assert "session:acme/s1" not in unfolded["b1"]


def test_questions_group_by_names_tags_and_days(place: LedgerPlace) -> None:
    """Sums, errors, percentiles and unpriced requests, and a sentence for what cannot be asked."""
    unpriced = settled(8, [attempt(1, None)])
    with store_at(place) as store:
        events = [*STORY, unpriced]
        store.commit("b1", pairs(events), Position(1, 10, len(events)), Gaps())
    with reader_at(place) as reader:
        (line,) = reader.cost(["user", "day", "tag.feature", 'tag.o"dd'], 0)
        assert line.group == {"user": "42", "day": "2026-09-21", "tag.feature": "search", 'tag.o"dd': ""}
        assert (line.requests, line.errors, line.cost_nanousd, line.unpriced) == (3, 0, 253, 1)
        assert (line.input_tokens, line.output_tokens) == (270, 120)
        (top,) = reader.top([], 0)
        assert (top.requests, top.p50_ms, top.p95_ms, top.cost_nanousd, top.unpriced) == (3, 4.0, 4.0, 253, 1)
        assert [each.group for each in reader.top(["model", "key"], 0)] == [{"model": "gpt-4o", "key": "dev"}]
        assert reader.cost(["route"], NOW + 1) == reader.cost([], NOW + 1) == reader.top([], NOW + 1) == []
        assert [each["request_id"] for each in reader.exchanges(0, 2)] == ["req_00000002", "req_00000008"]
        with pytest.raises(UnknownDimensionError, match=r"tag\.NAME"):
            reader.cost(["colour"], 0)


def test_what_a_policy_noted_and_what_a_request_was_for_can_be_asked_for(place: LedgerPlace) -> None:
    """Both stand in the row, and requests are told apart by them."""
    arm = msgspec.structs.replace(settled(1), notes={"ab": "new", 'o"dd': "x"})
    mirrored = settled(2)
    mirrored = msgspec.structs.replace(
        mirrored, request=msgspec.structs.replace(mirrored.request, purpose="mirror", parent="req_00000001")
    )
    with store_at(place) as store:
        store.commit("b1", pairs([arm, mirrored]), Position(1, 10, 2), Gaps())
    with reader_at(place) as reader:
        by_arm = {line.group["note.ab"]: line.requests for line in reader.cost(["note.ab"], 0)}
        assert by_arm == {"new": 1, "": 1}
        by_purpose = {line.group["purpose"]: line.cost_nanousd for line in reader.cost(["purpose"], 0)}
        assert by_purpose == {"": 123, "mirror": 123}
        first, second = reader.exchanges(0, 0)
        assert (first["notes"], first["purpose"], first["parent"]) == ({"ab": "new", 'o"dd': "x"}, "", "")
        assert (second["notes"], second["purpose"], second["parent"]) == ({}, "mirror", "req_00000001")


def test_what_kept_answers_saved_is_summed_up(place: LedgerPlace) -> None:
    """Hits of the cache with what they saved; one without a price counts as a hit alone."""
    saved = [{"cache_saved_nanousd": "123"}, {"cache_saved_nanousd": "7"}, {}]
    hits = [
        msgspec.structs.replace(settled(number), cache=cache, notes=notes)
        for number, (cache, notes) in enumerate(zip(("exact", "semantic", "exact"), saved, strict=True), 1)
    ]
    with store_at(place) as store:
        store.commit("b1", pairs([*hits, settled(4)]), Position(1, 10, 4), Gaps())
    with reader_at(place) as reader:
        assert reader.saved(0) == (3, 130)
        assert reader.saved(NOW + 1_000_000_000) == (0, 0)


def test_there_is_no_ledger_before_the_first_worker(place: LedgerPlace) -> None:
    """A reader says so, and a worker makes it once."""
    with pytest.raises(FileNotFoundError):
        open_reader(place)
    for _ in range(2):
        with store_at(place) as store:
            assert store.positions() == {}
    assert logged(place) == []


def test_a_rebuild_gives_the_same_ledger(place: LedgerPlace) -> None:
    """From segments alone, and when most of it is there already."""
    write(place.state_dir, "b1", STORY)
    write(place.state_dir, "b2", [settled(20)])
    with store_at(place) as store:
        project(place.state_dir, store)
        before = over_boots(sums_of(store.state(NOW)))
        while store.fold(NOW + 2 * HOUR):
            pass
    rows = logged(place)
    done = rebuild(place)
    assert (done.records, done.exchanges, done.exchanges_before) == (len(STORY) + 1, 5, 5)
    assert [_timeless(each) for each in logged(place)] == [_timeless(each) for each in rows]
    with store_at(place) as store:
        assert over_boots(sums_of(store.state(NOW))) == before
        assert all(position.finished for position in store.positions().values())


def _timeless(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "total_ms"}


@pytest.fixture(scope="session")
def one_url(server: PostgresServer) -> str:
    """A database that each example empties: making one takes longer than the example."""
    return server.database()


@settings(max_examples=25, deadline=None)
@given(stories(), st.data())
def test_sums_agree_with_the_plain_ones_in_postgresql(
    one_url: str, by_boot: dict[str, list[Event]], data: st.DataObject
) -> None:
    """Workers that die between any two commits, and repeat some, add up what SQLite adds up."""
    expected = full_sum([(boot, event) for boot, story in by_boot.items() for event in story])
    with psycopg.connect(one_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS penstock_ledger CASCADE")
    with tempfile.TemporaryDirectory() as folder:
        place = LedgerPlace(Path(folder), one_url)
        for boot, story in by_boot.items():
            write(place.state_dir, boot, story)
        for _ in range(data.draw(st.integers(0, 3))):
            run_until_killed(place, data)
        with store_at(place) as store:
            project(place.state_dir, store)
            assert in_ledger(store.state(NOW)) == expected
            while store.fold(NOW + 2 * HOUR):
                pass
            assert in_ledger(store.state(NOW)) == ({"": over_boots(expected)} if expected else {})
