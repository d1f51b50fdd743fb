"""Watches the configuration file, and lets whoever looks after it know."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

POLL_S = 0.25
log = logging.getLogger("penstock.control")


def stamp_of(config: Path | None) -> str:
    """What changes when the file does; empty where there is none."""
    try:
        found = config.stat() if config is not None else None
    except OSError:
        return ""
    return f"{found.st_mtime_ns}:{found.st_ino}:{found.st_size}" if found is not None else ""


class ConfigWatch:
    """Calls `changed` when the file has changed or somebody asks for it, and `tick` each time that it looks."""

    def __init__(
        self,
        config: Path | None,
        published: str,
        changed: Callable[[], None],
        tick: Callable[[], None],
        outside: Callable[[], bool] = lambda: False,
    ) -> None:
        """`published` is the `stamp` of the file that is in force: it may have changed since.

        `outside` says whether something else has changed that the configuration stands on.
        """
        self._config = config
        self._seen = published
        self._outside = outside
        self._changed = changed
        self._tick = tick
        self.requested = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set."""
        while not stop.is_set():
            self.requested.wait(POLL_S)
            if stop.is_set():
                return
            stamp = stamp_of(self._config)
            if self._outside() or self.requested.is_set() or stamp != self._seen:
                self.requested.clear()
                self._seen = stamp
                self._changed()
            self._tick()
