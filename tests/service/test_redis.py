"""Gateways of several machines share limits and budgets through a real Redis, whatever dies or goes away."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import pytest

from penstock.testing.simulator import SimulatorThread
from tests.accounts.redis_server import RedisServer
from tests.clients.needed import needed
from tests.databases.postgres import PostgresServer, postgres_server
from tests.service.service import Service, until
from tests.service.workers import Clients, config, used

DOLLAR = "budget: {usd: 1, window: total}"


class Machines:
    """Several installations, each with a state directory of its own, on one Redis and one upstream."""

    def __init__(
        self, folder: Path, rules: str, *, count: int, model: str = "echo", database: str = ""
    ) -> None:
        self._database = database
        self._folder = folder
        self._rules = rules
        self._count = count
        self._model = model
        self._stack = ExitStack()
        self.services: list[Service] = []

    def __enter__(self) -> Self:
        stack = self._stack
        self.redis = stack.enter_context(RedisServer(needed("redis") / "redis-server", self._folder))
        self.upstream = stack.enter_context(SimulatorThread())
        text = config(self.upstream.url, self._rules, workers=1, model=self._model)
        places = f"redis_url: '{self.redis.url}'"
        if self._database:
            places += f", database_url: '{self._database}'"
        text = text.replace("{workers: 1}", f"{{{places}}}")
        folders = [self._folder / f"machine{number}" for number in range(self._count)]
        for folder in folders:
            folder.mkdir()
        self.services = [Service(folder, text) for folder in folders]
        for service in self.services:
            stack.callback(service.stop)
        self.start()
        return self

    def start(self) -> None:
        """Start all; each waits until its Redis has settled."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(Service.__enter__, self.services))

    def kill(self) -> None:
        """All of them at once, as a loss of power does."""
        for service in self.services:
            pids = [pid for role in ("gateway", "worker", "control") for pid in service.pids(role)]
            service.signal(signal.SIGSTOP)  # so that it starts nothing again
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
        for service in self.services:
            service.kill_supervisor()

    def __exit__(self, *error: object) -> None:
        self._stack.__exit__(None, None, None)

    @contextlib.contextmanager
    def clients(self, each_machine: int, each: int = 0, pause_s: float = 0.0) -> Generator[list[Clients]]:
        """Clients of all machines, started."""
        found = [Clients(service.port, each_machine, each=each, pause_s=pause_s) for service in self.services]
        for clients in found:
            clients.start()
        yield found
        for clients in found:
            clients.stop()

    def spent(self) -> int:
        """Nano-dollars in all ledgers."""
        return sum(row["cost_nanousd"] for service in self.services for row in service.logs())

    def rows(self, outcome: str) -> int:
        """How many exchanges ended like this."""
        return sum(row["outcome"] == outcome for service in self.services for row in service.logs())


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server."""
    with postgres_server() as server:
        yield server


@pytest.mark.parametrize("shared", [False, True], ids=["sqlite", "postgresql"])
def test_redis_and_every_gateway_lose_everything(
    tmp_path: Path, request: pytest.FixtureRequest, *, shared: bool
) -> None:
    """Both machines and Redis die at once; what ledgers and journals have counts again: a dollar in all."""
    url = request.getfixturevalue("postgres").database() if shared else ""
    with Machines(tmp_path, DOLLAR, count=2, database=url) as machines:
        with machines.clients(3, pause_s=0.01) as clients:
            until(lambda: min(each.answers.statuses[200] for each in clients) >= 15, 40.0)
            machines.kill()
            for each in clients:
                each.stop()
        before = total(clients, 200)
        machines.redis.stop()
        machines.redis.start()
        machines.start()
        with machines.clients(4, pause_s=0.01) as clients:
            until(lambda: total(clients, 402) >= 60, 40.0)
            for each in clients:
                each.stop()
        upstream = len(machines.upstream.requests())
        assert before + total(clients, 200) <= upstream <= 100
        ledgers = machines.services[:1] if shared else machines.services
        rows = {row["request_id"]: row for service in ledgers for row in service.logs()}
        assert sum(row["cost_nanousd"] for row in rows.values()) == 10**9


def total(clients: list[Clients], status: int) -> int:
    """Answers with this status."""
    return sum(each.answers.statuses[status] for each in clients)


def test_a_hard_budget_holds_over_four_machines(tmp_path: Path) -> None:
    """Of 200 clients at a cent each exactly 100 are served from one dollar."""
    with Machines(tmp_path, DOLLAR, count=4) as machines, machines.clients(50, each=1) as clients:
        statuses: Counter[int] = Counter()
        for each in clients:
            statuses += each.join().statuses
        assert statuses == {200: 100, 402: 100}
        assert len(machines.upstream.requests()) == 100
        assert machines.spent() == 10**9


def test_a_hard_budget_holds_when_a_gateway_is_killed(tmp_path: Path) -> None:
    """`kill -9` in the middle: served and charged-as-interrupted are 100 cents, and no call is made beyond."""
    with (
        Machines(tmp_path, DOLLAR, count=3, model="slow-50ms") as machines,
        machines.clients(12, pause_s=0.01) as clients,
    ):
        until(lambda: total(clients, 200) >= 30, 40.0)
        os.kill(machines.services[0].pids("gateway")[0], signal.SIGKILL)
        until(lambda: total(clients, 402) >= 100, 40.0)
        for each in clients:
            each.stop()
        until(lambda: machines.spent() == 10**9, 20.0)
        assert total(clients, 200) + machines.rows("interrupted") >= 100
        assert total(clients, 200) <= 100
        assert len(machines.upstream.requests()) <= 100


def test_redis_is_away_and_comes_back_empty(tmp_path: Path) -> None:
    """What is not leased is refused meanwhile; afterwards exactly the rest can be spent, nothing twice."""
    with (
        Machines(tmp_path, DOLLAR, count=2, model="slow-50ms") as machines,
        machines.clients(8, pause_s=0.01) as clients,
    ):
        until(lambda: total(clients, 200) >= 30, 40.0)
        machines.redis.stop()
        served = total(clients, 200)
        # The answer says that it is no matter of money, and that trying again helps.
        until(lambda: sum(each.answers.codes["limits_unavailable"] for each in clients) >= 10, 40.0)
        assert total(clients, 200) < 100
        machines.redis.start()
        until(lambda: total(clients, 402) >= 100, 60.0)
        for each in clients:
            each.stop()
        assert served <= total(clients, 200) == 100
        assert machines.spent() == 10**9
        assert len(machines.upstream.requests()) == 100


def test_a_rate_holds_over_three_machines(tmp_path: Path) -> None:
    """Under pressure no second has more than the limit, and most of it is used."""
    limit, seconds = 100, 4.0
    rules = f"limits: {{rates: [{{unit: requests, per: second, limit: {limit}}}]}}"
    with Machines(tmp_path, rules, count=3) as machines, machines.clients(6, pause_s=0.004) as clients:
        until(lambda: total(clients, 200) >= limit, 40.0)
        began = time.monotonic()
        time.sleep(seconds)
        for each in clients:
            each.stop()
    # Whoever was asked for and answered within a second was counted within it.
    spans = sorted(span for each in clients for span in each.answers.spans)
    for begin, _ in spans:
        assert sum(1 for a, b in spans if a >= begin and b <= begin + 1.0) <= limit
    # That 99 % of it are used is in tests/accounts/test_rates_under_pressure.py; see test_workers.
    found = used(spans, began, began + seconds)
    assert found >= 0.9 * limit, found


@pytest.mark.long
def test_four_machines_one_killed_ten_times(tmp_path: Path) -> None:
    """The same with many deaths: what is spent and charged is a dollar, never more."""
    with (
        Machines(tmp_path, DOLLAR, count=4, model="slow-200ms") as machines,
        machines.clients(6, pause_s=0.01) as clients,
    ):
        for number in range(10):
            service = machines.services[number % 4]
            until(lambda service=service: bool(service.pids("gateway")), 40.0)
            with contextlib.suppress(ProcessLookupError):
                os.kill(service.pids("gateway")[0], signal.SIGKILL)
            time.sleep(0.5)
        until(lambda: total(clients, 402) >= 100, 60.0)
        for each in clients:
            each.stop()
        until(lambda: machines.spent() == 10**9, 20.0)
        assert len(machines.upstream.requests()) <= 100
