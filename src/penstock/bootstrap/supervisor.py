"""`penstock serve`: starts the processes, keeps them running, ends them in order.

It holds the listening socket, so a gateway that dies loses no connection that is still in the queue.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from penstock.bootstrap.lifeline import VARIABLE
from penstock.bootstrap.plan_source import SIMULATOR_URL
from penstock.bootstrap.state_dir import StateDir

BACKLOG = 4096
RESTART_AFTER_S = (0.0, 0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
STEADY_S = 1.0
POLL_S = 0.05
# The simulator is a product of its own, above the gateway's processes, so it has its entry there.
_MODULES = {"simulator": "penstock.simulator.child"}
log = logging.getLogger("penstock.supervisor")


@dataclass
class Child:
    """One process under supervision."""

    role: str
    module: str
    env: dict[str, str]
    drain_s: float
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    restart_at: float = 0.0
    failures: int = 0
    # A file without which it is not needed; None for those that always are.
    wanted: Path | None = None

    @property
    def needed(self) -> bool:
        """Whether it should run now."""
        return self.wanted is None or self.wanted.exists()


@dataclass
class Supervisor:
    """Children start in the order given and end in the reverse one."""

    state: StateDir
    sock: socket.socket
    env: Mapping[str, str]
    config: Path | None
    simulator_port: int | None = None
    children: list[Child] = field(default_factory=list[Child])
    stopping: bool = False

    def __post_init__(self) -> None:
        self._lifeline_read, self._lifeline_write = os.pipe()
        common = {
            "PENSTOCK_STATE_DIR": str(self.state.root),
            "PENSTOCK_LISTEN_FD": str(self.sock.fileno()),
            VARIABLE: str(self._lifeline_read),
        }
        if self.config is not None:
            common["PENSTOCK_CONFIG"] = str(self.config)
        if self.simulator_port is not None:
            common[SIMULATOR_URL] = f"http://127.0.0.1:{self.simulator_port}/v1"
            common["PENSTOCK_SIMULATOR_PORT"] = str(self.simulator_port)
            self._add("simulator", common, 1.0)
        self._add("worker", common, 15.0)
        self._add("control", common, 2.0)
        self._add("credentials", common, 2.0, self.state.credentials_wanted)
        self._add("gateway", common, 35.0)

    def _add(self, role: str, env: dict[str, str], drain_s: float, wanted: Path | None = None) -> None:
        module = _MODULES.get(role, f"penstock.bootstrap.{role}")
        self.children.append(Child(role, module, {**self.env, **env}, drain_s, wanted=wanted))

    def run(self) -> int:
        """Until SIGTERM or SIGINT; SIGHUP asks control to publish the configuration anew."""
        signal.signal(signal.SIGTERM, self._on_stop)
        signal.signal(signal.SIGINT, self._on_stop)
        signal.signal(signal.SIGHUP, self._on_reload)
        for child in self.children:
            if child.needed:
                self._start(child)
        while not self.stopping:
            time.sleep(POLL_S)
            for child in self.children:
                self._look_after(child)
        self._end()
        return 0

    def _on_stop(self, *_: object) -> None:
        self.stopping = True

    def _on_reload(self, *_: object) -> None:
        for child in self.children:
            if child.role == "control" and child.process is not None and child.process.poll() is None:
                child.process.send_signal(signal.SIGHUP)

    def _start(self, child: Child) -> None:
        child.started_at = time.monotonic()
        # A session of its own: Ctrl-C reaches the supervisor alone, which ends the others in order.
        child.process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", child.module],
            env=child.env,
            # Whoever else held the socket would keep new connections waiting while the gateway drains.
            pass_fds=(self._lifeline_read, *([self.sock.fileno()] if child.role == "gateway" else [])),
            start_new_session=True,
        )

    def _look_after(self, child: Child) -> None:
        process = child.process
        now = time.monotonic()
        if process is None:
            if now >= child.restart_at and child.needed:
                self._start(child)
            return
        code = process.poll()
        if code is None:
            if not child.needed:
                process.terminate()
            return
        child.process = None
        if not child.needed:
            return
        if now - child.started_at > STEADY_S:
            child.failures = 0
        wait_s = RESTART_AFTER_S[min(child.failures, len(RESTART_AFTER_S) - 1)]
        child.failures += 1
        child.restart_at = now + wait_s
        log.error("%s ended with status %s; restarting in %.1f s", child.role, code, wait_s)

    def _end(self) -> None:
        self.sock.close()
        for child in reversed(self.children):
            process = child.process
            if process is None or process.poll() is not None:
                continue
            process.terminate()
            try:
                process.wait(child.drain_s)
            except subprocess.TimeoutExpired:
                log.warning("%s did not end within %.0f s and is killed", child.role, child.drain_s)
                process.kill()
                process.wait()
        os.close(self._lifeline_write)
        os.close(self._lifeline_read)


def listening_socket(address: str) -> socket.socket:
    """A bound, inheritable socket for `host:port`. Raises OSError."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, int(port)))
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    sock.set_inheritable(True)
    return sock


def free_port() -> int:
    """A loopback port that was free just now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
