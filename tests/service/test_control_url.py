"""Machines whose control process runs elsewhere: one configuration, one ledger, and limits that they share."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import pytest

from penstock.testing.simulator import SimulatorThread
from tests.accounts.redis_server import RedisServer
from tests.clients.needed import needed
from tests.databases.postgres import PostgresServer, postgres_server
from tests.service.processes import Served, penstock
from tests.service.service import free_port, until
from tests.service.workers import Clients
from tests.service.workers import config as workers_config
from tests.transport.certificates import Authority

ENV = {"FLEET_TOKEN": "a secret that these machines share", "PENSTOCK_MASTER_KEY": "ab" * 32}
DOLLAR = "budget: {usd: 1, window: total}"


class Machines:
    """A machine with control, and others that follow it, each with a state directory and a file of its own."""

    def __init__(self, folder: Path, rules: str, server: str = "", *, model: str = "echo") -> None:
        self._folder = folder
        self._rules = rules
        self._server = server
        self._model = model
        self._stack = ExitStack()
        self.others: list[Served] = []

    def __enter__(self) -> Self:
        folder, port = self._folder, free_port()
        authority = Authority()
        (folder / "ca.pem").write_bytes(authority.pem)
        for name, content in zip(("cert", "key"), authority.pair("localhost"), strict=True):
            (folder / f"{name}.pem").write_bytes(content)
        self.upstream = self._stack.enter_context(SimulatorThread())
        text = workers_config(self.upstream.url, self._rules, model=self._model)
        mine = f'control_listen: "127.0.0.1:{port}", tls: {{cert: {folder}/cert.pem, key: {folder}/key.pem}}'
        theirs = f'control_url: "https://localhost:{port}", control_ca_file: {folder}/ca.pem'
        shared = f'control_token: "${{FLEET_TOKEN}}"{self._server}'
        file = folder / "control.yaml"
        file.write_text(text.replace("{workers: 2}", f"{{{mine}, {shared}}}"))
        self.control = Served(file, folder / "control", "control", env=ENV)
        self._stack.enter_context(self.control)
        for number in range(2):
            file = folder / f"machine{number}.yaml"
            file.write_text(f"version: 1\nserver: {{{theirs}, {shared}}}\n")
            served = Served(file, folder / f"machine{number}", listen=free_port(), env=ENV)
            self.others.append(self._stack.enter_context(served))
        for served in self.others:
            served.wait_said("Penstock listens on")
            until(lambda served=served: bool(self.boots(served)))
        until((folder / "control" / "control.sock").exists)
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.__exit__(None, None, None)

    def boots(self, served: Served) -> list[str]:
        """The boot ids of the gateways of a machine that serve."""
        return [path.stem for path in (served.state / "run").glob("*.json")]

    def change(self, *words: str) -> dict[str, Any]:
        """A command of control's machine, which changes something."""
        where = ("-c", str(self.control.config), "--state-dir", str(self.control.state), "--json")
        done = penstock(*words, *where, env=ENV)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def statuses(self, secret: str) -> list[int]:
        """What each machine answers to a key."""
        return [status_of(served.port, secret) for served in self.others]


def status_of(port: int, secret: str) -> int:
    """The status of one request."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        body = {"model": "chat", "messages": [{"role": "user", "content": "Hello"}]}
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status


def test_changes_reach_every_machine_before_they_return(tmp_path: Path) -> None:
    """A key works everywhere once it is made, and nowhere once it is revoked; who is behind is named."""
    with Machines(tmp_path, "limits: {rpm: 100000}") as machines:
        made = machines.change("keys", "create", "ci", "--org", "acme")
        assert made["applied"]["behind"] == []
        assert machines.statuses(made["secret"]) == [200, 200]
        assert machines.change("keys", "revoke", "ci", "--org", "acme")["applied"]["behind"] == []
        assert machines.statuses(made["secret"]) == [401, 401]
        (stuck,) = machines.others[0].pids("gateway")
        os.kill(stuck, signal.SIGSTOP)
        try:
            behind = machines.change("keys", "create", "more", "--org", "acme")["applied"]["behind"]
        finally:
            os.kill(stuck, signal.SIGCONT)
        (name,) = behind
        assert name.endswith("/" + machines.boots(machines.others[0])[0])
        assert [served.roles() for served in machines.others] == [{"worker", "follower", "gateway"}] * 2


def test_a_machine_starts_and_serves_without_control(tmp_path: Path) -> None:
    """From what it has on disk; what changed meanwhile it takes as soon as control is back."""
    with Machines(tmp_path, "limits: {rpm: 100000}") as machines:
        made = machines.change("keys", "create", "ci", "--org", "acme")
        one, two = machines.others
        two.stop()
        machines.control.stop()
        two.start()
        two.wait_said("the configuration on disk holds")
        two.wait_said("Penstock listens on")
        until(lambda: bool(machines.boots(two)))
        assert machines.statuses(made["secret"]) == [200, 200]
        os.kill(one.pids("worker")[0], signal.SIGKILL)
        assert machines.statuses(made["secret"]) == [200, 200]
        machines.control.start()
        until((machines.control.state / "control.sock").exists)
        until(lambda: "control answers again" in two.said)
        machines.change("keys", "revoke", "ci", "--org", "acme")
        assert machines.statuses(made["secret"]) == [401, 401]


def _with_stores(redis: RedisServer, url: str) -> str:
    return f", redis_url: '{redis.url}', database_url: '{url}'"


@pytest.mark.long
def test_machines_share_redis_and_postgresql(tmp_path: Path) -> None:
    """One dollar for all of them, one ledger that each can read, and changes that are kept in one database."""
    with (
        postgres_server() as postgres,
        RedisServer(needed("redis") / "redis-server", tmp_path) as redis,
        Machines(tmp_path, DOLLAR, _with_stores(redis, postgres.database())) as machines,
    ):
        clients = [Clients(served.port, 50, each=2) for served in machines.others]
        for each in clients:
            each.start()
        answers = [each.join().statuses for each in clients]
        assert sum(each[200] for each in answers) == 100
        assert sum(each[402] for each in answers) == 100
        assert len(machines.upstream.requests()) == 100
        assert all(each[200] for each in answers)
        for served in machines.others:
            until(lambda served=served: _spent(served) == 10**9, 40.0)
        made = machines.change("keys", "create", "ci", "--org", "acme")
        assert made["applied"]["behind"] == []
        assert machines.statuses(made["secret"]) == [200, 200]


def _rows(served: Served) -> list[dict[str, Any]]:
    """The ledger as one machine reads it."""
    where = ("-c", str(served.config), "--state-dir", str(served.state))
    done = penstock("logs", "--json", "--limit", "0", *where, env=ENV)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def _spent(served: Served) -> int:
    return sum(row["cost_nanousd"] for row in _rows(served))


@pytest.mark.long
def test_a_machine_starts_and_serves_with_everything_away(tmp_path: Path) -> None:
    """Control, its worker, PostgreSQL and Redis are down: limits follow `fail_open`, budgets refuse."""
    with (
        postgres_server() as postgres,
        RedisServer(needed("redis") / "redis-server", tmp_path) as redis,
        Machines(tmp_path, "limits: {rpm: 100000}", _with_stores(redis, postgres.database())) as machines,
    ):
        free = machines.change("keys", "create", "free", "--org", "acme")["secret"]
        tight = machines.change("keys", "create", "tight", "--org", "acme", "--budget", "1/total")["secret"]
        _everything_away(machines, postgres, redis)
        _, two = machines.others
        two.stop()
        two.start()
        two.wait_said("Penstock listens on")
        until(lambda: bool(machines.boots(two)), 40.0)
        os.kill(two.pids("worker")[0], signal.SIGKILL)
        until(lambda: machines.statuses(free) == [200, 200], 20.0)
        assert status_of(two.port, tight) == 503
        postgres.start()
        redis.start()
        for served in machines.others:  # each try that succeeds costs a cent
            until(lambda served=served: status_of(served.port, tight) == 200, 60.0)
        # The worker catches up: nothing that was answered meanwhile is missing.
        answered = len(machines.upstream.requests())
        until(lambda: len(_rows(two)) >= answered, 40.0)


def _everything_away(machines: Machines, postgres: PostgresServer, redis: RedisServer) -> None:
    machines.control.stop()
    redis.stop()
    postgres.stop()
