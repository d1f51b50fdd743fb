"""What the store does to an exchange: when it fails, when it is slow, when time passes."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from penstock.core.exchange import ExchangeSettled
from penstock.ports.owned import Owned
from tests.responses.house import House, code, house


class TestStore:
    """A store that fails or waits when it is told to; the calls come in the thread that `let` is called in."""

    __test__ = False

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], Owned] = {}
        self.broken = False
        self.slow = False
        self.held: list[Callable[[], None]] = []

    def _call(self, call: Callable[[], None]) -> None:
        if self.slow:
            self.held.append(call)
        else:
            call()

    def keep(self, record: Owned, then: Callable[[], None]) -> None:
        """See ports.owned."""
        if not self.broken:
            self.records[record.org, record.id] = record
        self._call(then)

    def find(
        self, org: str, name: str, then: Callable[[Owned | None], None], failed: Callable[[str], None]
    ) -> None:
        """See ports.owned."""
        found = self.records.get((org, name))
        self._call(lambda: failed("the disk is gone") if self.broken else then(found))

    def forget(self, org: str, name: str, then: Callable[[], None], failed: Callable[[str], None]) -> None:
        """See ports.owned."""
        if self.broken:
            self._call(lambda: failed("the disk is gone"))
            return
        self.records.pop((org, name), None)
        self._call(then)


@pytest.fixture
def store() -> TestStore:
    """The store of the next fixture."""
    return TestStore()


@pytest.fixture
def home(store: TestStore) -> Iterator[House]:
    """A house with that store."""
    with house(owned=store) as made:
        yield made


def test_a_record_says_whose_it_is_and_from_where(home: House, store: TestStore) -> None:
    """Owner, deployment, provider, thirty days; a conversation only where no vendor keeps it."""
    native, foreign = home.made("mixed"), home.made("foreign")
    one, other = store.records["acme", native], store.records["acme", foreign]
    assert (one.key, one.target, one.provider, one.kept) == ("dev", "one", "sim", b"")
    assert (other.target, other.provider) == ("three", "claude")
    assert b"Good day." in other.kept
    assert one.expires_ms - one.created_ms == 30 * 24 * 3_600_000


def test_a_store_that_fails_costs_no_answer(home: House, store: TestStore) -> None:
    """The answer comes; asking for it is a 503, which is not a 404, and nobody's place stays taken."""
    store.broken = True
    name = home.made("foreign")
    for told in (home.visit(name), home.visit(name, "DELETE"), home.create(previous_response_id=name)):
        assert code(told) == (503, "responses_unavailable")
        assert told.headers["retry-after"] == "1"
    store.broken = False
    assert code(home.visit(name)) == (404, "unknown_response")


def test_the_last_bytes_wait_for_the_record(home: House, store: TestStore) -> None:
    """A client that has an answer in full can use its id in any process: the record stands first."""
    store.slow = True
    told: list[str] = []
    thread = threading.Thread(target=lambda: told.append(home.made("foreign")))
    thread.start()
    _until(lambda: bool(store.held))
    assert store.records
    assert told == []
    home.gateway.call(store.held.pop())
    thread.join(20)
    assert told


@pytest.mark.parametrize("what", ["POST /v1/responses", "GET /v1/responses/resp_1"])
def test_a_client_that_goes_while_the_store_is_asked(home: House, store: TestStore, what: str) -> None:
    """Its place is given back once, nobody is asked upstream, and the late answer harms nothing."""
    store.slow = True
    body = b'{"model":"one","input":"x","previous_response_id":"resp_1"}' if what.startswith("POST") else b""
    head = f"{what} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer sk-dev\r\ncontent-length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", home.gateway.port)) as client:
        client.sendall(head.encode() + body)
        _until(lambda: bool(store.held))
    _until(lambda: not home.gateway.call(lambda: len(home.gateway.server.connections)))
    home.gateway.call(store.held.pop())
    settled = [each for each in home.gateway.events() if isinstance(each, ExchangeSettled)]
    assert [each.outcome for each in settled] == (["cancelled"] if body else [])
    assert home.paths() == []
    store.slow = False
    assert home.create().status == 200


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)
