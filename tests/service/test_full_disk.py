"""The whole service on a disk that is really full: requests, journal and ledger, and what comes after."""

from __future__ import annotations

import http.client
import json
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from penstock.testing.simulator import SimulatorThread
from tests.service.disk import disk
from tests.service.service import Service, until

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="tmpfs and limits of other processes are Linux's"
)
KEY = "sk-disk"
CONFIG = """
version: 1
journal: {{on_journal_full: {policy}}}
providers:
  up: {{kind: openai, base_url: "{url}/v1", api_key: sk-upstream}}
deployments:
  main: {{provider: up, model: echo, price: {{input: 1, output: 2}}}}
routes:
  chat: {{policy: main}}
keys:
  - {{name: dev, secret: sk-disk, org: acme, budget: {{usd: 1000, window: total}}}}
"""
# As much as a request can have a record say, so that few of them fill a segment.
TAGS = ",".join(f"tag{number}={'x' * 250}" for number in range(32))
MOST = 2_000
# A disk that was mounted for it, if we may, and everywhere the kernel's limit of a file's size.
DISKS = ["best", "limit"]


class Asker:
    """Sends chat requests on one connection; ids by what became of them."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._connection = service.connect()
        self.answered: list[str] = []
        self.refused: list[str] = []

    def ask(self) -> bool:
        """Whether it was answered; else it must have been refused because the journal is full."""
        body = json.dumps({"model": "chat", "messages": [{"role": "user", "content": "Hello"}]})
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        try:
            self._connection.request("POST", "/v1/chat/completions", body, {**headers, "x-penstock-tags": TAGS})
            response = self._connection.getresponse()
        except (OSError, http.client.HTTPException):  # the gateway was restarted
            self._connection.close()
            self._connection = self._service.connect()
            return False
        answer = json.load(response)
        request_id = response.getheader("x-penstock-request-id") or ""
        if response.status == 200:
            self.answered.append(request_id)
            return True
        assert (response.status, answer["error"]["code"]) == (503, "journal_full")
        self.refused.append(request_id)
        return False

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


@pytest.mark.parametrize("kind", DISKS)
def test_a_full_disk_refuses_calls_nobody_and_loses_nothing(kind: str, tmp_path: Path) -> None:
    """503 until there is room, no upstream call meanwhile; the ledger waits and then has every answer once."""
    with SimulatorThread() as simulator, disk(kind, tmp_path / "state") as small:
        config = CONFIG.format(policy="refuse", url=simulator.url)
        with Service(tmp_path, config) as service:
            asker = Asker(service)
            assert asker.ask()
            assert len(service.logs()) == 1
            small.fill(service)
            until(lambda: not asker.ask() or len(asker.answered) > MOST)
            assert asker.refused
            assert not any(asker.ask() for _ in range(20))
            assert len(simulator.requests()) == len(asker.answered)
            until(lambda: "the ledger is behind the journal" in service.output.read_text())
            small.free(service)
            until(asker.ask)
            asker.close()
            ids = Counter(row["request_id"] for row in service.logs())
    assert len(asker.answered) > 2, "what was set aside before the disk was full must be used"
    assert set(ids.values()) == {1}
    assert set(asker.answered) <= set(ids)
    assert set(ids) <= {*asker.answered, *asker.refused}


@pytest.mark.parametrize("kind", DISKS)
def test_drop_and_count_serves_on_and_says_how_much_is_missing(kind: str, tmp_path: Path) -> None:
    """Requests are answered with the disk full; what is missing is counted, and later rows are there."""
    with SimulatorThread() as simulator, disk(kind, tmp_path / "state") as small:
        config = CONFIG.format(policy="drop_and_count", url=simulator.url)
        with Service(tmp_path, config) as service:
            asker = Asker(service)
            assert asker.ask()
            assert len(service.logs()) == 1
            small.fill(service)
            until(lambda: asker.ask() and "could not be recorded" in service.output.read_text(), 60)
            assert all(asker.ask() for _ in range(20))
            small.free(service)
            full = len(asker.answered)
            until(lambda: asker.ask() and any(r["request_id"] in asker.answered[full:] for r in service.logs()))
            asker.close()
            ids = Counter(row["request_id"] for row in service.logs())
        said = re.findall(r"(\d+) records could not be recorded", service.output.read_text())
    assert not asker.refused
    missing = set(asker.answered) - set(ids)
    assert set(ids.values()) == {1}
    assert len(missing) >= 20
    # Two records each; in the last free bytes a few settlements have fitted whose openings had not.
    assert 2 * len(missing) <= int(said[-1]) <= 2 * len(missing) + 3


@pytest.mark.parametrize("kind", DISKS)
def test_a_gateway_that_starts_on_a_full_disk_waits_for_room(kind: str, tmp_path: Path) -> None:
    """It comes up and refuses instead of dying, and serves as soon as there is room."""
    with SimulatorThread() as simulator, disk(kind, tmp_path / "state") as small:
        config = CONFIG.format(policy="refuse", url=simulator.url)
        with Service(tmp_path, config) as service:
            asker = Asker(service)
            assert asker.ask()
            assert len(service.logs()) == 1
            small.fill(service)
            service.kill("gateway")
            service.wait_ready()
            until(lambda: asker.ask() or bool(asker.refused))
            assert asker.refused
            assert len(asker.answered) == 1 == len(simulator.requests())
            small.free(service)
            until(asker.ask)
            asker.close()
            ids = {row["request_id"] for row in service.logs()}
    assert set(asker.answered) <= ids
