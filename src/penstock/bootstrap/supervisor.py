"""`penstock serve`: starts the processes, keeps them running, ends them in order.

It holds the listening sockets, so a gateway that dies loses no connection that is still in the queue.
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

from penstock.bootstrap.handover import INHERITS, Handed, OldChild, Predecessor, exec_anew
from penstock.bootstrap.handover import VARIABLE as HANDED_OVER
from penstock.bootstrap.lifeline import ADMIN_FD, VARIABLE
from penstock.bootstrap.places import Room
from penstock.bootstrap.plan_source import SIMULATOR_URL
from penstock.bootstrap.state_dir import StateDir

RESTART_AFTER_S = (0.0, 0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
STEADY_S = 1.0
POLL_S = 0.05
# The simulator is a product of its own, above the gateway's processes, so it has its entry there.
_MODULES = {"simulator": "penstock.simulator.child"}
# In the order in which they start.
ROLES = ("worker", "control", "credentials", "inference", "accounts", "gateway")
# Where control is on another machine, somebody follows it there.
FOLLOWING = ("worker", "follower", "credentials", "inference", "accounts", "gateway")
# In the order in which they end.
ENDING = ("gateway", "accounts", "inference", "credentials", "control", "follower", "worker", "simulator")
# The roles that this supervisor runs, for its children.
BESIDE = "PENSTOCK_ROLES"
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
    fds: tuple[int, ...] = ()
    # A file in which it says, by its pid, that it takes nothing more: then the next one starts beside it.
    leaving: Path | None = None
    place: int = 0

    @property
    def needed(self) -> bool:
        """Whether it should run now."""
        return self.wanted is None or self.wanted.exists()


@dataclass
class Supervisor:
    """Children start in the order given and end in the reverse one.

    `socks`: one listening socket for each gateway, or one that all share; `workers` gateways. With several, an
    owner of accounts stands between them. `roles`: those that are to run here.
    """

    state: StateDir
    socks: list[socket.socket]
    env: Mapping[str, str]
    config: Path | None
    simulator_port: int | None = None
    workers: int = 1
    roles: tuple[str, ...] = ROLES
    # Counters live in Redis, so no owner of accounts is needed.
    redis: bool = False
    # Listens for the control plane's paths where they have their own address; all gateways share it.
    admin_sock: socket.socket | None = None
    # How long gateways may take to leave (config.document.Drain), before they are killed.
    drain_s: float = 30.0
    children: list[Child] = field(default_factory=list[Child])
    leaving: list[tuple[Child, subprocess.Popen[bytes]]] = field(
        default_factory=list[tuple[Child, subprocess.Popen[bytes]]]
    )
    stopping: bool = False
    upgrading: bool = False

    def __post_init__(self) -> None:
        self._old = Predecessor(self.state.run)
        self._lifeline_read, self._lifeline_write = os.pipe()
        self._room: Room | None = None
        common = {"PENSTOCK_STATE_DIR": str(self.state.root), VARIABLE: str(self._lifeline_read)}
        common[BESIDE] = ",".join(self.roles)
        if self.config is not None:
            common["PENSTOCK_CONFIG"] = str(self.config)
        if self.simulator_port is not None:
            common[SIMULATOR_URL] = f"http://127.0.0.1:{self.simulator_port}/v1"
            common["PENSTOCK_SIMULATOR_PORT"] = str(self.simulator_port)
            self._add(Child("simulator", "", common, 1.0))
        plain = {"worker": 15.0, "control": 2.0, "follower": 2.0, "credentials": 2.0, "inference": 2.0}
        plain["accounts"] = 2.0
        for role, drain_s in plain.items():
            if role in self.roles and (role != "accounts" or self._shares or self.roles == ("accounts",)):
                self._add(Child(role, "", common, drain_s, wanted=self._wanted.get(role)))
        if "gateway" in self.roles:
            self._add_gateways(common)

    @property
    def _shares(self) -> bool:
        """Whether gateways share counters through a process of this machine."""
        return self.workers > 1 and not self.redis

    @property
    def _wanted(self) -> dict[str, Path]:
        """The files without which a process is not needed; one that was asked for by name always is."""
        if self.roles == ("inference",):
            return {}
        return {"credentials": self.state.credentials_wanted, "inference": self.state.inference_wanted}

    def _add_gateways(self, common: dict[str, str]) -> None:
        room = self._room = Room(self.workers, self.state.run) if self.workers > 1 else None
        for place in range(self.workers):
            fd = self.socks[place % len(self.socks)].fileno()
            child = Child(
                "gateway", "", {**common, "PENSTOCK_LISTEN_FD": str(fd)}, self.drain_s + 5.0, fds=(fd,)
            )
            child.place = place
            if self.admin_sock is not None:
                child.env[ADMIN_FD] = str(self.admin_sock.fileno())
                child.fds += (self.admin_sock.fileno(),)
            if room is not None:
                child.env.update(room.env(place))
                child.fds += room.descriptors(place)
                child.leaving = self.state.draining(place)
            self._add(child)

    def _add(self, child: Child) -> None:
        child.module = _MODULES.get(child.role, f"penstock.bootstrap.{child.role}")
        child.env = {name: text for name, text in {**self.env, **child.env}.items() if name != HANDED_OVER}
        self.children.append(child)

    def run(self) -> int:
        """Until SIGTERM or SIGINT. SIGHUP asks control to publish the configuration anew.

        SIGUSR2 replaces this program by the one on disk.
        """
        signal.signal(signal.SIGTERM, self._on_stop)
        signal.signal(signal.SIGINT, self._on_stop)
        signal.signal(signal.SIGHUP, self._on_reload)
        self._old.give_way(gateways=self.workers == 1 and not self.redis)
        for child in self.children:
            if child.role == "accounts" and self._old.owns_accounts:
                child.env[INHERITS] = "1"
                self._old.give_accounts_to(self._start(child))
            elif child.needed:
                self._start(child)
        signal.signal(signal.SIGUSR2, self._on_upgrade)
        while not self.stopping:
            time.sleep(POLL_S)
            if self.upgrading:
                self._hand_over()
            self._old.tend(
                {each.process.pid for each in self.children if each.process and each.role == "gateway"}
            )
            for child in self.children:
                self._look_after(child)
            self.leaving = [(each, process) for each, process in self.leaving if process.poll() is None]
        self._end()
        return 0

    def _on_stop(self, *_: object) -> None:
        self.stopping = True

    def _on_upgrade(self, *_: object) -> None:
        self.upgrading = True

    def _hand_over(self) -> None:
        """Become the version on disk; where that cannot be, everything goes on."""
        self.upgrading = False
        running = [(each, each.process) for each in self.children if each.process is not None]
        handed = Handed(
            socks=[sock.fileno() for sock in self.socks],
            admin=self.admin_sock.fileno() if self.admin_sock is not None else None,
            lifeline=self._lifeline_write,
            children=[
                OldChild(role=each.role, pid=process.pid, drain_s=each.drain_s)
                for each, process in [*self.leaving, *running]
                if process.poll() is None
            ],
        )
        reason = exec_anew(handed, os.environ, self.config)
        log.error("the version on disk cannot take over, this one goes on: %s", reason)

    def _on_reload(self, *_: object) -> None:
        for child in self.children:
            if child.role == "control" and child.process is not None and child.process.poll() is None:
                child.process.send_signal(signal.SIGHUP)

    def _start(self, child: Child) -> int:
        """Start it; its process id."""
        child.started_at = time.monotonic()
        # A session of its own: Ctrl-C reaches the supervisor alone, which ends the others in order.
        child.process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", child.module],
            env=child.env,
            # Whoever else held the socket would keep new connections waiting while the gateway drains.
            pass_fds=(self._lifeline_read, *child.fds),
            start_new_session=True,
        )
        return child.process.pid

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
            elif self._leaves(child, process):
                self.leaving.append((child, process))
                self._start(child)
            return
        child.process = None
        if child.role == "gateway" and self._room is not None:
            self._room.vacate(child.place)
        if not child.needed:
            return
        if now - child.started_at > STEADY_S:
            child.failures = 0
        wait_s = RESTART_AFTER_S[min(child.failures, len(RESTART_AFTER_S) - 1)]
        child.failures += 1
        child.restart_at = now + wait_s
        log.error("%s ended with status %s; restarting in %.1f s", child.role, code, wait_s)

    def _leaves(self, child: Child, process: subprocess.Popen[bytes]) -> bool:
        """Whether it has stopped accepting: its successor must not wait for its last answer."""
        if child.leaving is None:
            return False
        try:
            leaves = child.leaving.read_text() == str(process.pid)
        except OSError:
            return False
        if leaves:
            child.leaving.unlink(missing_ok=True)
            log.info("a gateway drains; another takes its place")
        return leaves

    def _end(self) -> None:
        for sock in (*self.socks, *([self.admin_sock] if self.admin_sock is not None else [])):
            sock.close()
        running = [(child, child.process) for child in self.children if child.process is not None]
        for role in (
            "gateway",
            "accounts",
            "inference",
            "credentials",
            "control",
            "follower",
            "worker",
            "simulator",
        ):
            ending = [(each, process) for each, process in [*self.leaving, *running] if each.role == role]
            for _, process in ending:
                if process.poll() is None:
                    process.terminate()
            for child, process in ending:
                try:
                    process.wait(child.drain_s)
                except subprocess.TimeoutExpired:
                    log.warning("%s did not end within %.0f s and is killed", role, child.drain_s)
                    process.kill()
                    process.wait()
        self._old.end()
        os.close(self._lifeline_write)
        os.close(self._lifeline_read)


def free_port() -> int:
    """A loopback port that was free just now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
