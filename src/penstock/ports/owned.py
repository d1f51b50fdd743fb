"""Ids that a vendor or this gateway has handed to a client: whose they are, and who issued them.

An organisation's id is never found by another: `org` is part of every question, so that an id that exists and
is somebody else's cannot be told from one that does not exist. Every method returns at once; callbacks come in
the event loop, in the order of the calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import msgspec


class Owned(msgspec.Struct, frozen=True, gc=False):
    """One id. `kept` is what only we know of it (a conversation), empty where its vendor keeps it."""

    org: str
    id: str
    key: str
    user: str
    target: str
    provider: str
    created_ms: int
    expires_ms: int
    kept: bytes = b""


class Forgotten(NamedTuple):
    """An id that is to be deleted."""

    org: str
    id: str


class OwnedIds(Protocol):
    """The store. A record is not found from its `expires_ms` on."""

    def keep(self, record: Owned, then: Callable[[], None]) -> None:
        """Put it on record, then call `then`: every process of this machine finds it from there on.

        `then` is also called where it could not be written; the store reports that, and the id is unknown.
        """
        ...

    def find(
        self, org: str, name: str, then: Callable[[Owned | None], None], failed: Callable[[str], None]
    ) -> None:
        """The record of an id, None where this organisation has none; `failed` where nobody can tell."""
        ...

    def forget(self, org: str, name: str, then: Callable[[], None], failed: Callable[[str], None]) -> None:
        """Delete it for good, then call `then`; an id that is not there is no failure."""
        ...
