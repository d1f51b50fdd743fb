"""The audit log says who did what, and shows whoever tampers with it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable

import pytest

from penstock.control.audit import rows
from penstock.ports.control_store import AuditQuery
from tests.control.house import House


def entries(house: House, **query: object) -> list[dict[str, object]]:
    """What the log says, the oldest first."""
    with house.store.reading() as reading:
        return [json.loads(row.entry) for row in rows(reading, AuditQuery(**query))]  # type: ignore[arg-type]


def test_an_entry_says_who_did_what_to_which_object_from_where(house: House) -> None:
    """Before and after stand in it, secrets as fingerprints."""
    with house.client() as client:
        client.headers.update({"x-penstock-client": "203.0.113.9", "x-penstock-os-user": "alice"})
        client.put("/admin/api/providers/v?reason=why%20not", json={"kind": "openai", "api_key": "sk-secret"})
        client.put("/admin/api/providers/v", json={"kind": "openai", "api_key": "sk-other"})
    first, second = entries(house, kind="provider", name="v")
    assert (first["actor"], first["address"], first["action"]) == ("operator:alice", "203.0.113.9", "create")
    assert (first["reason"], first["before"], first["revision"]) == ("why not", None, 2)
    assert second["action"] == "update"
    assert second["before"] == first["after"] != second["after"]
    assert "sk-" not in json.dumps([first, second])


def test_refusals_and_failed_logins_are_entries_too(house: House) -> None:
    """A denied change and an unknown credential leave a trace; a flood of them does not fill the log."""
    viewer = house.member("acme", "eve", "viewer")
    with house.client(viewer) as client:
        assert client.put("/admin/api/orgs/acme/teams/new", json={}).status_code == 403
    [denied] = entries(house, outcome="denied")
    assert (denied["actor"], denied["name"]) == ("service-account:acme/eve", "new")
    with house.client("wrong") as client:
        for _ in range(50):
            assert client.get("/admin/api/orgs").status_code == 401
        assert len(entries(house, action="authenticate")) == 10
        house.now += 60_000
        client.get("/admin/api/orgs")
    assert "40 more like it" in str(entries(house, action="authenticate")[-1]["detail"])


def test_a_log_that_nobody_touched_is_whole(house: House) -> None:
    """After changes, refusals and a restart; an old head is still on the chain."""
    early = house.audit.verify(house.store)
    house.keys.create(house.owner, "acme", "k", {})
    house.close()
    house.open()
    later = house.audit.verify(house.store, early.head)
    assert early.valid
    assert later.valid
    assert later.entries == early.entries + 1
    assert later.flaws == []


def change_entry(db: sqlite3.Connection) -> None:
    """Say that somebody else did it."""
    db.execute("update audit set entry = replace(entry, 'operator:test', 'operator:mallory') where seq = 9")


def change_index(db: sqlite3.Connection) -> None:
    """Hide an entry from a search."""
    db.execute("update audit set org = 'elsewhere' where seq = 9")


def change_and_rehash_one(db: sqlite3.Connection) -> None:
    """Change an entry and its own digest, and not those after it."""
    import hashlib  # noqa: PLC0415 - the forger's tool

    entry, previous = db.execute("select entry, previous from audit where seq = 9").fetchone()
    entry = entry.replace("create", "update")
    digest = hashlib.sha256(f"9\n{previous}\n{entry}".encode()).hexdigest()
    db.execute("update audit set entry = ?, digest = ?, action = 'update' where seq = 9", (entry, digest))


def remove_middle(db: sqlite3.Connection) -> None:
    """Remove one entry."""
    db.execute("delete from audit where seq = 9")


def remove_and_renumber(db: sqlite3.Connection) -> None:
    """Remove one entry and close the gap."""
    db.execute("delete from audit where seq = 9")
    db.execute("update audit set seq = seq - 1 where seq > 9")


def remove_first(db: sqlite3.Connection) -> None:
    """Remove the beginning."""
    db.execute("delete from audit where seq = 1")


def swap(db: sqlite3.Connection) -> None:
    """Exchange two entries."""
    db.execute("update audit set seq = 99 where seq = 9")
    db.execute("update audit set seq = 9 where seq = 10")
    db.execute("update audit set seq = 10 where seq = 99")


def truncate(db: sqlite3.Connection) -> None:
    """Cut off the end."""
    db.execute("delete from audit where seq > 9")


def truncate_with_anchor(db: sqlite3.Connection) -> None:
    """Cut off the end, and the anchor with it."""
    truncate(db)
    db.execute("delete from notes where name = 'audit.anchor'")


def empty(db: sqlite3.Connection) -> None:
    """Remove everything."""
    db.execute("delete from audit")


def append(db: sqlite3.Connection) -> None:
    """Add a well-formed entry without the master key."""
    import hashlib  # noqa: PLC0415 - the forger's tool

    seq, entry, previous = db.execute(
        "select seq, entry, digest from audit order by seq desc limit 1"
    ).fetchone()
    entry = entry.replace(f'"seq":{seq}', f'"seq":{seq + 1}')
    digest = hashlib.sha256(f"{seq + 1}\n{previous}\n{entry}".encode()).hexdigest()
    db.execute(
        "insert into audit select ?, ?, ?, ?, ts_ms, actor, action, kind, org, team, name, outcome from audit"
        " where seq = ?",
        (seq + 1, entry, previous, digest, seq),
    )


def old_anchor(db: sqlite3.Connection) -> None:
    """Cut off the end and put an anchor back that fits it, kept from earlier."""
    (kept,) = db.execute("select value from notes where name = 'kept'").fetchone()
    db.execute("delete from audit where seq > (select max(seq) - 1 from audit)")
    db.execute("update notes set value = ? where name = 'audit.anchor'", (kept,))


TAMPERING: list[Callable[[sqlite3.Connection], None]] = [
    change_entry, change_index, change_and_rehash_one, remove_middle, remove_and_renumber, remove_first, swap,
    truncate, truncate_with_anchor, empty, append, old_anchor,
]  # fmt: skip


@pytest.mark.parametrize("tamper", TAMPERING, ids=lambda tamper: tamper.__name__)
def test_tampering_shows(house: House, tamper: Callable[[sqlite3.Connection], None]) -> None:
    """Whatever is done to the entries, verification says so."""
    for number in range(4):
        house.keys.create(house.owner, "acme", f"k{number}", {})
    with house.store.writing() as writing:
        writing.keep_note("kept", writing.note("audit.anchor") or "")
    house.keys.create(house.owner, "acme", "last", {})
    whole = house.audit.verify(house.store)
    assert whole.valid
    assert whole.entries > 10
    house.close()
    with sqlite3.connect(house.state.control_db) as db:
        tamper(db)
    db.close()
    verdict = house.audit.verify(house.store)
    assert not verdict.valid
    assert verdict.flaws


def test_a_head_kept_elsewhere_shows_a_log_that_was_made_anew(house: House) -> None:
    """Who has the master key can forge a whole log, but not the head that an auditor wrote down."""
    head = house.audit.verify(house.store).head
    number, _, digest = head.partition(":")
    forged = f"{number}:{'0' * len(digest)}"
    assert house.audit.verify(house.store, head).valid
    assert not house.audit.verify(house.store, forged).valid
    assert not house.audit.verify(house.store, "999:" + digest).valid
    assert not house.audit.verify(house.store, "nonsense").valid


def test_the_export_can_be_verified_by_hand(house: House) -> None:
    """Each line has its digests, and all lines are there, the oldest first."""
    house.keys.create(house.owner, "acme", "k", {})
    with house.client() as client:
        lines = [json.loads(line) for line in client.get("/admin/api/audit/export").text.splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert [line["previous"] for line in lines[1:]] == [line["digest"] for line in lines[:-1]]
    assert house.audit.verify(house.store).head == f"{lines[-1]['seq']}:{lines[-1]['digest']}"
