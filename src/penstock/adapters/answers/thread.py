"""Entries in a file, asked for off the event loop: one thread opens the file, reads, writes and seals.

It starts with the first question, and only it imports SQLite and the cipher. What clients ask for is looked up
before anything is written. Where it cannot keep up, entries are not kept: they can be made again.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Protocol

from penstock.core.kept import Kept, Purge
from penstock.ports.answers import AnswersTold

MAX_WAITING = 1_000
PRUNE_MS = 600_000
CLOSE_S = 5.0
Call = Callable[[], None]
# What is to be done with the file, and what is told where that fails.
_Job = tuple[Callable[["BlockingAnswers"], Call], Callable[[Exception], Call]]


class BlockingAnswers(Protocol):
    """The blocking side; see `file.py`."""

    def find(self, key: bytes, now_ms: int) -> Kept | None:
        """One entry."""
        ...

    def keep(self, kept: Kept, now_ms: int) -> None:
        """Keep one."""
        ...

    def drop(self, purge: Purge) -> int:
        """Take some away."""
        ...

    def prune(self, now_ms: int) -> None:
        """Delete what is over."""
        ...

    def told(self) -> AnswersTold:
        """How much there is."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


class ThreadedAnswers:
    """Implements ports.answers.Answers. `hand_back` runs a call in the event loop, from any thread."""

    fresh = True  # whoever takes entries away asks every gateway of this machine

    def __init__(
        self,
        open_file: Callable[[], BlockingAnswers],
        hand_back: Callable[[Call], object],
        on_error: Callable[[Exception], None],
    ) -> None:
        self._open_file = open_file
        self._hand_back = hand_back
        self._on_error = on_error
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._waiting = 0
        self._thread: threading.Thread | None = None
        self._file: BlockingAnswers | None = None
        self._pruned_ms = 0
        self._errors = 0

    def find(self, key: bytes, now_ms: int, then: Callable[[Kept | None], None]) -> None:
        """See Answers."""

        def job(file: BlockingAnswers) -> Call:
            found = file.find(key, now_ms)
            return lambda: then(found)

        if not self._ask(job, lambda _: then(None)):
            then(None)

    def keep(self, kept: Kept, now_ms: int) -> None:
        """See Answers."""

        def job(file: BlockingAnswers) -> None:
            file.keep(kept, now_ms)
            if now_ms - self._pruned_ms > PRUNE_MS:
                self._pruned_ms = now_ms
                file.prune(now_ms)

        self._ask(job, lambda _: None)

    def drop(self, purge: Purge, then: Callable[[int | None, str], None]) -> None:
        """See Answers."""

        def job(file: BlockingAnswers) -> Call:
            count = file.drop(purge)
            return lambda: then(count, "")

        self._ask(job, lambda error: then(None, f"the file of answers failed: {error}"), forced=True)

    def told(self, then: Callable[[AnswersTold], None]) -> None:
        """See Answers."""

        def job(file: BlockingAnswers) -> Call:
            told = file.told()._replace(errors=self._errors)
            return lambda: then(told)

        self._ask(job, lambda _: then(AnswersTold("sqlite", errors=self._errors)), forced=True)

    def close(self) -> None:
        """Do what was asked so far, and end."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join(CLOSE_S)

    def _ask(
        self,
        job: Callable[[BlockingAnswers], Call | None],
        failed: Callable[[Exception], None],
        *,
        forced: bool = False,
    ) -> bool:
        """Hand a job over, unless too many wait; `forced` ones always."""
        if self._waiting >= MAX_WAITING and not forced:
            return False
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="answers", daemon=True)
            self._thread.start()
        self._waiting += 1

        def work(file: BlockingAnswers) -> Call:
            done = job(file)

            def over() -> None:
                self._waiting -= 1
                if done is not None:
                    done()

            return over

        def broken(error: Exception) -> Call:
            def over() -> None:
                self._waiting -= 1
                self._errors += 1
                self._on_error(error)
                failed(error)

            return over

        self._jobs.put((work, broken))
        return True

    # --- in the thread ------------------------------------------------------------------------------------

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            work, broken = job
            try:
                if self._file is None:
                    self._file = self._open_file()
                answer = work(self._file)
            except Exception as error:  # noqa: BLE001 - whatever a disk, a driver or a key can do
                answer = broken(error)
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._hand_back(answer)
        if self._file is not None:
            self._file.close()
