"""Adds judgements up into live scores, and keeps the file from which gateways know them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from penstock.core.scores import HALF_LIFE_S, REMEMBERED, estimates, packed
from penstock.ports.ledger import LedgerStore

SCORES_NAME = "scores.snapshot"
_EVERY_S = 1.0
# Without news scores fade all the same; gateways reckon that themselves from how old the file is.
_AT_LEAST_S = 60.0
# So much of the worker's time at most.
_MAX_SHARE = 0.05
MAX_SERIES = 20_000

HalfLives = Callable[[], Mapping[str, float]]


def default_lives() -> Mapping[str, float]:
    """Every route as usual."""
    return {}


class ScoresPublisher:
    """Writes the file when something was committed, about once a second.

    `half_lives` gives the seconds of routes that are not as usual.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        now_ms: Callable[[], int],
        monotonic: Callable[[], float],
        half_lives: HalfLives = default_lives,
    ) -> None:
        self._path = state_dir / SCORES_NAME
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._half_lives = half_lives
        self._due = self._stale = float("-inf")
        self._written: object = None

    def write_if_due(self, store: LedgerStore) -> None:
        """Write it if a second has passed and there is news. Raises what the store raises, and OSError."""
        began = self._monotonic()
        if began < self._due:
            return
        stamp = store.stamp()
        if stamp != self._written or began >= self._stale:
            self.write(store)
            self._written, self._stale = stamp, began + _AT_LEAST_S
        now = self._monotonic()
        self._due = now + max(_EVERY_S, (now - began) / _MAX_SHARE)

    def write(self, store: LedgerStore) -> None:
        """Write it now."""
        now_ms, lives = self._now_ms(), self._half_lives()
        store.judge(now_ms)
        longest = max([HALF_LIFE_S, *lives.values()])
        sums = store.judgements(now_ms - int(longest * REMEMBERED * 1000))
        found = estimates(sums, now_ms, lambda route: lives.get(route, HALF_LIFE_S), MAX_SERIES)
        temporary = self._path.with_name(f".{self._path.name}.new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(packed(now_ms, found))
        temporary.replace(self._path)
