"""What a machine without a control process of its own asks control for, and tells it."""

from __future__ import annotations

from typing import Protocol

import msgspec


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """Which content (`Snapshot.revision`) each gateway of a machine serves, by boot id.

    `said_ns` is when it was so, by the machine's clock: what arrives out of turn is not believed.
    """

    machine: str
    said_ns: int
    gateways: dict[str, str]


class Asked(Heard, frozen=True, kw_only=True):
    """A wish for what is newer: `have` is a content, `number` that of its revision, `wait_s` our patience."""

    have: str
    number: int
    wait_s: float


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A sealed snapshot (`adapters.fleet.seal`) and the number of its revision."""

    number: int
    data: bytes


class FleetError(Exception):
    """Control cannot be asked, or refuses; the message says why."""


class ControlDoor(Protocol):
    """Control on another machine."""

    def newer(self, asked: Asked) -> Sent | None:
        """What is newer, as soon as it is there; None where nothing came in time. Raises FleetError."""
        ...

    def say(self, heard: Heard) -> None:
        """Tell which content gateways serve. Raises FleetError."""
        ...
