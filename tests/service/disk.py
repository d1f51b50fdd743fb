"""Disks that are really full: a small file system where we may mount one, elsewhere a limit of the kernel's.

`fill` leaves no room for a running service, `free` gives it back. A service whose state is on such a disk runs
as always; no part of it is told.
"""

from __future__ import annotations

import functools
import resource
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from tests.service.service import Service

SIZE = "20m"
_BLOCK = bytes(4096)
# What a process that is started may make of a file: enough to say what is wrong, too little for a segment.
_LITTLE = 256 * 1024


class Disk(Protocol):
    """A disk on which a service keeps its state."""

    def fill(self, service: Service) -> None:
        """Leave no room."""
        ...

    def free(self, service: Service) -> None:
        """Make room."""
        ...


class SmallDisk:
    """A tmpfs of its own, filled by a file."""

    def __init__(self, path: Path) -> None:
        self._filler = path / "filler"

    def fill(self, service: Service) -> None:
        """Write until the kernel says ENOSPC."""
        del service
        with suppress(OSError), self._filler.open("ab", buffering=0) as file:
            while True:
                file.write(_BLOCK)

    def free(self, service: Service) -> None:
        """Delete the file."""
        del service
        self._filler.unlink()


class LimitedFiles:
    """RLIMIT_FSIZE of the running processes: no file may grow, and the kernel says EFBIG."""

    def fill(self, service: Service) -> None:
        """Gateway and worker may use what their files have; who is started next, a little."""
        segment = max(path.stat().st_size for path in (service.state / "journal").glob("*.journal"))
        wal = (service.state / "ledger.db-wal").stat().st_size
        _limit(service.pid("gateway"), segment)
        _limit(service.pid("worker"), max(wal, _LITTLE))
        _limit(service.supervisor, _LITTLE)

    def free(self, service: Service) -> None:
        """Lift the limits."""
        for pid in (service.supervisor, service.pid("gateway"), service.pid("worker")):
            _limit(pid, resource.RLIM_INFINITY)


def _limit(pid: int, soft: int) -> None:
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


@functools.cache
def may_mount() -> bool:
    """Whether this process may mount a file system; root in a container often may not."""
    with tempfile.TemporaryDirectory() as folder:
        return _mount(Path(folder)) and _unmount(Path(folder))


def _mount(path: Path) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0700", "penstock-test", str(path)]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _unmount(path: Path) -> bool:
    # Lazily: whoever still has a file open there must not keep the mount in the folder.
    return subprocess.run(["umount", "-l", str(path)], capture_output=True, check=False).returncode == 0


@contextmanager
def disk(kind: str, state: Path) -> Generator[Disk]:
    """The disk on which `state` lies; kind `best` is a small one where that may be mounted."""
    if kind == "limit" or not may_mount():
        yield LimitedFiles()
        return
    state.mkdir()
    if not _mount(state):
        raise OSError(f"cannot mount on {state}")
    try:
        yield SmallDisk(state)
    finally:
        _unmount(state)
