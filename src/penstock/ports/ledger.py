"""What the projector needs from a ledger's store, and the positions that both keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from penstock.core.exchange import Event


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
    """An attempt without a settlement, as it counts against its key: at its reservation (0 if unpriced)."""

    index: int
    key: str
    hour: int
    reserved_nanousd: int


class Flight(msgspec.Struct, frozen=True, array_like=True):
    """An exchange under way: its open attempts, and the numbers of those that are charged already."""

    open: tuple[OpenAttempt, ...] = ()
    settled: tuple[int, ...] = ()


class LedgerState(msgspec.Struct, frozen=True):
    """What one instant of the committed ledger says about spending; hours count from the Unix epoch."""

    positions: dict[str, Position]
    hours: list[tuple[str, int, int]]
    totals: dict[str, int]
    flights: dict[str, Flight]


class LedgerStore(Protocol):
    """The rows of the ledger. Every method is one transaction; a failure leaves nothing half done."""

    def positions(self) -> Mapping[str, Position]:
        """How far each boot is projected."""
        ...

    def commit(self, boot: str, events: Sequence[tuple[int, Event]], position: Position, gaps: Gaps) -> None:
        """Project (seq, event) pairs of one boot and move its position, together."""
        ...

    def finish(self, boot: str, position: Position, now_ms: int) -> int:
        """Charge what a dead boot left open at its reservations; how many attempts that were."""
        ...

    def forget(self, boots: Sequence[str]) -> None:
        """Drop the positions of boots whose segments are gone."""
        ...

    def state(self, since_hour: int) -> LedgerState:
        """Positions, spending per key and hour from `since_hour` on, totals, and what is under way."""
        ...

    def close(self) -> None:
        """Close it."""
        ...
