"""What the projector needs from a ledger's store, and the positions that both keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from penstock.core.exchange import Projected
from penstock.core.scores import Sum

# Half of the time for which a finished boot stays apart: whoever reads the ledger within it finds the boot's
# sums either there, or with the machine whose boot it was.
RECENT_MS = 1_800_000


class Position(msgspec.Struct, frozen=True, array_like=True):
    """How far a writer boot's segments are read. `finished`: the writer is dead and all of it is settled."""

    segment: int = 0
    offset: int = 0
    last_seq: int = 0
    finished: bool = False


class Gaps(msgspec.Struct, frozen=True, array_like=True):
    """What could not be read: torn places and their bytes, and intact records of an unknown kind."""

    places: int = 0
    bytes: int = 0
    undecoded: int = 0


class OpenAttempt(msgspec.Struct, frozen=True, array_like=True):
    """An attempt without a settlement, as it counts against its accounts: at its reservation (0 if unpriced).

    `slot` is that of its opening (`core.accounts`).
    """

    index: int
    accounts: tuple[str, ...]
    slot: int
    reserved_nanousd: int


class Flight(msgspec.Struct, frozen=True, array_like=True):
    """An exchange under way in a boot: its open attempts, and the numbers of those that are charged already."""

    boot: str
    open: tuple[OpenAttempt, ...] = ()
    settled: tuple[int, ...] = ()


class LedgerState(msgspec.Struct, frozen=True):
    """What one instant of the committed ledger says about spending.

    `spent` has rows (boot, account, slot, nano-dollars); boot '' is that of all folded ones, slot
    `core.accounts.EARLIER` has what is older than slots are kept. `tags` are the names of the tags that were
    counted. `recent`, of a ledger that several machines share: this machine's boots that have been finished for
    less than `RECENT_MS`.
    """

    positions: dict[str, Position]
    spent: list[tuple[str, str, int, int]]
    flights: dict[str, Flight]
    tags: frozenset[str] = frozenset()
    recent: frozenset[str] = frozenset()


class LedgerError(RuntimeError):
    """The ledger cannot be reached or used; the message says why, and how to mend it where we know."""


class LedgerStore(Protocol):
    """The rows of the ledger. Every method is one transaction; a failure leaves nothing half done.

    Several workers may write to one store, each the boots of its own journal.
    """

    def positions(self) -> Mapping[str, Position]:
        """How far each boot of this worker's journal is projected."""
        ...

    def stamp(self) -> object:
        """What is unequal to an earlier answer as soon as anything was committed since, by any worker."""
        ...

    def count_tags(self, tags: frozenset[str]) -> None:
        """Count spending by the values of these tags, too, from the next commit on."""
        ...

    def commit(
        self, boot: str, events: Sequence[tuple[int, Projected]], position: Position, gaps: Gaps
    ) -> None:
        """Project (seq, event) pairs of one boot and move its position, together.

        Pairs up to the boot's committed `last_seq` are left out: a commit may be repeated.
        """
        ...

    def finish(self, boot: str, position: Position, now_ms: int) -> int:
        """Charge what a dead boot left open at its reservations; how many attempts that were."""
        ...

    def fold(self, now_ms: int) -> bool:
        """One short step of keeping the sums by account small; whether more is left.

        Boots that are finished for more than an hour are added to boot '', slots older than are kept to
        `EARLIER`, and those of sessions and tasks deleted.
        """
        ...

    def judge(self, now_ms: int) -> int:
        """Count judgements whose requests were not there when they came; how many still were to be looked for.

        Sums that nobody asks for any more are dropped on the way.
        """
        ...

    def judgements(self, since_ms: int) -> list[Sum]:
        """Judgements and quality gates added up by minute, from that of `since_ms` on."""
        ...

    def forget(self, boots: Sequence[str]) -> None:
        """Drop the positions of boots whose segments are gone, as soon as their sums are folded."""
        ...

    def state(self, now_ms: int) -> LedgerState:
        """Positions, spending by boot, account and slot as far as slots are kept, and what is under way."""
        ...

    def close(self) -> None:
        """Close it."""
        ...
