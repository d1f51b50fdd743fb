"""One worker for each state directory."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import threading
from collections.abc import Generator
from pathlib import Path

LOCK_NAME = "worker.lock"
_log = logging.getLogger(__name__)


class WorkerRunningError(Exception):
    """Another process projects this state directory."""


@contextlib.contextmanager
def sole_worker(state_dir: Path, stop: threading.Event) -> Generator[bool]:
    """Hold the worker's lock, for which it waits until `stop`; False where it stayed taken."""
    descriptor = os.open(state_dir / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield _lock(descriptor, state_dir, stop)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, state_dir: Path, stop: threading.Event) -> bool:
    told = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if stop.is_set():
                return False
            if not told:
                _log.warning("another worker holds %s; waiting for it to end", state_dir)
                told = True
            stop.wait(0.2)
        else:
            return True
