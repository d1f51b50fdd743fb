"""The owner of accounts: the process through which gateways of one machine share limits and budgets.

Run as `python -m penstock.bootstrap.accounts`. It keeps nothing on disk: what was spent it reads from the
journals, and what is leased its holders say when they come (back).
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import gc
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Generator, Mapping
from pathlib import Path

import uvloop

from penstock.adapters.accounts.owner import Owner
from penstock.adapters.credentials.place import address_of
from penstock.adapters.files.posix import is_locked
from penstock.bootstrap import lifeline
from penstock.bootstrap.handover import HEIR, INHERITS
from penstock.bootstrap.plan_source import budgeted_tags, snapshot_box
from penstock.bootstrap.state_dir import StateDir
from penstock.config.snapshot import SnapshotError, read_snapshot
from penstock.core.accounts import NO_TAGS, SLOT_MS
from penstock.core.budget import window_bounds
from penstock.core.leases import Book
from penstock.ledger.accounts_replay import Spent, replay, spending_of_boot

# How long a restarted owner waits for holders that live and have not come back; budgets wait for all of them.
PATIENCE_S = 1.0
_WINDOWS = ("hour", "day", "week", "month", "total")
log = logging.getLogger("penstock.accounts")


def now_ms() -> int:
    """Wall time in milliseconds."""
    return time.time_ns() // 1_000_000


class JournalPast:
    """What the journals of one state directory know. Implements adapters.accounts.owner.Past."""

    def __init__(self, state: StateDir) -> None:
        self._state = state
        self._dead: dict[str, Spent] = {}

    def begin(self) -> list[str]:
        """Read what was spent; the gateways that live, whose part is not in it. Raises OSError."""
        living = set(self._living())
        spending = replay(self._state.root, is_locked, self._tags())
        living.update(self._living())
        self._dead = spending.by_account()
        for boot in living:
            _add(self._dead, spending.of_boot(boot), -1)
        return sorted(living)

    def alive(self, holder: str) -> bool:
        """See Past."""
        return is_locked(self._state.alive(holder))

    def before(self, counter: str) -> int:
        """See Past."""
        return spent_of(self._dead, counter)

    async def bury(self, holder: str, counters: list[str]) -> Mapping[str, int]:
        """See Past. Raises OSError."""
        loop = asyncio.get_running_loop()
        root, tags = self._state.root, self._tags()
        sums = await loop.run_in_executor(None, spending_of_boot, root, holder, is_locked, tags)
        _add(self._dead, sums, 1)
        self._state.alive(holder).unlink(missing_ok=True)
        return {counter: spent_of(sums, counter) for counter in counters}

    def _tags(self) -> frozenset[str]:
        try:
            document = read_snapshot(self._state.snapshot, snapshot_box(self._state, os.environ)).document
        except SnapshotError:
            return NO_TAGS  # there is no configuration yet, so nothing was spent under it
        return budgeted_tags(document)

    def _living(self) -> list[str]:
        return [path.stem for path in self._state.run.glob("*.alive") if is_locked(path)]


def spent_of(sums: Mapping[str, Spent], counter: str) -> int:
    """What `sums` has within the window of a budget counter; 0 of what is not money.

    The id of one is `account|usd|window|time zone|hard or soft|start of the window` (admission.leased).
    """
    parts = counter.rsplit("|", 5)
    if len(parts) != 6 or parts[1] != "usd" or parts[2] not in _WINDOWS:
        return 0
    spent = sums.get(parts[0])
    if spent is None:
        return 0
    if parts[2] == "total":
        return spent.total
    start_ms, end_ms = window_bounds(parts[2], int(parts[5]), parts[3])  # pyright: ignore[reportArgumentType]
    return sum(n for slot, n in spent.slots.items() if start_ms <= slot * SLOT_MS < end_ms)


def _add(sums: dict[str, Spent], more: Mapping[str, Spent], sign: int) -> None:
    for account, spent in more.items():
        found = sums.setdefault(account, Spent())
        found.total += sign * spent.total
        for slot, nanousd in spent.slots.items():
            found.slots[slot] = found.slots.get(slot, 0) + sign * nanousd


def listen(path: Path) -> socket.socket:
    """A listening socket that only this user may open, instead of one that is there. Raises OSError."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        path.unlink(missing_ok=True)
        with address_of(path) as address:
            sock.bind(address)
        sock.listen(64)
    except OSError:
        sock.close()
        raise
    finally:
        os.umask(before)
    sock.setblocking(False)  # noqa: FBT003 - the name says it
    return sock


@contextlib.contextmanager
def sole_owner(state: StateDir) -> Generator[None]:
    """Two owners would each grant the whole of every limit. Raises OSError where there is one.

    An heir waits instead, with all that it has to import done.
    """
    with (state.run / "accounts.lock").open("w") as lock:
        if os.environ.get(INHERITS):
            (state.run / HEIR).write_text(str(os.getpid()))
            fcntl.flock(lock, fcntl.LOCK_EX)
        else:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


async def serve(state: StateDir) -> None:
    """Own the accounts until told to stop."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    descriptor = lifeline.inherited()
    if descriptor is not None:
        loop.add_reader(descriptor, stop.set)
    past = JournalPast(state)
    living = past.begin()
    if living:
        log.info("waiting for %d gateways to say what they hold", len(living))
    book = Book(living, time.monotonic() + PATIENCE_S)
    owner = Owner(book, past, time.monotonic, now_ms)
    gc.collect()
    gc.freeze()
    server = await loop.create_unix_server(owner.connection, sock=listen(state.accounts))
    await owner.run(stop)
    server.close()


def main() -> int:
    """Entry point of the process."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    state = StateDir(Path(os.environ["PENSTOCK_STATE_DIR"]))
    try:
        with sole_owner(state):
            uvloop.run(serve(state))
    except BlockingIOError:
        log.error("another process owns the accounts of %s; end it first", state.root)  # noqa: TRY400
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
