"""Owned ids off the event loop (ports.owned.OwnedIds): one thread opens the file, writes, reads and seals.

The thread starts with the first question, and only it imports SQLite and the cipher: a gateway that nobody asks
for a response never loads them. Questions are answered in their order; writes that have gathered while it was
busy share one transaction. The queue cannot outgrow the clients, each of whom waits for its answer.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import NamedTuple, Protocol

from penstock.ports.owned import Forgotten, Owned

PRUNE_S = 3600.0
MAX_BATCH = 256
CLOSE_S = 10.0


class OwnedFile(Protocol):
    """The blocking side; see adapters.sqlite.owned."""

    def write(self, changes: Sequence[Owned | Forgotten]) -> None:
        """Make all the changes, together."""
        ...

    def find(self, org: str, name: str, now_ms: int) -> Owned | None:
        """One record."""
        ...

    def prune(self, now_ms: int) -> int:
        """Delete what has expired."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


Failed = Callable[[str], None]
Call = Callable[[], None]


class _Write(NamedTuple):
    change: Owned | Forgotten
    then: Call
    failed: Failed | None


class _Find(NamedTuple):
    org: str
    name: str
    then: Callable[[Owned | None], None]
    failed: Failed


_Job = _Write | _Find


class OwnedThread:
    """`hand_back` runs a call in the event loop, from any thread; `on_error` is told what went wrong, there."""

    def __init__(
        self,
        open_file: Callable[[], OwnedFile],
        hand_back: Callable[[Call], object],
        now_ms: Callable[[], int],
        on_error: Callable[[Exception], None],
    ) -> None:
        self._open_file = open_file
        self._hand_back = hand_back
        self._now_ms = now_ms
        self._on_error = on_error
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._file: OwnedFile | None = None
        self._prune_at = 0.0

    def start(self) -> None:
        """Start the thread, so that what has expired is deleted although nobody asks."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="owned", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Do what was asked so far, and end."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join(CLOSE_S)

    def keep(self, record: Owned, then: Call) -> None:
        """See ports.owned."""
        self.start()
        self._jobs.put(_Write(record, then, None))

    def find(self, org: str, name: str, then: Callable[[Owned | None], None], failed: Failed) -> None:
        """See ports.owned."""
        self.start()
        self._jobs.put(_Find(org, name, then, failed))

    def forget(self, org: str, name: str, then: Call, failed: Failed) -> None:
        """See ports.owned."""
        self.start()
        self._jobs.put(_Write(Forgotten(org, name), then, failed))

    # --- in the thread ----------------------------------------------------------------------------------

    def _run(self) -> None:
        jobs: list[_Job | None] = []
        while None not in jobs:
            self._prune()
            jobs = self._gathered()
            answers: list[Call] = []
            for _, group in groupby([job for job in jobs if job is not None], type):
                answers += self._done(list(group))
            self._answer(answers)
        if self._file is not None:
            self._file.close()

    def _gathered(self) -> list[_Job | None]:
        """What there is to do, in order; nothing where it is time to prune."""
        jobs: list[_Job | None] = []
        with contextlib.suppress(queue.Empty):
            jobs.append(self._jobs.get(timeout=max(0.0, self._prune_at - time.monotonic())))
            while len(jobs) < MAX_BATCH and jobs[-1] is not None:
                jobs.append(self._jobs.get_nowait())
        return jobs

    def _opened(self) -> OwnedFile:
        if self._file is None:
            self._file = self._open_file()
        return self._file

    def _prune(self) -> None:
        if time.monotonic() >= self._prune_at:
            self._prune_at = time.monotonic() + PRUNE_S
            try:
                self._opened().prune(self._now_ms())
            except Exception as error:  # noqa: BLE001 - whatever a disk, a driver or a key can do
                self._answer([partial(self._on_error, error)])

    def _done(self, jobs: list[_Job]) -> list[Call]:
        """Do jobs of one kind; the calls that answer them."""
        writes = [job for job in jobs if isinstance(job, _Write)]
        if not writes:
            return [self._found(job) for job in jobs if isinstance(job, _Find)]
        try:
            self._opened().write([job.change for job in writes])
        except (TypeError, ValueError, OverflowError) as error:
            # Something in one record cannot be written: the others are not to suffer for it.
            if len(writes) > 1:
                return [call for job in writes for call in self._done([job])]
            return self._failed(writes, error)
        except Exception as error:  # noqa: BLE001 - see above
            return self._failed(writes, error)
        return [job.then for job in writes]

    def _failed(self, writes: list[_Write], error: Exception) -> list[Call]:
        told = [partial(job.failed, _sentence(error)) if job.failed else job.then for job in writes]
        return [partial(self._on_error, error), *told]

    def _found(self, job: _Find) -> Call:
        try:
            record = self._opened().find(job.org, job.name, self._now_ms())
        except Exception as error:  # noqa: BLE001 - see above
            self._answer([partial(self._on_error, error)])
            return partial(job.failed, _sentence(error))
        return partial(job.then, record)

    def _answer(self, answers: list[Call]) -> None:
        def run() -> None:
            for each in answers:
                try:
                    each()
                except Exception as error:  # noqa: BLE001 - one client's failure is not the others'
                    self._on_error(error)

        if answers:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._hand_back(run)


def _sentence(error: Exception) -> str:
    return f"the store of responses failed: {error}"
