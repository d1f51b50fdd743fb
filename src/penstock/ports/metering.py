"""The ledger as a billing system reads it."""

from __future__ import annotations

from typing import Protocol

from penstock.core.metering import Metered, MeteringQuery


class MeteringReader(Protocol):
    """A connection to a ledger that cannot write."""

    def metered(self, query: MeteringQuery) -> list[Metered]:
        """Up to `limit` events in the order in which the ledger took them; fewer mean that these are the last.

        Raises LedgerError where the ledger cannot be read, MeteringError for a cursor of another ledger.
        """
        ...

    def close(self) -> None:
        """Close it."""
        ...
