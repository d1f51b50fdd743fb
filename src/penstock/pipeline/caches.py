"""What all exchanges of a gateway share of its cache: stores, requests under way, purges, counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from penstock.adapters.answers.memory import MemoryAnswers
from penstock.core.kept import Kept, Purge
from penstock.core.plan import Plan
from penstock.core.s3_fifo import S3Fifo
from penstock.pipeline.cache_content import Contents
from penstock.ports.answers import Answers, AnswersTold
from penstock.ports.clock import Clock
from penstock.ports.semantic import Semantic

MEMORY_BYTES = 64_000_000
# Of answers in other forms than the kept one.
FORMS_BYTES = 8_000_000
# Requests that are under way when something is taken away end within this time.
REMEMBER_MS = 3_600_000
MAX_PURGES = 10_000
MAX_ROUTES = 10_000


class Told(Protocol):
    """What a follower is told; `leads`: the others wait for it."""

    def __call__(self, kept: Kept | None, *, leads: bool) -> None:
        """Once."""
        ...


class Counts:
    """What became of one route's look-ups, since this process began."""

    __slots__ = (
        "exact",
        "kept",
        "misses",
        "not_kept",
        "saved_nanousd",
        "semantic",
        "skipped",
        "stale",
        "waited",
    )

    def __init__(self) -> None:
        self.exact = 0
        self.semantic = 0
        self.stale = 0
        self.misses = 0
        self.skipped = 0
        self.waited = 0
        self.kept = 0
        self.not_kept = 0
        self.saved_nanousd = 0

    def told(self) -> dict[str, int]:
        """They by name."""
        return {name: getattr(self, name) for name in self.__slots__}


class Flight:
    """A request under way whose answer others wait for."""

    __slots__ = ("waiting",)

    def __init__(self) -> None:
        self.waiting: list[Follower] = []


class Follower:
    """One who waits for a flight. `told` is called once: with the entry, or to ask, in the lead or alone."""

    __slots__ = ("_flight", "told")

    def __init__(self, told: Told) -> None:
        self.told = told
        self._flight: Flight | None = None

    def follow(self, flight: Flight) -> None:
        """Wait for this one."""
        self._flight = flight
        flight.waiting.append(self)

    def leave(self) -> None:
        """Wait no more."""
        if self._flight is not None and self in self._flight.waiting:
            self._flight.waiting.remove(self)
        self._flight = None


class Caches:
    """Memory before a store that is shared, where there is one (`deep`)."""

    def __init__(
        self,
        clock: Clock,
        memory: MemoryAnswers | None = None,
        deep: Answers | None = None,
        semantic: Semantic | None = None,
    ) -> None:
        self.clock = clock
        self.contents = Contents()
        self.memory = memory or MemoryAnswers(MEMORY_BYTES)
        self.deep = deep
        self.semantic = semantic
        self.forms = S3Fifo(FORMS_BYTES)
        self.flights: dict[bytes, Flight] = {}
        self.counts: dict[str, Counts] = {}
        self._purges: list[Purge] = []
        self._plan: Plan | None = None
        self._keys: frozenset[str] = frozenset()

    def counts_of(self, route: str) -> Counts:
        """The counts of a route."""
        found = self.counts.get(route)
        if found is None:
            found = Counts()
            if len(self.counts) < MAX_ROUTES:
                self.counts[route] = found
        return found

    # --- entries ------------------------------------------------------------------------------------------

    def find(self, key: bytes, then: Callable[[Kept | None], None]) -> None:
        """The entry of a key: at once where memory has it, or where there is nothing else."""
        now_ms = self.clock.now_ms()
        deep = self.deep
        kept = self.memory.peek(key, now_ms) if deep is None or deep.fresh else None
        if kept is not None or deep is None:
            then(kept)
            return
        deep.find(key, now_ms, lambda found: then(self._found(found, now_ms)))

    def _found(self, kept: Kept | None, now_ms: int) -> Kept | None:
        if kept is None or self._taken(kept):
            return None
        self.memory.keep(kept, now_ms)
        return kept

    def keep(self, kept: Kept) -> bool:
        """Keep an entry, unless it was taken away while it was made."""
        if self._taken(kept):
            return False
        now_ms = self.clock.now_ms()
        self.memory.keep(kept, now_ms)
        if self.deep is not None:
            self.deep.keep(kept, now_ms)
        return True

    def good(self, kept: Kept, plan: Plan) -> bool:
        """Whether the key that it was made with is still one of ours: what a revoked one left is not served."""
        if plan is not self._plan:
            self._plan = plan
            self._keys = frozenset([key.id for key in plan.keys.values()])
        return not kept.creator or kept.creator in self._keys

    def follow(self, before: Plan, after: Plan) -> None:
        """What keys that are gone have left is taken away, lest a later key of the same name finds it."""
        if all(route.cache is None for route in before.routes.values()):
            return
        left = {key.id for key in before.keys.values()} - {key.id for key in after.keys.values()}
        for name in sorted(left):
            self.drop(Purge(self.clock.now_ms(), key=name), _nothing)

    # --- taking entries away ------------------------------------------------------------------------------

    def heard(self, purge: Purge) -> int:
        """Entries were taken away elsewhere: here, too. How many there were."""
        oldest_ms = self.clock.now_ms() - REMEMBER_MS
        self._purges = [each for each in self._purges if each.before_ms > oldest_ms][-MAX_PURGES:]
        self._purges.append(purge)
        self.forms = S3Fifo(FORMS_BYTES)
        if self.semantic is not None:
            self.semantic.forget(purge)
        return self.memory.purge(purge)

    def drop(self, purge: Purge, then: Callable[[int | None, str], None]) -> None:
        """Take entries away; `then` as Answers.drop has it."""
        here = self.heard(purge)
        if self.deep is None:
            then(here, "")
        else:
            self.deep.drop(purge, then)

    def _taken(self, kept: Kept) -> bool:
        return any(purge.takes(kept) for purge in self._purges)

    def close(self) -> None:
        """Write what is to be written, and end."""
        if self.deep is not None:
            self.deep.close()

    # --- how much there is --------------------------------------------------------------------------------

    def told(self, then: Callable[[dict[str, object]], None]) -> None:
        """Counts by route, and what each store has."""
        routes = {name: counts.told() for name, counts in self.counts.items()}
        first = self.memory.status()

        def tell(stores: list[AnswersTold]) -> None:
            then({"routes": routes, "stores": [each._asdict() for each in stores]})

        if self.deep is None:
            tell([first])
        else:
            self.deep.told(lambda second: tell([first, second]))


def _nothing(count: int | None, why: str) -> None:
    """Nobody waits for this."""
