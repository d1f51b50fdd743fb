"""Judgements as every store of the ledger counts them."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import Any

import msgspec
import pytest

from penstock.adapters.ledger.columns import USES_OF_TOOLS
from penstock.adapters.ledger.judgements import FOREIGN, UNKNOWN, WAITING, WORDS
from penstock.adapters.postgres.connection import connect
from penstock.core.drills import Side, report_of
from penstock.core.exchange import COHORT, Drilled, ExchangeSettled, Judged, Projected, Subject
from penstock.core.scores import SLOT_MS, Sum
from penstock.ports.ledger import Gaps, LedgerStore, Position
from penstock.worker.rebuild import rebuild
from penstock.worker.stores import LedgerPlace, open_store
from tests.ledger.doubles import attempt, facts, opened, settled
from tests.ledger_stores.test_conformance import reader_at, store_at

AT = 1_790_000_000_000
SLOT = AT // SLOT_MS
MINE = Subject("acme", "research", "", "app")


def said(request_id: str = "", value: float | None = 1.0, at_ms: int = AT + 1_000, **more: Any) -> Judged:
    """Feedback from the application of the team."""
    values: dict[str, Any] = {"subject": MINE, "source": "feedback", "name": "helpful", **more}
    return Judged("fb_1", at_ms, value=value, request_id=request_id, **values)


def answered(number: int, *, success: bool = True, cohort: str = "", **more: Any) -> ExchangeSettled:
    """An exchange; a cohort stands in its notes."""
    notes = {COHORT: cohort} if cohort else {}
    return msgspec.structs.replace(settled(number), success=success, notes=notes, **more)


def commit(store: LedgerStore, *events: Projected, first: int = 1, boot: str = "b1") -> None:
    """Project some events."""
    pairs = list(enumerate(events, first))
    store.commit(boot, pairs, Position(1, 100 * (first + len(events)), first + len(events) - 1), Gaps())


def of(store: LedgerStore, name: str) -> list[Sum]:
    """The sums of one score."""
    return [each for each in store.judgements(0) if each[4] == name]


def test_quality_gates_write_the_score_success_by_route_target_and_cohort(place: LedgerPlace) -> None:
    """What the gateway asked itself, what clients broke off and what was the caller's fault says nothing."""
    own = msgspec.structs.replace(facts(6), purpose="eval")
    with store_at(place) as store:
        commit(
            store,
            answered(1),
            answered(2, success=False),
            answered(3, cohort="search"),
            answered(4, outcome="cancelled", success=False),
            answered(5, outcome="error", status=400, success=False),
            msgspec.structs.replace(settled(6), request=own),
            answered(7, outcome="error", status=503, success=False),
        )
        assert of(store, "success") == [
            (SLOT, "support", "openai/gpt-4o", "", "success", 3, 1.0),
            (SLOT, "support", "openai/gpt-4o", "search", "success", 1, 1.0),
        ]


def test_feedback_counts_for_who_answered_and_the_last_word_holds(place: LedgerPlace) -> None:
    """Later feedback under the same name takes the earlier one's place, in its minute."""
    with store_at(place) as store:
        commit(store, answered(1, cohort="search"), said("req_00000001", 1.0))
        assert of(store, "helpful") == [(SLOT, "support", "openai/gpt-4o", "search", "helpful", 1, 1.0)]
        commit(store, said("req_00000001", 0.25, AT + 120_000), first=3)
        assert [(each[0], *each[5:]) for each in of(store, "helpful")] == [(SLOT, 0, 0.0), (SLOT + 2, 1, 0.25)]


@pytest.mark.parametrize("who", [Subject("globex", "", "", "app"), Subject("acme", "sales", "", "app")])
def test_nobody_judges_what_is_anothers(place: LedgerPlace, who: Subject) -> None:
    """Neither another organisation nor another team; a key of the whole organisation may."""
    with store_at(place) as store:
        commit(store, answered(1), said("req_00000001", 0.0, subject=who))
        assert of(store, "helpful") == []
        commit(store, said("req_00000001", subject=Subject("acme", "", "", "app")), first=3)
        assert [each[5] for each in of(store, "helpful")] == [1]
    with reader_at(place) as reader:
        assert FOREIGN in {line.state for line in reader.said(0)}


def test_feedback_waits_for_an_exchange_that_another_machine_has_still_to_write(place: LedgerPlace) -> None:
    """It counts as soon as the row is there, once; what nobody ever writes is given up after an hour."""
    with store_at(place) as store:
        commit(store, said("req_00000001", 0.5), said("req_00000009", 0.5))
        assert of(store, "helpful") == []
        assert store.judge(AT + 2_000) == 2
        commit(store, answered(1), boot="b2")
        assert store.judge(AT + 3_000) == 2
        assert store.judge(AT + 4_000) == 1
        assert [each[5:] for each in of(store, "helpful")] == [(1, 0.5)]
        assert store.judge(AT + 3_700_000) == 0
    with reader_at(place) as reader:
        states = {line.state for line in reader.said(0)}
    assert UNKNOWN in states
    assert WAITING not in states


def test_an_outcome_of_a_session_counts_once_for_each_target_that_took_part(place: LedgerPlace) -> None:
    """Sessions of the same name in other organisations have nothing to do with it."""
    other = [msgspec.structs.replace(attempt(), target="anthropic/claude")]
    stranger = msgspec.structs.replace(settled(4), subject=Subject("globex", "", "", "k"))
    with store_at(place) as store:
        commit(
            store,
            answered(1),
            answered(2),
            answered(3, attempts=other),
            stranger,
            said(session="s1", value=0.0, name="resolved", label="escalated", at_ms=AT + 60_000),
        )
        found = {(target, n, total) for _, _, target, _, _, n, total in of(store, "resolved")}
    assert found == {("openai/gpt-4o", 1, 0.0), ("anthropic/claude", 1, 0.0)}


def test_a_judge_says_itself_whom_it_judges_and_words_alone_count_for_nothing(place: LedgerPlace) -> None:
    """A verdict needs no row of an exchange; an unreadable one is on record without a score."""
    place_of: dict[str, Any] = {"route": "support", "target": "a", "cohort": "x"}
    verdict: dict[str, Any] = {"source": "judge", "name": "quality", **place_of}
    with store_at(place) as store:
        commit(
            store,
            said("req_1", 0.75, **verdict),
            said("req_2", None, label="unreadable verdict", **verdict),
        )
        assert of(store, "quality") == [(SLOT, "support", "a", "x", "quality", 1, 0.75)]
    with reader_at(place) as reader:
        (lost,) = [line for line in reader.said(0, "support") if line.state == WORDS]
    assert (lost.label, lost.count) == ("unreadable verdict", 1)


def test_what_is_projected_twice_counts_once(place: LedgerPlace) -> None:
    """A commit whose answer was lost is repeated as a whole."""
    events: list[Projected] = [answered(1), said("req_00000001")]
    with store_at(place) as store:
        for _ in range(2):
            commit(store, *events)
        assert [each[5] for each in store.judgements(0)] == [1, 1]


def test_a_rebuild_gives_the_same_sums(place: LedgerPlace) -> None:
    """Of the file anew, of the database completed: nothing counts twice."""
    from tests.worker.doubles import project, write  # noqa: PLC0415 - a journal is needed here alone

    journal: list[Any] = [opened(1), answered(1), said("req_00000001", 0.5), answered(2)]
    write(place.state_dir, "b1", journal)
    with store_at(place) as store:
        project(place.state_dir, store)
        before = store.judgements(0)
    assert len(before) == 2
    rebuild(place)
    with contextlib.closing(open_store(place)) as store:
        assert store.judgements(0) == before


# What came with this version and after it.
DROPPED = (
    "DROP TABLE drills; DROP TABLE feedback; DROP TABLE scores;"
    "DROP INDEX exchanges_session; DROP INDEX exchanges_task;"
    + "".join(
        [
            f"ALTER TABLE {table} DROP COLUMN {name};"
            for table in ("exchanges", "attempts")
            for name in USES_OF_TOOLS
        ]
    )
)


def test_a_ledger_of_the_version_before_gets_the_tables(place: LedgerPlace) -> None:
    """Rows stay, and feedback about them counts."""
    with store_at(place) as store:
        commit(store, answered(1))
    if place.database_url:
        with connect(place.database_url) as database:
            database.execute(DROPPED.encode())
            database.execute("UPDATE version SET number = 3")
    else:
        file = sqlite3.connect(place.state_dir / "ledger.db")
        file.executescript(DROPPED + "PRAGMA user_version = 6;")
        file.close()
    with store_at(place) as store:
        commit(store, said("req_00000001", 0.5), first=3)
        assert [each[4:] for each in store.judgements(0)] == [("helpful", 1, 0.5)]
    with reader_at(place) as reader:
        assert reader.scored(0) == {"req_00000001": {"helpful": 0.5}}


def test_what_came_of_a_drill_is_a_row_for_each_gateway(place: LedgerPlace) -> None:
    """The newest first, with the report as it was; projected twice it stands once."""
    side = Side()
    side.answered(5, 0.25)
    side.looked("text", "")
    over, seen = "its time is over", report_of(side, side)
    drill = Drilled("d1", "support", "spare", 0.05, AT, AT + 9, "done", over, planned=False, report=seen)
    newer = msgspec.structs.replace(drill, id="d2", began_ms=AT + 60_000, verdict="stopped")
    with store_at(place) as store:
        for _ in range(2):
            commit(store, drill, newer)
    with reader_at(place) as reader:
        rows = reader.drills("support")
        assert reader.drills("other") == []
    assert [(row["id"], row["verdict"], row["planned"]) for row in rows] == [
        ("d2", "stopped", False),
        ("d1", "done", False),
    ]
    assert rows[1]["report"]["drilled"]["kinds"] == {"text": 1}
    assert rows[1]["report"]["cost_ratio"] is None
