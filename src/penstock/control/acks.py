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


class Gateways:
    """Knows who has taken a revision.

    It remembers the content of each revision that this machine published of late, because gateways know
    contents and revisions have numbers; several revisions may have the same content.
    """

    def __init__(self, run: Path, machine: str, others: Callable[[], list[Served]] | None) -> None:
        """`others` gives what all machines said, None where this machine is alone."""
        self._run = run
        self._machine = machine
        self._others = others
        self._numbers: dict[str, int] = {}

    def published(self, content: str, number: int) -> None:
        """A revision's content is where this machine's gateways look."""
        self._numbers[content] = number
        while len(self._numbers) > 100:
            del self._numbers[next(iter(self._numbers))]

    def mine(self, now_ms: int) -> list[Served]:
        """What this machine's gateways serve."""
        return [
            Served(boot=boot, machine=self._machine, number=self._numbers.get(content, 0), seen_ms=now_ms)
            for boot, content in local_acks(self._run).items()
        ]

    def doors(self) -> list[Path]:
        """The sockets at which this machine's gateways answer."""
        return [self._run / f"{boot}.sock" for boot in local_acks(self._run)]

    def behind(self, number: int, now_ms: int) -> list[str]:
        """The live gateways, of all machines, that do not serve this revision, or a later one, yet."""
        waiting = [one.boot for one in self.mine(now_ms) if one.number < number]
        if self._others is None:
            return waiting
        try:
            others = self._others()
        except StoreError as error:
            return [*waiting, f"gateways of other machines: {error}"]
        return waiting + [
            f"{one.machine}/{one.boot}"
            for one in others
            if one.machine != self._machine and one.number < number
        ]
