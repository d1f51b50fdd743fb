"""How a child learns that its supervisor is gone: a pipe that reaches its end.

It works for every death of the supervisor, `kill -9` included, and on every POSIX system.
"""

from __future__ import annotations

import os

VARIABLE = "PENSTOCK_LIFELINE_FD"


def inherited() -> int | None:
    """The file descriptor that was inherited, None in a process that runs by itself."""
    text = os.environ.get(VARIABLE)
    return int(text) if text else None
