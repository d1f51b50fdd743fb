"""The address of a Unix socket, which the system bounds to about a hundred bytes."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

LONGEST = 100
_OPEN = Path("/proc/self/fd")


@contextmanager
def address_of(path: Path) -> Generator[str]:
    """The path, or one as short as the system wants it, good within the block. Raises OSError."""
    if len(os.fsencode(path)) <= LONGEST:
        yield str(path)
        return
    if not _OPEN.exists():
        raise OSError(f"{path} is too long for a socket; choose a shorter server.state_dir")
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"{_OPEN}/{folder}/{path.name}"
    finally:
        os.close(folder)
