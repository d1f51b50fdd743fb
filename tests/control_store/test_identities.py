"""What every store of logins has to do, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from penstock.adapters.control_db.engine import open_postgresql, open_sqlite
from penstock.adapters.control_db.identity import SqlIdentityStore
from penstock.adapters.control_db.store import SqlControlStore
from penstock.ports.control_store import StoreError
from penstock.ports.identity_store import Flow, Granted, Identity, Password, Session
from tests.databases.postgres import PostgresServer

# Opens the same database once more, as another machine would.
Opener = Callable[[], SqlIdentityStore]
HOUR_MS = 3_600_000
NOW = 1_900_000_000_000


@pytest.fixture(params=["sqlite", "postgresql"])
def identities(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """One database, opened as often as it is called."""
    url = ""
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("server")
        url = server.database()
    opened: list[SqlControlStore] = []

    def open_store() -> SqlIdentityStore:
        engine = open_postgresql(url) if url else open_sqlite(tmp_path / "control.db")
        opened.append(SqlControlStore(engine))
        opened[-1].prepare()
        return SqlIdentityStore(engine)

    yield open_store
    for store in opened:
        store.close()


@pytest.fixture
def store(identities: Opener) -> SqlIdentityStore:
    """An empty store."""
    return identities()


def session(digest: str, user: str = "ann", **more: object) -> Session:
    """A session of somebody in acme."""
    made = Session(
        digest=digest, org="acme", user=user, born_ms=1, method="oidc:staff", address="192.0.2.1",
        created_ms=NOW, seen_ms=NOW, expires_ms=NOW + HOUR_MS,
        grants=(Granted("admin", "acme"), Granted("member", "acme", "é")),
    )  # fmt: skip
    return msgspec.structs.replace(made, **more)


def flow(digest: str, created_ms: int = NOW) -> Flow:
    """A login that has begun."""
    return Flow(
        digest=digest, provider="staff", browser="b", nonce="n", verifier="v", next="/ui", created_ms=created_ms
    )


def test_a_password_is_replaced_and_forgotten(store: SqlIdentityStore) -> None:
    """One for each person of each organisation, the installation's own included."""
    first = Password(org="acme", user="Ann", born_ms=1, hash="$argon2id$1", changed_ms=NOW)
    own = msgspec.structs.replace(first, org="", hash="$argon2id$0")
    for one in (first, own):
        store.keep_password(one)
    second = msgspec.structs.replace(first, hash="$argon2id$2", born_ms=2)
    store.keep_password(second)
    assert store.password("acme", "Ann") == second
    assert store.password("", "Ann") == own
    assert store.password("acme", "ann") is None
    assert store.forget_password("acme", "Ann")
    assert not store.forget_password("acme", "Ann")
    assert store.password("", "Ann") == own


def test_a_session_comes_back_as_it_was(store: SqlIdentityStore) -> None:
    """With its roles; those of one person are listed, the newest first, and nobody else's."""
    old, new = session("d1"), session("d2", created_ms=NOW + 1, grants=())
    for one in (old, new, session("d3", user="bob"), session("d4", org="beta")):
        store.add_session(one)
    assert store.session("d1") == old
    assert store.sessions("acme", "ann") == [new, old]
    store.touch_session("d1", NOW + 9)
    assert store.session("d1") == msgspec.structs.replace(old, seen_ms=NOW + 9)
    assert store.session("none") is None


def test_sessions_end_one_by_one_and_all_but_one(store: SqlIdentityStore) -> None:
    """Each end says whether there was something to end."""
    for digest in ("d1", "d2", "d3"):
        store.add_session(session(digest))
    store.add_session(session("d4", user="bob"))
    assert store.end_session("d1")
    assert not store.end_session("d1")
    assert store.end_sessions("acme", "ann", but="d2") == 1
    assert [one.digest for one in store.sessions("acme", "ann")] == ["d2"]
    assert store.end_sessions("acme", "ann") == 1
    assert store.session("d4") is not None


def test_no_two_sessions_share_a_digest(store: SqlIdentityStore) -> None:
    """The second one is refused, and the first one stays."""
    store.add_session(session("d1"))
    with pytest.raises(StoreError):
        store.add_session(session("d1", user="bob"))
    found = store.session("d1")
    assert found is not None
    assert found.user == "ann"


def test_attempts_wait_longer_each_time_and_are_forgotten(store: SqlIdentityStore) -> None:
    """After the free ones the wait doubles up to the longest; an hour of rest, or success, forgets them."""
    bounds = {"pair": (2, 3_000)}
    now = NOW
    assert [store.attempt(bounds, now) for _ in range(3)] == [0, 0, now + 1_000]
    for wait in (1_000, 2_000, 3_000, 3_000):
        assert store.attempt(bounds, now + wait - 1) == now + wait
        now += wait
        assert store.attempt(bounds, now) == 0
    store.forgive(["pair"])
    assert [store.attempt(bounds, now) for _ in range(3)] == [0, 0, now + 1_000]
    now += HOUR_MS
    assert [store.attempt(bounds, now) for _ in range(3)] == [0, 0, now + 1_000]


def test_one_blocked_name_counts_nothing_under_the_others(store: SqlIdentityStore) -> None:
    """Whoever is refused for one reason uses up nothing elsewhere."""
    assert store.attempt({"a": (1, 9_000)}, NOW) == 0
    for _ in range(3):
        assert store.attempt({"a": (1, 9_000), "b": (1, 9_000)}, NOW) == NOW + 1_000
    assert store.attempt({"b": (1, 9_000)}, NOW) == 0


def test_attempts_at_the_same_moment_are_all_counted(identities: Opener) -> None:
    """However many come at once, over several machines, only the free ones get through."""
    stores = [identities() for _ in range(3)]
    let_through: list[bool] = []
    errors: list[Exception] = []

    def guess(store: SqlIdentityStore) -> None:
        for _ in range(8):
            try:
                let_through.append(store.attempt({"account": (5, HOUR_MS // 2)}, NOW) == 0)
            except StoreError as error:
                errors.append(error)

    threads = [threading.Thread(target=guess, args=(store,)) for store in stores for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert (sum(let_through), len(let_through)) == (5, 48)


def test_a_begun_login_is_taken_once(identities: Opener) -> None:
    """By one of many that try at the same moment, on several machines."""
    stores = [identities() for _ in range(3)]
    stores[0].add_flow(flow("s1"))
    taken: list[Flow | None] = []

    def take(store: SqlIdentityStore) -> None:
        taken.append(store.take_flow("s1"))

    threads = [threading.Thread(target=take, args=(store,)) for store in stores for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one for one in taken if one is not None] == [flow("s1")]
    assert len(taken) == 9


def test_a_subject_is_somebody_in_each_organisation(store: SqlIdentityStore) -> None:
    """The last link counts; a person may have several, and unlinking forgets them all."""
    first = Identity(issuer="https://a.example", subject="S", org="acme", user="ann", born_ms=1)
    others = [
        msgspec.structs.replace(first, org="beta", user="bea"),
        msgspec.structs.replace(first, issuer="https://b.example"),
        msgspec.structs.replace(first, subject="s"),
    ]
    for one in (first, *others):
        store.link(one)
    assert store.identity("https://a.example", "S", "acme") == first
    assert store.identity("https://a.example", "S", "beta") == others[0]
    assert store.identity("https://a.example", "S", "") is None
    moved = msgspec.structs.replace(first, user="anna", born_ms=2)
    store.link(moved)
    assert store.identity("https://a.example", "S", "acme") == moved
    assert sorted(one.issuer for one in store.identities("acme", "ann")) == [
        "https://a.example",
        "https://b.example",
    ]
    assert store.unlink("acme", "ann") == 2
    assert store.identities("acme", "ann") == []
    assert store.identity("https://a.example", "S", "beta") == others[0]


def test_what_is_over_is_pruned(store: SqlIdentityStore) -> None:
    """Sessions that expired or lay idle, logins that nobody finished, attempts of an hour ago; nothing else."""
    store.add_session(session("live"))
    store.add_session(session("expired", expires_ms=NOW))
    store.add_session(session("idle", seen_ms=NOW - 5_000))
    store.add_flow(flow("old", NOW - 600_000))
    store.add_flow(flow("new"))
    store.attempt({"old": (1, HOUR_MS)}, NOW - HOUR_MS)
    store.attempt({"new": (1, HOUR_MS)}, NOW)
    store.prune(NOW, 5_000)
    assert [one.digest for one in store.sessions("acme", "ann")] == ["live"]
    assert store.take_flow("old") is None
    assert store.take_flow("new") == flow("new")
    assert store.attempt({"new": (1, HOUR_MS)}, NOW) > NOW
    assert store.attempt({"old": (1, HOUR_MS)}, NOW) == 0


def test_everything_is_there_for_the_next_process(identities: Opener) -> None:
    """Another one that opens the database finds all of it."""
    first = identities()
    first.add_session(session("d1"))
    first.keep_password(Password(org="acme", user="ann", born_ms=1, hash="h", changed_ms=NOW))
    second = identities()
    assert second.session("d1") == session("d1")
    assert second.password("acme", "ann") is not None


def test_a_database_that_is_away_is_said_so() -> None:
    """Every method raises the store's own error, whose message holds no password."""
    store = SqlIdentityStore(open_postgresql("postgresql://u:hidden-word@127.0.0.1:1/d"))
    for ask in (
        lambda: store.password("a", "b"),
        lambda: store.attempt({"a": (1, 1)}, NOW),
        lambda: store.take_flow("d"),
    ):
        with pytest.raises(StoreError) as caught:
            ask()
        assert "hidden-word" not in str(caught.value)
