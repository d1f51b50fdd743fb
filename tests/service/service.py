"""`penstock serve` as a child of a test, and the pids of its processes."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self


def free_port() -> int:
    """A loopback port that was free just now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class Service:
    """Serves from `folder` with the given configuration until the block ends."""

    def __init__(
        self, folder: Path, config: str, env: dict[str, str] | None = None, trust: ssl.SSLContext | None = None
    ) -> None:
        """`trust` says that it speaks TLS, and whom to believe."""
        self._trust = trust
        self.port = free_port()
        self.state = folder / "state"
        self.config = folder / "penstock.yaml"
        self.config.write_text(config)
        self.output = folder / "output.log"
        self._env = {**os.environ, **(env or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start, and wait until a request is answered."""
        command = [sys.executable, "-m", "penstock.cli", "serve", "-c", str(self.config)]
        command += ["--listen", f"127.0.0.1:{self.port}", "--state-dir", str(self.state)]
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output, env=self._env)
        try:
            self.wait_ready()
        except TimeoutError:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it in order."""
        self.stop()

    def stop(self) -> None:
        """SIGTERM, and wait."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(60)

    def kill_supervisor(self) -> None:
        """`kill -9` the supervisor, and wait until it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(60)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the supervisor."""
        if self._process is not None:
            self._process.send_signal(number)

    def connect(self, timeout_s: float = 20.0) -> http.client.HTTPConnection:
        """A new connection, over TLS where the service speaks it."""
        if self._trust is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        return http.client.HTTPSConnection("localhost", self.port, timeout=timeout_s, context=self._trust)

    def wait_ready(self, timeout_s: float = 20.0) -> None:
        """Until /readyz answers. Raises TimeoutError with what the service printed."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            with contextlib.closing(self.connect(2)) as connection:
                try:
                    connection.request("GET", "/readyz")
                    if connection.getresponse().read() and self._process is not None:
                        return
                except (OSError, http.client.HTTPException):
                    time.sleep(0.02)
        raise TimeoutError(self.output.read_text())

    @property
    def supervisor(self) -> int:
        """The pid of the supervisor."""
        if self._process is None:
            raise RuntimeError("not started")
        return self._process.pid

    def pids(self, role: str) -> list[int]:
        """The pids of the running children with this role, the oldest first."""
        return children(self.supervisor, role)

    def pid(self, role: str, timeout_s: float = 15.0) -> int:
        """The pid of the oldest running child with this role."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if found := self.pids(role):
                return found[0]
            time.sleep(0.01)
        raise TimeoutError(f"no {role} process")

    def kill(self, role: str) -> None:
        """`kill -9` one child."""
        os.kill(self.pid(role), signal.SIGKILL)

    def logs(self, *options: str) -> list[dict[str, Any]]:
        """All rows of the ledger, once it has caught up."""
        return logs(self.state, *options)


def logs(state: Path, *options: str) -> list[dict[str, Any]]:
    """All rows of the ledger of a state directory, once it has caught up."""
    command = [sys.executable, "-m", "penstock.cli", "logs", "--json", "--limit", "0", *options]
    command += ["--wait", "--state-dir", str(state)]
    result = subprocess.run(command, capture_output=True, check=True, timeout=60)
    return [json.loads(line) for line in result.stdout.splitlines()]


def until(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    """Wait for a condition. Raises TimeoutError."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.01)


def children(supervisor: int, role: str) -> list[int]:
    """The pids of a supervisor's running children with this role, the oldest first."""
    found: list[int] = []
    for child in Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split():
        try:
            text = Path(f"/proc/{child}/cmdline").read_bytes()
        except OSError:
            continue
        if f"penstock.bootstrap.{role}".encode() in text:
            found.append(int(child))
    return found
