"""On a machine without a control process of its own: the newest snapshot is kept on its disk."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping

import msgspec

from penstock.compile.targets import CompileError
from penstock.config.document import Document, SecretError
from penstock.config.snapshot import Snapshot, SnapshotError
from penstock.control.fleet import MOST_WAIT_S
from penstock.ports.fleet import Asked, ControlDoor, FleetError, Heard, Sent
from penstock.ports.secrets import UnsealError

LOOK_S = 0.05
# What a control process that was restarted did not hear is said again.
SAY_AGAIN_S = 5.0
AGAIN_AFTER_S = (0.1, 0.2, 0.5, 1.0, 2.0)
log = logging.getLogger("penstock.follower")


def with_own(theirs: Snapshot, own: Document) -> Snapshot:
    """Control's snapshot with what each machine says for itself: addresses, paths, workers, journal.

    Redis and the database are shared by all that share a configuration: control's hold where this machine
    names none. The revision stays control's: it is by that name that it is acknowledged.
    """
    server = own.server
    if server.redis_url is None:
        server = msgspec.structs.replace(server, redis_url=theirs.document.server.redis_url)
    if server.database_url is None:
        server = msgspec.structs.replace(server, database_url=theirs.document.server.database_url)
    document = msgspec.structs.replace(theirs.document, server=server, journal=own.journal)
    return msgspec.structs.replace(theirs, document=document)


class Follower:
    """Asks control for what is newer, and tells what the gateways of this machine serve.

    `unpack` opens what control sent; `take` checks a snapshot and puts it where gateways look; `served` gives
    the content that each living gateway of this machine serves; `have` is the content that is on disk.
    """

    def __init__(
        self,
        control: ControlDoor,
        machine: str,
        *,
        unpack: Callable[[bytes], Snapshot],
        take: Callable[[Snapshot], None],
        served: Callable[[], Mapping[str, str]],
        have: str,
    ) -> None:
        self._control = control
        self._machine = machine
        self._unpack = unpack
        self._take = take
        self._served = served
        self._have = have
        self._number = 0
        self._said = ""

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; a wait for control does not hold that up."""
        for work in (self._poll, self._tell):
            threading.Thread(target=work, args=(stop,), daemon=True).start()
        stop.wait()
        self._leave()

    def _poll(self, stop: threading.Event) -> None:
        failures = 0
        while not stop.is_set():
            try:
                # After a failure an answer is wanted at once: is control there again?
                self.follow(0.0 if failures else MOST_WAIT_S)
            except FleetError as error:
                self._say(f"control cannot be asked, the configuration in force goes on: {error}")
            except (SnapshotError, UnsealError, CompileError, SecretError, OSError) as error:
                self._say(f"what control sent cannot be used, the configuration in force goes on: {error}")
            else:
                self._well()
                failures = 0
                continue
            stop.wait(AGAIN_AFTER_S[min(failures, len(AGAIN_AFTER_S) - 1)])
            failures += 1

    def follow(self, wait_s: float) -> bool:
        """Take what is newer, if it comes within this time; whether it did.

        Raises FleetError, and what `unpack` and `take` raise.
        """
        heard = self._heard()
        sent = self._control.newer(
            Asked(
                machine=self._machine,
                said_ns=heard.said_ns,
                gateways=heard.gateways,
                have=self._have,
                number=self._number,
                wait_s=wait_s,
            )
        )
        if sent is None:
            return False
        self._taken(sent)
        return True

    def _taken(self, sent: Sent) -> None:
        snapshot = self._unpack(sent.data)
        if snapshot.revision != self._have:
            self._take(snapshot)
            log.info("took the configuration %s from control", snapshot.revision)
        self._have, self._number = snapshot.revision, sent.number

    def _heard(self) -> Heard:
        return Heard(machine=self._machine, said_ns=time.time_ns(), gateways=dict(self._served()))

    def _tell(self, stop: threading.Event) -> None:
        said: Mapping[str, str] = {}
        said_at = 0.0
        while not stop.wait(LOOK_S):
            heard = self._heard()
            if heard.gateways == said and time.monotonic() - said_at < SAY_AGAIN_S:
                continue
            try:
                self._control.say(heard)
            except FleetError:
                stop.wait(1.0)  # `run` says why
                continue
            said, said_at = heard.gateways, time.monotonic()

    def _leave(self) -> None:
        try:
            self._control.say(Heard(machine=self._machine, said_ns=time.time_ns(), gateways={}))
        except FleetError as error:
            log.debug("control was not told that this machine leaves: %s", error)

    def _say(self, what: str) -> None:
        if what != self._said:
            log.warning("%s", what)
        self._said = what

    def _well(self) -> None:
        if self._said:
            log.info("control answers again")
        self._said = ""
