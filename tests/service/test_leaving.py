"""What a balancer and its clients see of a gateway that was told to end."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import threading
from pathlib import Path

import pytest

from penstock.testing.simulator import SimulatorThread
from tests.service.service import Service, until
from tests.service.workers import Clients, ask, config, gateways


def _signs(service: Service) -> dict[str, tuple[int, str]]:
    """Status and `connection` of both signs of life, each over a new connection."""
    found: dict[str, tuple[int, str]] = {}
    for path in ("/healthz", "/readyz"):
        with contextlib.closing(service.connect()) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            found[path] = (answer.status, answer.getheader("connection", ""))
    return found


def test_readyz_says_so_before_anything_is_refused(tmp_path: Path) -> None:
    """For `notice_s` new connections are served while /readyz is 503; /healthz stays 200."""
    with SimulatorThread() as simulator:
        text = config(simulator.url, "limits: {rpm: 100000}").replace("{workers: 2}", "{drain: {notice_s: 4}}")
        with Service(tmp_path, text) as service:
            assert _signs(service) == {"/healthz": (200, ""), "/readyz": (200, "")}
            service.signal(signal.SIGTERM)
            until(lambda: _signs(service)["/readyz"][0] == 503)
            assert _signs(service) == {"/healthz": (200, "close"), "/readyz": (503, "close")}
            with contextlib.closing(service.connect()) as connection:
                assert ask(connection) == (200, "")


@pytest.mark.long
def test_all_workers_leave_without_a_dropped_request(tmp_path: Path) -> None:
    """SIGTERM to the whole service under load: what was sent is answered, streams to their end."""
    with SimulatorThread() as simulator:
        text = config(simulator.url, "limits: {rpm: 100000}", model="itl-10ms+tokens-60")
        text = text.replace("{workers: 2}", "{workers: 2, drain: {notice_s: 2, idle_s: 2}}")
        with Service(tmp_path, text) as service:
            gateways(service)
            streams: list[bytes] = []
            reading = [threading.Thread(target=lambda: streams.append(_stream(service.port))) for _ in range(6)]
            for thread in reading:
                thread.start()
            clients = Clients(service.port, 12)
            clients.start()
            clients.wait_for(12)
            service.signal(signal.SIGTERM)
            until(lambda: _signs(service)["/readyz"][0] == 503)
            clients.wait_for(clients.answers.statuses[200] + 12)
            answers = clients.stop()
            for thread in reading:
                thread.join()
            service.stop()
        assert (set(answers.statuses), answers.ended) == ({200}, 0), answers.codes
        assert len(streams) == 6
        assert all(each.endswith(b"data: [DONE]\n\n") for each in streams)


def _stream(port: int) -> bytes:
    """One streamed answer."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=40)) as connection:
        body = {"model": "chat", "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
        headers = {"Authorization": "Bearer sk-workers", "Content-Type": "application/json"}
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        return connection.getresponse().read()
