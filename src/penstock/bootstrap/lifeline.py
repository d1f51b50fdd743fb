"""How a child learns that its supervisor is gone: a pipe that reaches its end.

It works for every death of the supervisor, `kill -9` included, and on every POSIX system.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable

VARIABLE = "PENSTOCK_LIFELINE_FD"
# What else a gateway inherits: the socket of server.admin_listen.
ADMIN_FD = "PENSTOCK_ADMIN_FD"


def inherited() -> int | None:
    """The file descriptor that was inherited, None in a process that runs by itself."""
    text = os.environ.get(VARIABLE)
    return int(text) if text else None


def on_end(call: Callable[[], None]) -> None:
    """Call `call` from a thread once the supervisor is gone; for processes without an event loop."""
    descriptor = inherited()
    if descriptor is None:
        return

    def wait() -> None:
        # The descriptor is shared, and a sibling's event loop has made it non-blocking: wait by select.
        select.select([descriptor], [], [])
        call()

    threading.Thread(target=wait, name="lifeline", daemon=True).start()
