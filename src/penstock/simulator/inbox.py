"""What the simulator received: exact counts of everything, and the last requests one by one."""

from __future__ import annotations

import itertools
from collections import Counter, deque
from typing import Literal

import msgspec

Fate = Literal["open", "answered", "hung_up", "broken"]
KEPT = 10_000
_MOST_MODELS = 1_000


class Received(msgspec.Struct, gc=False):
    """One request. `number` counts from 1 and never repeats within a run.

    `marker` is the client's own `x-simulator-marker` header, else the body's `user`. `fate` is *hung_up* when
    the client left before the answer's end, and *broken* when a behaviour cut it. `behaviour` is what the
    script added. `events` counts complete events that were handed to the socket, and `sent` all bytes.
    """

    number: int
    method: str
    path: str
    model: str = ""
    behaviour: str = ""
    stream: bool = False
    marker: str = ""
    request_id: str = ""
    traceparent: str = ""
    body_sha256: str = ""
    body_bytes: int = 0
    status: int = 0
    fate: Fate = "open"
    events: int = 0
    sent: int = 0


class Counts(msgspec.Struct):
    """How many requests there were, exactly, whatever is still kept of them."""

    total: int
    open: int
    answered: int
    hung_up: int
    broken: int
    by_model: dict[str, int]
    by_path: dict[str, int]
    by_status: dict[str, int]


class Inbox:
    """Keeps the last `kept` requests; counts are exact beyond. Above 1,000 names all others count as `…`."""

    def __init__(self, kept: int = KEPT) -> None:
        self._numbers = itertools.count(1)
        self._last: deque[Received] = deque(maxlen=kept)
        self._open: dict[int, Received] = {}
        self._fates: Counter[str] = Counter()
        self._models: Counter[str] = Counter()
        self._paths: Counter[str] = Counter()
        self._statuses: Counter[str] = Counter()

    def add(self, received: Received) -> None:
        """Number and keep a request that has just been read."""
        received.number = next(self._numbers)
        self._last.append(received)
        self._open[received.number] = received
        _count(self._models, received.model)
        _count(self._paths, received.path)

    def close(self, received: Received, fate: Fate) -> None:
        """Say how a request ended; only the first word counts."""
        if self._open.pop(received.number, None) is not None:
            received.fate = fate
            self._fates[fate] += 1
            self._statuses[str(received.status)] += 1

    def clear(self) -> None:
        """Forget everything but the requests that are still being answered; numbers go on."""
        waiting = list(self._open.values())
        for counter in (self._fates, self._models, self._paths, self._statuses):
            counter.clear()
        self._last.clear()
        self._last.extend(waiting)
        for each in waiting:
            _count(self._models, each.model)
            _count(self._paths, each.path)

    @property
    def counts(self) -> Counts:
        """The counts as they are now."""
        fates = self._fates
        return Counts(
            total=sum(fates.values()) + len(self._open),
            open=len(self._open),
            answered=fates["answered"],
            hung_up=fates["hung_up"],
            broken=fates["broken"],
            by_model=dict(self._models),
            by_path=dict(self._paths),
            by_status=dict(self._statuses),
        )

    def last(
        self, *, limit: int | None = None, model: str | None = None, marker: str | None = None, after: int = 0
    ) -> list[Received]:
        """The kept requests in order: the last `limit` of those that match and are numbered above `after`."""
        found = [
            each
            for each in self._last
            if each.number > after and model in {None, each.model} and marker in {None, each.marker}
        ]
        return found if limit is None else found[max(0, len(found) - limit) :]


def _count(counter: Counter[str], name: str) -> None:
    counter[name if name in counter or len(counter) < _MOST_MODELS else "…"] += 1
