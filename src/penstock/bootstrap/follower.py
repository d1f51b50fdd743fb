"""The follower, where `server.control_url` names control. Run as `python -m penstock.bootstrap.follower`.

It stands in for control: what it gets there it writes where gateways look, and what they serve it tells there.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from penstock.adapters.fleet.client import ANSWER_S, FleetClient
from penstock.adapters.fleet.seal import FleetToken, WeakTokenError
from penstock.bootstrap import lifeline
from penstock.bootstrap.control import LISTEN, say_wanted
from penstock.bootstrap.plan_source import SIMULATOR_URL, plan_of, snapshot_box
from penstock.bootstrap.redis_part import source_name
from penstock.bootstrap.state_dir import StateDir
from penstock.config.document import Document, SecretError
from penstock.config.load import load_file
from penstock.config.problem import ConfigError
from penstock.config.snapshot import Snapshot, SnapshotError, read_snapshot, write_snapshot
from penstock.control.acks import local_acks
from penstock.control.follow import Follower, with_own
from penstock.ports.fleet import FleetError

# Which port the simulator has is known only to gateways.
_SOME_URL = "http://127.0.0.1:9/v1"
log = logging.getLogger("penstock.follower")


class FollowError(Exception):
    """This machine cannot follow control; the message says what to do."""


def own_settings(config: Path, env: Mapping[str, str], state: StateDir, listen: str | None) -> Document:
    """What the file says for this machine, the command line's wishes included. Raises ConfigError."""
    document = load_file(config, env)
    server = msgspec.structs.replace(document.server, state_dir=str(state.root))
    if listen:
        server = msgspec.structs.replace(server, listen=listen)
    return msgspec.structs.replace(document, server=server)


class Following:
    """What one state directory follows."""

    def __init__(
        self, state: StateDir, own: Document, env: Mapping[str, str], answer_s: float = ANSWER_S
    ) -> None:
        """`answer_s` is how long control may take for an answer. Raises FollowError."""
        self._state = state
        self._own = own
        self._env = env
        self._box = snapshot_box(state, env)
        server = own.server
        if server.control_url is None or server.control_token is None:
            raise FollowError("server.control_url and server.control_token are both needed")
        try:
            token = FleetToken(server.control_token.resolve(env).strip())
            authorities = server.control_ca_file or server.ca_file
            control = FleetClient(server.control_url, token, authorities, answer_s)
        except (SecretError, WeakTokenError, FleetError) as error:
            raise FollowError(str(error)) from None
        self.follower = Follower(
            control,
            # Names of hosts may be the same; that of a state directory is its own.
            f"{socket.gethostname()}-{source_name(state)[:4]}",
            unpack=token.unpack,
            take=self._take,
            served=lambda: local_acks(state.run),
            have=self._renewed(),
        )

    def _renewed(self) -> str:
        """The content on disk, which gets the file's settings of today; empty where there is none to use."""
        if not self._state.snapshot.exists():
            return ""
        try:
            before = read_snapshot(self._state.snapshot, self._box)
            after = with_own(before, self._own)
            if after.document != before.document:
                write_snapshot(self._state.snapshot, after, self._box)
        except (SnapshotError, OSError) as error:
            log.warning("%s", error)
            return ""
        return before.revision

    def _take(self, theirs: Snapshot) -> None:
        """Raises SnapshotError, CompileError, SecretError, OSError: then the one before goes on."""
        snapshot = with_own(theirs, self._own)
        plan_of(snapshot, {SIMULATOR_URL: _SOME_URL, **self._env}, time.time_ns() // 1_000_000)
        write_snapshot(self._state.snapshot, snapshot, self._box)
        say_wanted(self._state, snapshot.document, snapshot.environment(self._env))


def main() -> int:
    """Follow control until told to stop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    os.umask(0o077)
    state = StateDir(Path(os.environ["PENSTOCK_STATE_DIR"]))
    try:
        own = own_settings(Path(os.environ["PENSTOCK_CONFIG"]), os.environ, state, os.environ.get(LISTEN))
        following = Following(state, own, os.environ)
    except (ConfigError, FollowError) as error:
        log.error("%s", error)  # noqa: TRY400 - the message says it all
        return 1
    stop = threading.Event()

    def end(*_: object) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    lifeline.on_end(stop.set)
    following.follower.run(stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
