"""Waiting until the ledger holds what the journal held at some moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from penstock.adapters.files.posix import is_locked
from penstock.ledger.accounts_replay import JOURNAL_NAME
from penstock.ledger.journal.reader import read_rest
from penstock.ports.ledger import Position

_POLL_S = 0.02


def wait_for_ledger(
    state_dir: Path,
    positions: Callable[[], Mapping[str, Position]],
    timeout_s: float,
    *,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Block until everything that is in the journal now is projected; False where that took too long.

    `positions` asks the ledger anew at each call. A dead writer's open attempts are waited for too.
    """
    deadline = monotonic() + timeout_s
    wanted: dict[str, Position] = {}
    for batch in read_rest(state_dir / JOURNAL_NAME, dict(positions()), is_locked):
        wanted[batch.boot] = Position(last_seq=batch.position.last_seq, finished=batch.dead)
    while True:
        now = positions()
        wanted = {boot: each for boot, each in wanted.items() if not _reached(now.get(boot), each)}
        if not wanted:
            return True
        if monotonic() >= deadline:
            return False
        sleep(_POLL_S)


def _reached(position: Position | None, wanted: Position) -> bool:
    at = position or Position()
    return at.finished or (at.last_seq >= wanted.last_seq and not wanted.finished)
