"""What every control store has to do."""

from __future__ import annotations

import threading
from typing import Any

import msgspec
import pytest

from penstock.adapters.control_db.engine import open_postgresql
from penstock.adapters.control_db.store import SqlControlStore
from penstock.ports.control_store import (
    AuditQuery,
    AuditRow,
    Change,
    Item,
    Query,
    Revision,
    RevisionQuery,
    Served,
    StoreError,
)
from tests.control_store.conftest import Opener


def team(org: str, name: str, **body: Any) -> Item:
    """A team of an organisation."""
    return Item(kind="team", org=org, name=name, team=name, body=body, version=1, created_ms=5, updated_ms=6)


def entry(seq: int, org: str = "acme", **said: Any) -> AuditRow:
    """A link of the chain with these fields."""
    row = AuditRow(
        seq=seq, entry=f'{{"seq":{seq}}}', previous="a", digest="b", ts_ms=seq * 1000, actor="op",
        action="create", kind="team", org=org, team="", name="t", outcome="done",
    )  # fmt: skip
    return msgspec.structs.replace(row, **said)


def names(items: list[Item]) -> list[tuple[str, str]]:
    """Whose and how called."""
    return [(item.org, item.name) for item in items]


def test_an_object_comes_back_as_it_was_put(store: SqlControlStore) -> None:
    """Every field survives, unusual text and nested bodies included; the second put replaces."""
    first = team("acme", "straße", budget={"usd": 1.5, "window": "day"}, note="a 'quoted' \u2028 text\x07")
    with store.writing() as writing:
        writing.put(first)
        second = msgspec.structs.replace(first, version=2, body={"a": [1, None, True]})
        assert writing.item("team", "acme", "straße") == first
        writing.put(second)
    with store.reading() as reading:
        assert reading.item("team", "acme", "straße") == second
        assert reading.all_items() == [second]
        assert reading.item("team", "acme", "strasse") is None


def test_what_raises_leaves_nothing(store: SqlControlStore) -> None:
    """A writing that ends badly is undone as a whole."""
    with pytest.raises(ZeroDivisionError), store.writing() as writing:  # noqa: PT012 - the block is the transaction
        writing.put(team("acme", "one"))
        writing.add_revision(
            Revision(number=1, created_ms=1, author="a", origin="api", reason="", content="c"), []
        )
        raise ZeroDivisionError
    with store.reading() as reading:
        assert (reading.head(), reading.all_items()) == (0, [])


def test_objects_are_listed_by_place_and_name_page_by_page(store: SqlControlStore) -> None:
    """Pages follow each other without gap or repetition, in the order of bytes, in any language."""
    wanted = [("a", "Z"), ("a", "a"), ("a", "ä"), ("b", "B"), ("b", "a-b"), ("b", "a_b")]
    with store.writing() as writing:
        for org, name in reversed(wanted):
            writing.put(team(org, name))
        writing.put(Item(kind="org", org="a", name="a", body={}))
    seen: list[tuple[str, str]] = []
    with store.reading() as reading:
        while page := reading.items(Query(kind="team", after=seen[-1] if seen else None, limit=2)):
            seen += names(page)
    assert seen == sorted(wanted, key=lambda pair: (pair[0].encode(), pair[1].encode()))


def test_objects_are_filtered_by_what_the_asker_may_see(store: SqlControlStore) -> None:
    """Scopes bound every list: an organisation, one team of it, or nothing at all."""
    with store.writing() as writing:
        for org in ("a", "b"):
            for name in ("x", "y"):
                writing.put(team(org, name))
        writing.put(Item(kind="route", name="r", body={}))
    with store.reading() as reading:

        def found(**said: Any) -> list[tuple[str, str]]:
            wanted: dict[str, Any] = {"kind": "team", **said}
            return names(reading.items(Query(**wanted)))

        assert found(scopes=None) == [("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")]
        assert found(scopes=(("a", ""),)) == [("a", "x"), ("a", "y")]
        assert found(scopes=(("a", "x"), ("b", "y"))) == [("a", "x"), ("b", "y")]
        assert found(scopes=()) == []
        assert found(scopes=(("", ""),)) == []
        assert found(kind="route", scopes=(("a", ""),)) == []
        assert found(org="b", prefix="x") == [("b", "x")]
        assert found(team="y", managed_by="api") == [("a", "y"), ("b", "y")]
        assert found(managed_by="file") == []
        assert found(prefix="%") == []


def test_an_object_can_be_removed(store: SqlControlStore) -> None:
    """What was removed is gone; removing it again harms nobody."""
    with store.writing() as writing:
        writing.put(team("a", "x"))
        writing.remove("team", "a", "x")
        writing.remove("team", "a", "x")
        assert writing.all_items() == []


def test_revisions_are_kept_with_what_they_changed(store: SqlControlStore) -> None:
    """Before and after come back whole, in order, and pages go from the newest back."""
    one, two = team("a", "x"), team("a", "x", budget={"usd": 1})
    with store.writing() as writing:
        for number, (before, after) in enumerate([(None, one), (one, two), (two, None)], 1):
            revision = Revision(
                number=number, created_ms=number, author="ann" if number < 3 else "file",
                origin="api", reason=f"r{number}", content="c",
            )  # fmt: skip
            change = Change(kind="team", org="a", name="x", before=before, after=after)
            writing.add_revision(revision, [change])
    with store.reading() as reading:
        assert reading.head() == 3
        assert [one.number for one in reading.revisions(RevisionQuery(limit=2))] == [3, 2]
        assert [one.number for one in reading.revisions(RevisionQuery(before=2))] == [1]
        assert [one.number for one in reading.revisions(RevisionQuery(author="ann"))] == [2, 1]
        assert reading.revisions(RevisionQuery(origin="file")) == []
        found = reading.changes(1, 3)
        assert [(number, c.before, c.after) for number, c in found] == [(2, one, two), (3, two, None)]
        middle = reading.revision(2)
        assert middle is not None
        assert middle.reason == "r2"
        assert reading.revision(9) is None


def test_a_revisions_number_cannot_be_taken_twice(store: SqlControlStore) -> None:
    """Whoever counts wrong is stopped by the database."""
    revision = Revision(number=1, created_ms=1, author="a", origin="api", reason="", content="c")
    with store.writing() as writing:
        writing.add_revision(revision, [])
    with pytest.raises(StoreError), store.writing() as writing:
        writing.add_revision(revision, [])


def test_audit_entries_are_searched_in_both_directions(store: SqlControlStore) -> None:
    """Each filter holds, pages go from the newest back, and the export from the oldest on."""
    with store.writing() as writing:
        writing.add_audit(entry(1))
        writing.add_audit(entry(2, org="beta", actor="ann", team="red"))
        writing.add_audit(entry(3, action="delete", outcome="denied", name="u"))
    with store.reading() as reading:

        def seqs(**said: Any) -> list[int]:
            return [row.seq for row in reading.audit(AuditQuery(**said))]

        assert seqs() == [3, 2, 1]
        assert seqs(oldest_first=True, after=1, limit=1) == [2]
        assert seqs(after=3) == [2, 1]
        assert seqs(actor="ann") == [2]
        assert seqs(action="delete", outcome="denied", kind="team", name="u") == [3]
        assert seqs(since_ms=2000, until_ms=3000) == [2]
        assert seqs(scopes=(("beta", ""),)) == [2]
        assert seqs(scopes=(("beta", "red"),)) == [2]
        assert seqs(scopes=(("beta", "blue"),)) == []
        assert reading.audit(AuditQuery(limit=1))[0] == entry(3, action="delete", outcome="denied", name="u")


def test_notes_and_what_gateways_serve_are_replaced(store: SqlControlStore) -> None:
    """The newest word counts, and who was not heard of for long is forgotten."""
    with store.writing() as writing:
        writing.keep_note("head", "1")
        writing.keep_note("head", "2")
        writing.say_served([Served(boot="a", machine="m", number=1, seen_ms=100)], 0)
        writing.say_served([Served(boot="a", machine="m", number=2, seen_ms=200)], 0)
        writing.say_served([Served(boot="b", machine="m", number=2, seen_ms=50)], 60)
    with store.reading() as reading:
        assert (reading.note("head"), reading.note("none")) == ("2", None)
        assert reading.served(0) == [Served(boot="a", machine="m", number=2, seen_ms=200)]
        assert reading.served(201) == []


def test_writings_of_several_processes_exclude_each_other(opener: Opener) -> None:
    """Many at once read, count up and write, and no count is lost; the tables are made once."""
    threads, rounds = 6, 5
    failures: list[BaseException] = []

    def count() -> None:
        try:
            store = opener()
            store.prepare()
            for _ in range(rounds):
                with store.writing() as writing:
                    value = int(writing.note("count") or "0")
                    writing.keep_note("count", str(value + 1))
        except BaseException as error:  # noqa: BLE001 - told to the test
            failures.append(error)

    running = [threading.Thread(target=count) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert failures == []
    with opener().reading() as reading:
        assert reading.note("count") == str(threads * rounds)


def test_a_reading_sees_one_state(opener: Opener) -> None:
    """What is committed while somebody reads does not change what he reads, and nobody waits."""
    store, other = opener(), opener()
    store.prepare()
    with store.writing() as writing:
        writing.put(team("a", "x"))
    with store.reading() as reading:
        assert names(reading.all_items()) == [("a", "x")]
        with other.writing() as writing:
            writing.put(team("a", "y"))
        assert names(reading.all_items()) == [("a", "x")]
    with store.reading() as reading:
        assert names(reading.all_items()) == [("a", "x"), ("a", "y")]


def test_a_database_url_that_cannot_be_used_is_explained_without_it() -> None:
    """Neither a foreign URL nor a wrong one is repeated: it may hold a password."""
    for url in ("mysql://root:hunter2@h/d", "postgresql://u:hunter2@h:notaport/d", "hunter2"):
        with pytest.raises(StoreError) as refused:
            open_postgresql(url)
        assert "hunter2" not in str(refused.value)
        assert "postgresql://" in str(refused.value)
