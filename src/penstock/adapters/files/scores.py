"""Live scores as the worker published them last."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from penstock.core.scores import Estimate, Score, Series, unpacked


class PublishedScores:
    """Implements ports.scores.Scores. Without a file, and before the first `look`, nothing is known.

    `now_ms` is wall time, as the file's.
    """

    def __init__(self, path: Path, now_ms: Callable[[], int]) -> None:
        self._path = path
        self._now_ms = now_ms
        self._seen = (0, 0)
        self._at_ms = 0
        self._known: dict[Series, Estimate] = {}

    def look(self) -> bool:
        """Read the file if it is another one than last time; whether it was. Raises OSError."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return False
        stamp = (found.st_mtime_ns, found.st_ino)
        if stamp == self._seen:
            return False
        self._seen = stamp
        published = unpacked(self._path.read_bytes())
        if published is None:
            return False
        self._at_ms = published.at_ms
        self._known = {(each.route, each.target, each.cohort, each.name): each for each in published.estimates}
        return True

    def of(self, route: str, target: str, name: str, cohort: str = "") -> Score | None:
        """See Scores."""
        found = self._known.get((route, target, cohort, name))
        return found.score((self._now_ms() - self._at_ms) / 1000) if found is not None else None
