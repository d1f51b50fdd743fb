"""What a billing system takes from the ledger: which events, and where it went on from."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec


class MeteringError(ValueError):
    """The question cannot be answered; the message says what to ask instead."""


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """A place in the order in which the ledger took its rows: that of the last event that was read."""

    place: int
    id: str

    def text(self) -> str:
        """As callers keep it."""
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")


def cursor_of(text: str) -> Cursor:
    """The place that a text names. Raises MeteringError."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=Cursor)
    except (binascii.Error, ValueError):
        raise MeteringError("this is no cursor of a metering export; give one back as it was") from None


class MeteringQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which events: of requests that came within [since, until), of these accounts, after a cursor.

    `places` are the (organisation, team) that the caller may see, an empty team meaning all; None is
    everything. `tags` must all be there with these values.
    """

    since_ms: int = 0
    until_ms: int | None = None
    org: str | None = None
    team: str | None = None
    user: str | None = None
    key: str | None = None
    route: str | None = None
    tags: dict[str, str] = {}
    places: tuple[tuple[str, str], ...] | None = None
    after: Cursor | None = None
    limit: int = 1000


class Metered(msgspec.Struct, frozen=True):
    """One event with its place."""

    event: dict[str, Any]
    cursor: Cursor
