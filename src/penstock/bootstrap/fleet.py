"""In control: the address at which machines without a control process of their own get their snapshots."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping

import uvicorn

from penstock.adapters.fleet.seal import FleetToken, WeakTokenError
from penstock.bootstrap.places import listening_sockets
from penstock.bootstrap.state_dir import StateDir
from penstock.config.document import SecretError, Server
from penstock.config.snapshot import Snapshot
from penstock.control.api.fleet import make_fleet_app
from penstock.control.fleet import Fleet
from penstock.control.known import read_known

DRAIN_S = 1
log = logging.getLogger("penstock.control")


class FleetServer:
    """Answers at `server.control_listen`, in a thread of its own, whether or not there is a database."""

    def __init__(self, settings: Server, env: Mapping[str, str]) -> None:
        """Raises OSError, with a message that says what to do, where it cannot begin."""
        if settings.control_listen is None or settings.control_token is None:
            raise OSError("server.control_listen needs server.control_token")
        try:
            token = FleetToken(settings.control_token.resolve(env).strip())
        except (SecretError, WeakTokenError) as error:
            raise OSError(f"server.control_listen: {error}") from None
        self.fleet = Fleet(token.pack, time.monotonic)
        tls = settings.tls
        config = uvicorn.Config(
            make_fleet_app(self.fleet, token.bearer),
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=DRAIN_S,
            ssl_certfile=tls.cert if tls is not None else None,
            ssl_keyfile=tls.key if tls is not None else None,
        )
        config.load()  # a certificate that cannot be read is said here, not in the thread
        self._address = settings.control_listen
        self._server = uvicorn.Server(config)
        self._thread: threading.Thread | None = None

    @property
    def listens(self) -> bool:
        """Whether it has begun."""
        return self._thread is not None

    def listen(self) -> None:
        """Begin. Raises OSError where the address is taken, as it is until a process before us has ended."""
        try:
            (sock,) = listening_sockets(self._address, 1)
        except OSError as error:
            raise OSError(f"cannot listen at server.control_listen {self._address}: {error}") from None
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [sock]}, name="fleet", daemon=True
        )
        self._thread.start()
        log.info("other machines get their configuration at %s", self._address)

    def begin(self, state: StateDir, snapshot: Snapshot) -> None:
        """What was published before this start. Raises SnapshotError."""
        known = read_known(state.known)
        self.fleet.publish(snapshot, known.number if known is not None else 0)

    def close(self) -> None:
        """Stop answering."""
        self.fleet.end()
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(DRAIN_S + 1)
