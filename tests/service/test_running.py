"""Exchanges under way, as the other processes of an installation list and stop them."""

from __future__ import annotations

import http.client
import json
import socket
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from penstock.adapters.credentials.place import address_of
from penstock.client import Client
from penstock.testing.simulator import SimulatorThread
from tests.service.service import Service, until
from tests.service.test_serve import ENV, ask, config
from tests.service.workers import KEY as WORKERS_KEY
from tests.service.workers import config as workers_config


class _Door(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("gateway")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        with address_of(self._path) as name:
            self.sock.connect(name)


def _doors(state: Path) -> list[Path]:
    """The sockets of the gateways, whose names are those of their journals' boots."""
    return list((state / "run").glob("?????????????????*.sock"))


def _say(door: Path, method: str, path: str) -> tuple[int, Any]:
    connection = _Door(door)
    connection.request(method, path)
    answer = connection.getresponse()
    told = json.loads(answer.read())
    connection.close()
    return answer.status, told


def test_what_is_under_way_is_listed_and_can_be_stopped(tmp_path: Path) -> None:
    """A request that hangs upstream is listed with its owner; stopped, it holds nothing any more."""
    folder = tmp_path / ("deep" * 25)
    folder.mkdir()
    with SimulatorThread() as simulator, Service(folder, config(simulator, model="hang"), ENV) as service:
        until(lambda: any(_doors(service.state)))
        (door,) = _doors(service.state)
        assert stat.S_IMODE(door.stat().st_mode) == 0o600
        assert _say(door, "GET", "/exchanges") == (200, {"data": []})
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(ask, service.port)
            until(lambda: bool(simulator.requests(model="hang")))
            _, told = _say(door, "GET", "/exchanges")
            (running,) = told["data"]
            assert (running["org"], running["key"], running["target"]) == ("acme", "dev", "main")
            assert running["state"] == "upstream"
            name = running["request_id"]
            assert _say(door, "DELETE", f"/exchanges/{name}") == (200, {"request_id": name, "stopped": True})
            status, body, _ = call.result()
            assert (status, body["error"]["code"]) == (403, "exchange_killed")
        assert _say(door, "GET", "/exchanges") == (200, {"data": []})
        assert _say(door, "DELETE", f"/exchanges/{name}")[0] == 404
        _, told = _say(door, "GET", "/accounts")
        (key,) = told["data"]
        assert key["account"] == "key:dev"
        assert key["budgets"][0]["reserved_usd"] == "0"
    assert not door.exists()


def _command(state: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "penstock.cli", "exchanges", *words, "--state-dir", str(state)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def _hang(port: int) -> tuple[int, str]:
    """One request on a connection of its own: status and error code."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = json.dumps({"model": "chat", "messages": [{"role": "user", "content": "Hi"}]})
    connection.request("POST", "/v1/chat/completions", body, {"authorization": f"Bearer {WORKERS_KEY}"})
    answer = connection.getresponse()
    told = json.loads(answer.read())
    connection.close()
    return answer.status, told["error"]["code"]


def test_commands_list_and_stop_what_every_gateway_has(tmp_path: Path) -> None:
    """With two gateways the list has what both of them have, and each request can be stopped by its id."""
    with (
        SimulatorThread() as simulator,
        Service(tmp_path, workers_config(simulator.url, "limits: {concurrency: 50}", model="hang")) as service,
        ThreadPoolExecutor(16) as pool,
    ):
        until(lambda: len(_doors(service.state)) == 2)
        calls = [pool.submit(_hang, service.port) for _ in range(16)]
        until(lambda: len(simulator.requests(model="hang")) == 16)
        listed = _command(service.state, "list", "--json")
        assert listed.returncode == 0, listed.stderr
        found = [json.loads(line) for line in listed.stdout.splitlines()]
        assert len({each["request_id"] for each in found}) == 16
        assert {each["org"] for each in found} == {"acme"}
        assert len({each["gateway"] for each in found}) == 2
        killed = _command(service.state, "kill", found[0]["request_id"], "--reason", "test")
        assert killed.returncode == 0, killed.stderr
        token = (service.state / "run" / "operator.token").read_text()
        with Client(token=token, socket=service.state / "control.sock") as client:
            for each in found[1:]:
                assert client.kill_exchange(each["request_id"]).stopped
            until(lambda: len(client.metering(org="acme").items) == 16)
            events = client.export_metering(org="acme").splitlines()
            assert {json.loads(line)["id"] for line in events} == {each["request_id"] for each in found}
            assert client.metering(org="beta").items == []
        assert [call.result() for call in calls] == [(403, "exchange_killed")] * 16
        gone = _command(service.state, "kill", found[0]["request_id"])
        assert gone.returncode == 1
        assert "not_found" in gone.stderr
        assert _command(service.state, "list", "--json").stdout == ""
