"""Several gateways on one machine as tests use them: a configuration, many clients, and the processes' ids."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.service.service import Service, until

KEY = "sk-workers"
CONFIG = """
version: 1
server: {{workers: {workers}}}
providers:
  up: {{kind: openai, base_url: "{url}/v1", api_key: sk-upstream}}
deployments:
  main: {{provider: up, model: {model}, price: {{request: 0.01}}}}
routes:
  chat: {{policy: main, retry: {{attempts: 1}}}}
keys:
  - {{name: dev, secret: sk-workers, org: acme, {rules}}}
"""


def config(url: str, rules: str, *, workers: int = 2, model: str = "echo") -> str:
    """One route to one model at a cent a request, and one key with these rules."""
    return CONFIG.format(url=url, rules=rules, workers=workers, model=model)


@dataclass
class Answers:
    """What clients saw: statuses (0 for a broken connection), and when each 200 was asked for and came."""

    statuses: Counter[int] = field(default_factory=Counter[int])
    spans: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    codes: Counter[str] = field(default_factory=Counter[str])
    # Connections that ended under a request which was sent on them after an earlier answer.
    ended: int = 0


def used(spans: list[tuple[float, float]], begin: float, end: float) -> float:
    """How many were served in a second, on average over all seconds that begin within [begin, end - 1]."""
    counts: list[int] = []
    at = begin
    while at + 1.0 <= end:
        counts.append(sum(1 for _, answered in spans if at <= answered < at + 1.0))
        at += 0.01
    return sum(counts) / len(counts)


class Clients:
    """Threads that ask; each sends `each` requests, or as many as it can until `stop`."""

    def __init__(self, port: int, threads: int, each: int = 0, pause_s: float = 0.0) -> None:
        self.answers = Answers()
        self._port = port
        self._each = each
        self._pause_s = pause_s
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> Answers:
        """Let requests under way end."""
        self._stop.set()
        return self.join()

    def join(self) -> Answers:
        """Until all have sent what they had to send."""
        for thread in self._threads:
            thread.join()
        return self.answers

    def wait_for(self, count: int, status: int = 200) -> None:
        """Until so many were answered like this."""
        until(lambda: self.answers.statuses[status] >= count, 40.0)

    def _run(self) -> None:
        left = self._each
        connection: http.client.HTTPConnection | None = None
        reused = False
        while not self._stop.is_set() and (left or not self._each):
            left -= 1
            if connection is None:
                connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=40)
                reused = False
            began = time.monotonic()
            try:
                status, code = ask(connection)
                reused = True
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError) as error:
                connection.close()
                connection = None
                if reused:
                    # An idle connection was closed just as it was used again, which a client must expect
                    # (RFC 9112, section 9.5) and answers with a new one; nothing was answered: no drop.
                    left += 1
                    with self._lock:
                        self.answers.ended += 1
                    continue
                status, code = 0, f"broken: {error}"
            except (OSError, http.client.HTTPException):
                status, code = 0, "broken"
                connection.close()
                connection = None
            with self._lock:
                self.answers.statuses[status] += 1
                self.answers.codes[code] += 1
                if status == 200:
                    self.answers.spans.append((began, time.monotonic()))
            if self._pause_s:
                self._stop.wait(self._pause_s)
        if connection is not None:
            connection.close()


def ask(connection: http.client.HTTPConnection) -> tuple[int, str]:
    """One request: its status, and the error's code or nothing."""
    body = {"model": "chat", "messages": [{"role": "user", "content": "Hello there"}]}
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
    response = connection.getresponse()
    answer = json.loads(response.read())
    return response.status, "" if response.status == 200 else answer["error"]["code"]


def gateways(service: Service, count: int = 2) -> list[int]:
    """The pids of the gateways, once there are so many. Raises TimeoutError."""
    until(lambda: len(service.pids("gateway")) >= count)
    return service.pids("gateway")


def owner_is_back(folder: Path, before: int, service: Service) -> None:
    """Wait for another owner of accounts than `before`."""
    del folder
    until(lambda: bool(service.pids("accounts")) and service.pids("accounts")[0] != before)
