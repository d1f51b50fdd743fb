"""Exchanges under way, as the other processes of an installation list and stop them."""

from __future__ import annotations

import http.client
import json
import socket
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from penstock.testing.simulator import SimulatorThread
from tests.service.service import Service, until
from tests.service.test_serve import ENV, ask, config


class _Door(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("gateway")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(str(self._path))


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
    with SimulatorThread() as simulator, Service(tmp_path, config(simulator, model="hang"), ENV) as service:
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
