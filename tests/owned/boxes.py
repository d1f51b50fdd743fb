"""Stores of owned ids and what tests need around them."""

from __future__ import annotations

import queue
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from penstock.adapters.memory.owned import MemoryOwned
from penstock.adapters.secrets.aesgcm import AesGcmBox
from penstock.adapters.sqlite.owned import SqliteOwned
from penstock.adapters.sqlite.owned_thread import OwnedThread
from penstock.ports.owned import Owned, OwnedIds
from penstock.testing.clock import VirtualClock

DAY_MS = 24 * 3_600_000
BOX = AesGcmBox(bytes(32))
_Result = TypeVar("_Result")


def record(org: str = "acme", name: str = "resp_1", kept: bytes = b"", *, created_ms: int = 0) -> Owned:
    """A record that lasts for thirty days."""
    return Owned(org, name, "dev", "ann", "openai/gpt", "openai", created_ms, created_ms + 30 * DAY_MS, kept)


class Place(Protocol):
    """A store, and how to wait for its answers."""

    clock: VirtualClock
    store: OwnedIds

    def wait(self) -> None:
        """Let one callback come, or all that are due."""
        ...


class InMemory:
    """The store of tests."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.store: OwnedIds = MemoryOwned(self.clock)

    def wait(self) -> None:
        """See Place."""
        self.clock.run_soon()

    def close(self) -> None:
        """Nothing to close."""


class OnDisk:
    """The store of a gateway, with its thread."""

    def __init__(self, path: Path, clock: VirtualClock | None = None) -> None:
        self.clock = clock or VirtualClock()
        self.calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.errors: list[Exception] = []
        self._thread = OwnedThread(
            lambda: SqliteOwned(path, BOX), self.calls.put, self.clock.now_ms, self.errors.append
        )
        self.store: OwnedIds = self._thread

    def wait(self) -> None:
        """See Place."""
        self.calls.get(timeout=20)()

    def close(self) -> None:
        """End the thread."""
        self._thread.close()


def told(place: Place, ask: Callable[[Callable[[_Result], None]], None]) -> _Result:
    """The answer to one question."""
    answers: list[_Result] = []
    ask(answers.append)
    while not answers:
        place.wait()
    return answers[0]


def keep(place: Place, each: Owned) -> None:
    """Put a record there, and wait until it stands."""
    told(place, lambda then: place.store.keep(each, lambda: then(True)))  # noqa: FBT003 - any value


def forget(place: Place, org: str, name: str) -> str:
    """Delete a record; what failed, empty where nothing did."""
    return told(place, lambda then: place.store.forget(org, name, lambda: then(""), then))


def find(place: Place, org: str, name: str) -> Owned | str | None:
    """A record, or what failed."""

    def ask(then: Callable[[Owned | str | None], None]) -> None:
        place.store.find(org, name, then, then)

    return told(place, ask)
