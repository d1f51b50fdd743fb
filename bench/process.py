"""Processes of a run: started on a chosen core, measured through /proc, always ended by their id."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
END_WAIT_S = 10.0
DIES_WITH_US = ("setpriv", "--pdeathsig", "TERM")  # util-linux: nothing outlives a benchmark that is killed


@dataclass
class Process:
    """One process that we started, and its log file."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path
    started_at: float
    first_answer_s: float = 0.0

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.popen.pid

    def tree(self) -> list[int]:
        """Its own id and those of its living descendants."""
        return [self.pid, *descendants(self.pid)]

    def end(self) -> None:
        """SIGTERM, and SIGKILL for whatever of the tree is still there after END_WAIT_S."""
        tree = self.tree()
        for pid in tree:
            send(pid, signal.SIGCONT)
        send(self.pid, signal.SIGTERM)
        try:
            self.popen.wait(END_WAIT_S)
        except subprocess.TimeoutExpired:
            send(self.pid, signal.SIGKILL)
            self.popen.wait()
        deadline = time.monotonic() + END_WAIT_S
        left = [pid for pid in tree[1:] if alive(pid)]
        while left and time.monotonic() < deadline:
            time.sleep(0.05)
            left = [pid for pid in left if alive(pid)]
        for pid in left:
            send(pid, signal.SIGKILL)

    def last_words(self) -> str:
        """The end of its log, for an error message."""
        return self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""


def spawn(
    name: str,
    command: Sequence[str],
    log: Path,
    *,
    core: int | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Process:
    """Start a command, on one core if it is given, with its output in a log file."""
    pinned = [*DIES_WITH_US, *(("taskset", "-c", str(core)) if core is not None else ()), *command]
    started_at = time.monotonic()
    with log.open("ab") as out:
        popen = subprocess.Popen(
            pinned,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            start_new_session=True,
        )
    return Process(name, popen, log, started_at)


def send(pid: int, number: signal.Signals) -> None:
    """Signal a process that may be gone."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def alive(pid: int) -> bool:
    """Whether it runs; a zombie does not."""
    try:
        return _stat(pid)[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def descendants(pid: int) -> Iterator[int]:
    """Children first, each followed by its own."""
    for task in sorted(Path(f"/proc/{pid}/task").glob("*/children")):
        try:
            children = task.read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        for child in children:
            yield int(child)
            yield from descendants(int(child))


def pin(pid: int, core: int) -> None:
    """Move a running process with all its threads to one core."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), {core})


def command_line(pid: int) -> str:
    """The words of its command."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def cpu_s(pids: Sequence[int]) -> float:
    """User and system time of these processes together, so far; fields 14 and 15 of /proc/PID/stat."""
    return sum(int(fields[11]) + int(fields[12]) for fields in map(_stat, pids)) * TICK_S


def core_busy_s(core: int) -> float:
    """How long a core has worked for anybody, or was taken by the hypervisor; from /proc/stat."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *fields = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _wait, irq, softirq, steal = map(int, fields[:8])
            return (user + nice + system + irq + softirq + steal) * TICK_S
    return 0.0


def rss_bytes(pids: Sequence[int]) -> int:
    """Resident memory of these processes together."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1]) * 1024
    return total


def free_port() -> int:
    """A loopback port that was free just now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
