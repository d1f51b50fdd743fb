"""Watches the configuration file and publishes what changed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from penstock.compile.review import review
from penstock.compile.targets import CompileError
from penstock.config.load import ConfigError
from penstock.config.snapshot import SnapshotError
from penstock.control.publish import Publisher

POLL_S = 0.5
log = logging.getLogger("penstock.control")


def stamp_of(config: Path | None) -> str:
    """What changes when the file does; empty where there is none."""
    try:
        found = config.stat() if config is not None else None
    except OSError:
        return ""
    return f"{found.st_mtime_ns}:{found.st_ino}:{found.st_size}" if found is not None else ""


class ConfigWatch:
    """Publishes on a change of the file and on request; logs what is wrong and keeps what is in force."""

    def __init__(
        self, publisher: Publisher, config: Path | None, now_ms: Callable[[], int], published: str
    ) -> None:
        """`published` is the `stamp` of the file that is in force: it may have changed since."""
        self._publisher = publisher
        self._config = config
        self._now_ms = now_ms
        self._seen = published
        self.requested = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set."""
        while not stop.is_set():
            self.requested.wait(POLL_S)
            if stop.is_set():
                return
            stamp = stamp_of(self._config)
            if self.requested.is_set() or stamp != self._seen:
                self.requested.clear()
                self._seen = stamp
                self.reload()

    def reload(self) -> bool:
        """Publish the file as it stands; False where it was refused."""
        started = time.monotonic()
        try:
            snapshot = self._publisher.publish(self._publisher.read(), self._now_ms())
        except ConfigError as error:
            log.warning("the configuration was refused, the one in force goes on:\n%s", error)
        except (CompileError, SnapshotError, OSError) as error:
            log.warning("the configuration was refused, the one in force goes on: %s", error)
        else:
            log.info("published revision %s in %.0f ms", snapshot.revision, (time.monotonic() - started) * 1000)
            today = datetime.fromtimestamp(snapshot.created_ms / 1000, UTC).date()
            for notice in review(snapshot.document, today):
                log.warning("%s", notice)
            return True
        return False
