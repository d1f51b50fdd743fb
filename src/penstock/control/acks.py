"""Which revision the gateways serve: this machine's from their files, other machines' from the database."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from penstock.ports.control_store import Served, StoreError

HEARD_WITHIN_MS = 5_000


class Ack(msgspec.Struct, frozen=True):
    """What a gateway writes when it has taken a snapshot: its process and the snapshot's revision."""

    pid: int
    revision: str


def local_acks(run: Path) -> dict[str, str]:
    """Revision by boot id of each gateway of this machine that lives; files of dead ones are removed."""
    found: dict[str, str] = {}
    for path in sorted(run.glob("*.json")):
        try:
            ack = msgspec.json.decode(path.read_bytes(), type=Ack)
        except (OSError, msgspec.MsgspecError):
            continue
        if _lives(ack.pid):
            found[path.stem] = ack.revision
        else:
            path.unlink(missing_ok=True)
    return found


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _nobody(_number_of: Callable[[str], int], _now_ms: int) -> list[Served]:
    return []


class Gateways:
    """Knows who has taken a revision.

    It remembers the content of each revision that this machine published of late, because gateways know
    contents and revisions have numbers; several revisions may have the same content.
    """

    def __init__(
        self,
        run: Path,
        machine: str,
        others: Callable[[], list[Served]] | None,
        fleet: Callable[[Callable[[str], int], int], list[Served]] = _nobody,
    ) -> None:
        """`others` gives what all machines said, None where this machine is alone.

        `fleet` gives what machines serve that this one publishes to (control.fleet.Fleet.served).
        """
        self._run = run
        self._machine = machine
        self._others = others
        self._fleet = fleet
        self._numbers: dict[str, int] = {}

    def published(self, content: str, number: int) -> None:
        """A revision's content is where this machine's gateways look."""
        self._numbers[content] = number
        while len(self._numbers) > 100:
            del self._numbers[next(iter(self._numbers))]

    def mine(self, now_ms: int) -> list[Served]:
        """What this machine's gateways serve, and those that it publishes to."""
        local = [
            Served(boot=boot, machine=self._machine, number=self._number(content), seen_ms=now_ms)
            for boot, content in local_acks(self._run).items()
        ]
        return local + self._fleet(self._number, now_ms)

    def _number(self, content: str) -> int:
        return self._numbers.get(content, 0)

    def doors(self) -> list[Path]:
        """The sockets at which this machine's gateways answer."""
        return [self._run / f"{boot}.sock" for boot in local_acks(self._run)]

    def behind(self, number: int, now_ms: int) -> list[str]:
        """The live gateways, of all machines, that do not serve this revision, or a later one, yet."""
        found = {one.boot: one for one in self.mine(now_ms)}
        away: list[str] = []
        try:
            others = self._others() if self._others is not None else []
        except StoreError as error:
            others, away = [], [f"gateways of other machines: {error}"]
        for one in others:
            # A machine may have gone from one control process to another: whoever heard the latest is right.
            known = found.get(one.boot)
            if one.machine != self._machine and (known is None or known.number < one.number):
                found[one.boot] = one
        return [
            one.boot if one.machine == self._machine else f"{one.machine}/{one.boot}"
            for one in found.values()
            if one.number < number
        ] + away
