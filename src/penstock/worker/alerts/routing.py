"""What the worker watches of routes: it counts exchanges as they are projected, and keeps the counts on disk.

Counts are this worker's own: each machine's worker sees the exchanges of its own gateways.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from penstock.compile.alerts import targets_by_route
from penstock.config.document import Document
from penstock.core.alerts import Reading
from penstock.core.exchange import Drilled, Entry, ExchangeSettled
from penstock.core.routing_alerts import Deprecation, RoutingWatch, deprecations

FILE_NAME = "routing-watch.json"
log = logging.getLogger("penstock.alerts")
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[RoutingWatch, dict[str, int]]).decode
_decode_feed = msgspec.json.Decoder(list[Deprecation]).decode


class RoutingDesk:
    """One per worker; `path` is where its counts are kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._watch = RoutingWatch()
        # How far each boot's journal is counted: what is projected twice is counted once.
        self._counted: dict[str, int] = {}
        self._read = False
        self._document: Document | None = None
        self._routes: dict[str, frozenset[str]] = {}
        self._feed: list[Deprecation] = []
        self._feed_stamp: tuple[str, int] | None = None

    def take(self, boot: str, entries: Sequence[tuple[int, Entry]]) -> None:
        """Entries of a journal that are about to be projected."""
        self._load()
        counted = self._counted.get(boot, 0)
        for seq, entry in entries:
            if seq > counted and isinstance(entry, ExchangeSettled):
                self._watch.take(entry)
            elif seq > counted and isinstance(entry, Drilled):
                self._watch.drilled(entry)
        if entries:
            self._counted[boot] = max(counted, entries[-1][0])

    def readings(self, document: Document, now_ms: int, cooldown_ms: int) -> Iterator[Reading]:
        """What is to be said now."""
        self._load()
        self._watch.forget(now_ms)
        yield from self._watch.readings(now_ms, cooldown_ms)
        every_s = {
            name: route.drill.every for name, route in document.routes.items() if route.drill is not None
        }
        yield from self._watch.drill_readings(every_s, now_ms, cooldown_ms)
        if document.alerts.deprecations is None:
            return
        if document is not self._document:
            self._document, self._routes = document, targets_by_route(document, now_ms)
        self._read_feed(Path(document.alerts.deprecations))
        today = datetime.fromtimestamp(now_ms / 1000, UTC).date()
        yield from deprecations(self._feed, self._routes, today, cooldown_ms)

    def save(self, boots: frozenset[str]) -> None:
        """Keep the counts; of the journals only those that still stand. Raises OSError."""
        self._counted = {boot: seq for boot, seq in self._counted.items() if boot in boots}
        fresh = self._path.with_suffix(".new")
        fresh.write_bytes(_encode((self._watch, self._counted)))
        fresh.replace(self._path)

    def _load(self) -> None:
        if self._read:
            return
        self._read = True
        try:
            self._watch, self._counted = _decode(self._path.read_bytes())
        except FileNotFoundError:
            pass  # the first start
        except (msgspec.DecodeError, OSError) as error:
            log.warning("what was known of routes is counted anew: %s: %s", self._path, error)

    def _read_feed(self, path: Path) -> None:
        try:
            stamp = (str(path), path.stat().st_mtime_ns)
            if stamp == self._feed_stamp:
                return
            self._feed_stamp = stamp
            self._feed = _decode_feed(path.read_bytes())
        except (OSError, msgspec.DecodeError) as error:
            log.warning("alerts.deprecations: %s cannot be read: %s", path, error)
