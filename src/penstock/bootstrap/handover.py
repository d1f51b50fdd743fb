"""`penstock serve` replaced by another version of itself: same process id, same sockets, no connection refused.

The supervisor runs the program that is on disk now in its own place (`exec`). What it held goes on: listening
sockets, and its children, which the new supervisor replaces by its own.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from penstock.control.acks import Ack

VARIABLE = "PENSTOCK_HANDED_OVER"
TRY_S = 60.0
# What tells an owner of accounts to wait for the one before it, and the file in which it says that it does.
INHERITS = "PENSTOCK_INHERITS_ACCOUNTS"
HEIR = "accounts.next"
HEIR_S = 15.0
log = logging.getLogger("penstock.supervisor")


class OldChild(msgspec.Struct, frozen=True, kw_only=True):
    """A process that the supervisor before us started."""

    role: str
    pid: int
    drain_s: float


class Handed(msgspec.Struct, frozen=True, kw_only=True):
    """What one supervisor leaves to the next: file descriptors and children.

    `lifeline` is the end of a pipe by which the children know that there is a supervisor.
    """

    socks: list[int]
    admin: int | None
    lifeline: int
    children: list[OldChild]


class Inherited:
    """A child of this process that other code of it has started; as much of `subprocess.Popen` as is needed."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._status: int | None = None

    def poll(self) -> int | None:
        """Its status, None while it runs."""
        if self._status is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                self._status = 0
            else:
                self._status = os.waitstatus_to_exitcode(status) if pid else None
        return self._status

    def wait(self, timeout: float | None = None) -> int:
        """Until it has ended. Raises subprocess.TimeoutExpired."""
        until = time.monotonic() + timeout if timeout is not None else float("inf")
        while (status := self.poll()) is None:
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired("penstock", timeout or 0.0)
            time.sleep(0.02)
        return status

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


def handed_over() -> Handed | None:
    """What the supervisor before us left; None where there was none, or it has been taken."""
    text = os.environ.get(VARIABLE)
    return msgspec.json.decode(text, type=Handed) if text is not None else None


def sockets_for(host: str, port: int, count: int) -> list[socket.socket]:
    """The sockets that were left, where they are what is wanted now; else none."""
    handed = handed_over()
    if handed is None:
        return []
    for numbers in (handed.socks, [handed.admin] if handed.admin is not None else []):
        socks = [socket.socket(fileno=os.dup(number)) for number in numbers]
        if len(socks) == count and all(sock.getsockname()[:2] == (host, port) for sock in socks):
            for sock in socks:
                sock.set_inheritable(True)
            return socks
        for sock in socks:
            sock.close()
    return []


class Predecessor:
    """The children of the supervisor before us, until each of ours has taken its place."""

    def __init__(self, run: Path) -> None:
        handed = handed_over()
        os.environ.pop(VARIABLE, None)
        self._run = run
        self._told = False
        self._left: list[tuple[OldChild, Inherited]] = []
        self._lifeline: int | None = None
        if handed is None:
            return
        log.info("this version takes over from process %d's earlier one", os.getpid())
        self._left = [(child, Inherited(child.pid)) for child in handed.children]
        self._lifeline = handed.lifeline
        os.set_inheritable(handed.lifeline, False)  # noqa: FBT003 - its own signature
        for number in (*handed.socks, *([handed.admin] if handed.admin is not None else [])):
            os.close(number)  # `sockets_for` has given others for those that are wanted

    def give_way(self, *, gateways: bool) -> None:
        """End all that ours could not run beside; `gateways` where two would each count for themselves."""
        beside = {"simulator", "accounts"} if gateways else {"simulator", "accounts", "gateway"}
        self._end([each for each in self._left if each[0].role not in beside])

    @property
    def owns_accounts(self) -> bool:
        """Whether an owner of accounts is still there."""
        return any(child.role == "accounts" for child, _ in self._left)

    def give_accounts_to(self, pid: int) -> None:
        """End the owner once its heir waits for nothing but that: gateways do not wait for its start."""
        waiting = self._run / HEIR
        until = time.monotonic() + HEIR_S
        while self.owns_accounts and time.monotonic() < until:
            with contextlib.suppress(OSError):
                if waiting.read_text() == str(pid):
                    break
            time.sleep(0.02)
        self._end([each for each in self._left if each[0].role == "accounts"])
        waiting.unlink(missing_ok=True)

    def tend(self, fresh: set[int]) -> None:
        """Once the gateways with these process ids serve, tell the old ones to leave; others end after them."""
        self._left = [(child, process) for child, process in self._left if process.poll() is None]
        gateways = [process for child, process in self._left if child.role == "gateway"]
        if gateways and not self._told and fresh <= serving(self._run):
            self._told = True
            for process in gateways:
                process.terminate()
        if not gateways:
            self._end(self._left)
            if self._lifeline is not None:
                os.close(self._lifeline)
                self._lifeline = None

    def end(self) -> None:
        """End all that are left."""
        self._end(self._left)

    def _end(self, ending: list[tuple[OldChild, Inherited]]) -> None:
        for _, process in ending:
            process.terminate()
        for child, process in ending:
            try:
                process.wait(child.drain_s)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._left = [each for each in self._left if each[1].poll() is None]


def serving(run: Path) -> set[int]:
    """The process ids of the gateways that say that they serve."""
    found: set[int] = set()
    for path in run.glob("*.json"):
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            found.add(msgspec.json.decode(path.read_bytes(), type=Ack).pid)
    return found


def exec_anew(handed: Handed, env: Mapping[str, str], config: Path | None) -> str:
    """Become the program on disk; returns only where that cannot be, with the reason."""
    reason = _tried(env, config)
    if reason:
        return reason
    for number in (*handed.socks, handed.lifeline, *([handed.admin] if handed.admin is not None else [])):
        os.set_inheritable(number, True)  # noqa: FBT003 - its own signature
    # A second request, before the new program listens to it, must not end it.
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    sys.stdout.flush()
    sys.stderr.flush()
    text = msgspec.json.encode(handed).decode()
    words = [*program(), *sys.argv[1:]]
    os.execve(words[0], words, {**env, VARIABLE: text})  # noqa: S606 - the program that we are
    return ""


def program() -> list[str]:
    """How this program was started: as a module, or by a script, which may be another version by now."""
    script = Path(sys.argv[0])
    if script.name == "penstock" and os.access(script, os.X_OK):
        return [str(script.absolute())]
    return [sys.executable, "-m", "penstock.cli"]


def _tried(env: Mapping[str, str], config: Path | None) -> str:
    """Whether the program on disk runs, and takes the configuration: why not."""
    words = ["check", str(config)] if config is not None else ["--version"]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            [*program(), *words],
            env=dict(env),
            capture_output=True,
            text=True,
            check=False,
            timeout=TRY_S,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return "" if done.returncode == 0 else (done.stderr or done.stdout).strip()
