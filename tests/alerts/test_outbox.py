"""The outbox: alerts come once, survive, and are tried again."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from penstock.adapters.files.posix import PosixDirectory, is_locked
from penstock.adapters.sqlite.ledger import SqliteLedger
from penstock.adapters.sqlite.outbox import KEPT_MS, SqliteOutbox
from penstock.core.alerts import Alert, Reading, Rule, Webhook
from penstock.core.exchange import AlertRaised, Entry
from penstock.ledger.accounts_replay import replay
from penstock.ports.alerts import Due, Numbered, Posted, Poster
from penstock.worker.alerts.courier import deliver_one, retry_at
from penstock.worker.projector import Projector
from penstock.worker.rebuild import rebuild
from penstock.worker.stores import LedgerPlace
from tests.ledger.doubles import FakeClock, make_journal, opened, settled
from tests.worker.doubles import SMALL, rows

HOOKS = (Webhook("a", "http://a/", ()), Webhook("b", "http://b/", (), kinds=("other",)))
DAY_MS = 86_400_000


def alert(at_ms: int = 1_000, fingerprint: str = "f", kind: str = "test.kind") -> Alert:
    """An alert."""
    return Alert(kind, "warning", at_ms, "thing", 1.0, 1.0, fingerprint, "it is so")


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[SqliteOutbox]:
    """An outbox with two webhooks, one of which wants other things, and a pause of ten seconds."""
    made = SqliteOutbox(tmp_path / "alerts.db", lambda: HOOKS, lambda: 10_000)
    yield made
    made.close()


def ids(outbox: SqliteOutbox) -> list[str]:
    """The ids of all alerts."""
    return [each["id"] for each in outbox.recent(100)]


def test_an_alert_is_logged_kept_and_handed_to_those_who_want_it(
    tmp_path: Path, outbox: SqliteOutbox, caplog: pytest.LogCaptureFixture
) -> None:
    """One line in the log, one delivery for the webhook that wants it, in a file for its owner alone."""
    with caplog.at_level(logging.WARNING):
        outbox.take([Numbered("b1-1", alert())])
    assert caplog.messages == ["alert warning test.kind: it is so (b1-1)"]
    assert outbox.due("a", 0) == Due("b1-1", alert(), 0, 1_000)
    assert outbox.due("b", 0) is None
    assert (tmp_path / "alerts.db").stat().st_mode & 0o777 == 0o600


def test_what_comes_twice_is_taken_once(outbox: SqliteOutbox) -> None:
    """The same number again changes nothing; another one of the same thing is news only after the pause."""
    first, soon, later = alert(), alert(10_999), alert(11_000)
    for _ in range(2):
        outbox.take([Numbered("b1-1", first), Numbered("b1-2", soon), Numbered("b1-3", later)])
    outbox.take([Numbered("b2-1", alert(11_001, "g"))])
    assert ids(outbox) == ["b1-1", "b1-3", "b2-1"]


def test_what_rules_see_is_remembered_over_a_restart(tmp_path: Path, outbox: SqliteOutbox) -> None:
    """Each step of a rising value is told once, also by a worker that begins anew."""
    rules = [Rule("budget.share", "info", each, each * 0.9, 0) for each in (0.5, 1.0)]

    def look(box: SqliteOutbox, value: float, now_ms: int) -> None:
        box.look([Reading(rule, "g", "key a", value, f"at {value}") for rule in rules], now_ms)

    look(outbox, 0.6, 1)
    look(outbox, 0.7, 2)
    again = SqliteOutbox(tmp_path / "alerts.db", lambda: HOOKS)
    look(again, 0.7, 3)
    look(again, 1.2, 4)
    look(again, 1.2, 5)
    assert [each["message"] for each in again.recent(9)] == ["at 0.6", "at 1.2"]
    again.close()


def posting(*answers: Posted) -> tuple[list[str], Poster]:
    """A poster that answers so, in turn, and the ids that it was given."""
    seen: list[str] = []
    left = list(answers)

    def post(webhook: Webhook, alert_id: str, alert: Alert) -> Posted:
        del webhook, alert
        seen.append(alert_id)
        return left.pop(0)

    return seen, post


def test_a_delivery_is_tried_again_until_it_arrives(outbox: SqliteOutbox) -> None:
    """After a failure it rests; the same id goes out again, and after the success nothing more."""
    outbox.take([Numbered("b1-1", alert())])
    seen, post = posting(Posted("down"), Posted("it answered 500"), Posted(""))
    now = [1_000]

    def step() -> bool:
        return deliver_one(HOOKS[0], outbox, post, lambda: now[0], lambda: 0.0)

    assert (step(), step()) == (True, False)
    (line,) = outbox.recent(1)
    assert line["deliveries"] == [{"webhook": "a", "state": "waiting", "attempts": 1, "error": "down"}]
    now[0] += 2_500
    assert (step(), step()) == (True, False)
    now[0] += 5_000
    assert (step(), step()) == (True, False)
    (line,) = outbox.recent(1)
    assert line["deliveries"] == [{"webhook": "a", "state": "sent", "attempts": 3, "error": ""}]
    assert seen == ["b1-1"] * 3


def test_waits_grow_with_jitter_and_end() -> None:
    """They double from 5 s to an hour, at least half of each, longer on request; three days are enough."""

    def wait(attempts: int, draw: float = 0.0, **more: float) -> float:
        at = retry_at(Posted("no", **more), Due("i", alert(0), attempts, 0), 1_000, draw)  # type: ignore[arg-type]
        assert at is not None
        return (at - 1_000) / 1000

    assert [wait(each) for each in (0, 1, 2, 30)] == [2.5, 5, 10, 1800]
    assert wait(0, 0.999) < 5
    assert wait(0, retry_after_s=60) == 60
    assert retry_at(Posted("no", final=True), Due("i", alert(0), 0, 0), 1, 0) is None
    assert retry_at(Posted("no"), Due("i", alert(0), 40, 0), 3 * DAY_MS, 0) is None


def test_what_is_old_goes(outbox: SqliteOutbox) -> None:
    """Thirty days are kept."""
    outbox.take([Numbered("b1-1", alert(0)), Numbered("b1-2", alert(KEPT_MS, "g"))])
    outbox.prune(KEPT_MS + 1)
    assert ids(outbox) == ["b1-2"]
    assert [each.id for each in [outbox.due("a", 0)] if each is not None] == ["b1-2"]


class Crash:
    """A ledger that fails at its n-th commit, after it or before it was done."""

    def __init__(self, store: SqliteLedger, at: int) -> None:
        self.left = at
        self.store = store

    def commit(self, *args: object) -> None:
        self.left -= 1
        if not self.left:
            raise sqlite3.OperationalError("the disk is gone")
        self.store.commit(*args)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> object:
        return getattr(self.store, name)


def journal_of(folder: Path, entries: Sequence[Entry]) -> None:
    """A journal with requests and alerts between them."""
    clock = FakeClock()
    journal = make_journal(PosixDirectory(folder / "journal"), clock, boot="b1", settings=SMALL)
    for entry in entries:
        journal.append(entry)
        clock.turn()
    journal.close()


def step_all(folder: Path, store: object, outbox: SqliteOutbox) -> None:
    """Project until nothing is left, alerts included."""

    def take(boot: str, entries: Sequence[tuple[int, Entry]]) -> None:
        outbox.take(
            [Numbered(f"{boot}-{n}", each.alert) for n, each in entries if isinstance(each, AlertRaised)]
        )

    projector = Projector(
        folder / "journal",
        store,  # type: ignore[arg-type]
        is_locked=is_locked,
        now_ms=lambda: 0,
        monotonic=lambda: 0.0,
        commit_records=2,
        most_records=2,
        alerts=take,
    )
    while projector.step():
        pass


@pytest.mark.parametrize("at", [1, 2, 3])
def test_alerts_in_a_journal_come_once_whatever_fails(tmp_path: Path, outbox: SqliteOutbox, at: int) -> None:
    """Broken off at any commit and begun again: each alert is there once, and the ledger has its rows."""
    raised = [AlertRaised(alert(20_000 * n, f"f{n}")) for n in range(3)]
    journal_of(tmp_path, [opened(1), raised[0], settled(1), raised[1], raised[2], settled(2)])
    store = SqliteLedger(tmp_path / "ledger.db")
    with pytest.raises(sqlite3.OperationalError):
        step_all(tmp_path, Crash(store, at), outbox)
    step_all(tmp_path, store, outbox)
    store.close()
    assert ids(outbox) == ["b1-2", "b1-4", "b1-5"]
    assert len(rows(tmp_path, "SELECT * FROM exchanges")) == 2
    assert rows(tmp_path, "SELECT undecoded FROM checkpoints") == [(0,)]
    assert replay(tmp_path, is_locked).by_account()["key:dev"].total == 246
    assert rebuild(LedgerPlace(tmp_path)).exchanges == 2
    assert ids(outbox) == ["b1-2", "b1-4", "b1-5"]
