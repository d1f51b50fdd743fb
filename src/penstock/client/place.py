"""The path of a Unix socket, as short as the system wants it."""

from __future__ import annotations

import os
from pathlib import Path

from penstock.client.errors import UnreachableError

# Linux takes 107 bytes, macOS 103.
LONGEST = 100
_OPEN = Path("/proc/self/fd")


class SocketPlace:
    """Where a socket is found, from now until `close`, however deep its folder lies."""

    def __init__(self, path: Path) -> None:
        """Raises UnreachableError where this system has no way to such a path."""
        self.path = path
        self._folder: int | None = None
        self.name = str(path)
        if len(os.fsencode(path)) <= LONGEST or not path.parent.is_dir():
            return
        if not _OPEN.exists():
            raise UnreachableError(f"{path} is too long for a socket; choose a shorter server.state_dir")
        self._folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self.name = f"{_OPEN}/{self._folder}/{path.name}"

    def close(self) -> None:
        """Give the folder back."""
        if self._folder is not None:
            os.close(self._folder)
            self._folder = None
