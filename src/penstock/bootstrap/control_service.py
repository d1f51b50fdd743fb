"""What of the control process needs a database and a web framework; imported once gateways are up."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn

from penstock.adapters.control_db.engine import Engine, open_postgresql, open_sqlite
from penstock.adapters.control_db.identity import SqlIdentityStore
from penstock.adapters.control_db.store import SqlControlStore
from penstock.adapters.credentials.place import address_of
from penstock.adapters.doors import Doors
from penstock.adapters.oidc.fetch import JsonFetcher
from penstock.adapters.oidc.providers import OidcProviders
from penstock.bootstrap.plan_source import control_box, snapshot_box
from penstock.bootstrap.state_dir import StateDir
from penstock.bootstrap.token_refresh import TokenRefresh
from penstock.bootstrap.worker_settings import settings_of
from penstock.config.document import Document
from penstock.config.snapshot import SnapshotError, read_snapshot
from penstock.control.acks import Gateways
from penstock.control.api.app import make_app
from penstock.control.api.auth import AdminKey, AdminVirtualKeys, OperatorToken
from penstock.control.audit import AuditLog
from penstock.control.drills import DrillClock
from penstock.control.fleet import Fleet
from penstock.control.login.oidc import OidcLogins
from penstock.control.login.people import People
from penstock.control.login.sessions import Sessions
from penstock.control.plane import ControlPlane, heard_of
from penstock.control.publish import Publisher
from penstock.control.rights import Directory
from penstock.control.secrets import Secrets
from penstock.control.throttles import expire
from penstock.control.token_keys import TokenKeys
from penstock.ports.control_store import StoreError
from penstock.ports.ledger import LedgerError
from penstock.worker.settings import ledger_place
from penstock.worker.stores import open_reader

BACKLOG = 128
DRAIN_S = 2
# How often this machine tells others what its gateways serve, where nothing has changed.
SAY_EVERY_MS = 2_000
# How often throttles that are over are removed; they hold no more in any case.
EXPIRE_EVERY_MS = 30_000
# How often it is looked whether a drill has stopped in one gateway and not in another; and how far back.
SPREAD_EVERY_MS = 2_000
DRILLED_MS = 400 * 86_400_000
log = logging.getLogger("penstock.control")


class ControlService:
    """The control plane of one machine, with its API on a Unix socket."""

    def __init__(
        self,
        state: StateDir,
        publisher: Publisher,
        document: Document,
        now_ms: Callable[[], int],
        fleet: Fleet | None = None,
    ) -> None:
        """Open the store and bring everything up to date. Raises StoreError and what `take_file` raises."""
        url = document.server.database_url
        self._state = state
        self._now_ms = now_ms
        self._shared = url is not None
        self._said: list[tuple[str, int]] = []
        self._said_ms = 0
        self._expire_ms = 0
        engine = engine_for(document, state)
        store = SqlControlStore(engine)
        store.prepare()
        self._identities = SqlIdentityStore(engine)
        if not self._shared:
            state.control_db.chmod(0o600)
        box = control_box(state, os.environ)
        sealing = Secrets(box)
        sealing.prepare(store)
        others = (lambda: heard_of(store, now_ms)) if self._shared else None
        fleets = [fleet.served] if fleet is not None else []
        gateways = Gateways(state.run, socket.gethostname(), others, *fleets)
        audit = AuditLog(box, state.audit_head, now_ms)
        self.plane = ControlPlane(store, publisher, sealing, audit, gateways, state.known, now_ms, fleet)
        self.plane.live = Doors(state.run)
        self.plane.drilled = lambda: drilled(state, now_ms)
        self._drills = DrillClock(self.plane, self.plane.document, now_ms)
        self._drills_ms = 0
        self.plane.metering = lambda: open_reader(ledger_place(state.root, settings_of(state)))
        try:
            self.plane.in_force(read_snapshot(state.snapshot, snapshot_box(state, os.environ)).revision)
        except SnapshotError as error:
            log.warning("%s", error)
        self._web = JsonFetcher(document.server.ca_file)
        self._tokens = TokenRefresh(
            self.plane, TokenKeys(state.token_keys, self._web), state.token_keys_wanted, now_ms
        )
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def serve(self) -> None:
        """Answer on the socket, in a thread of its own."""
        token = secrets.token_urlsafe(32)
        _write_private(self._state.operator, token)
        plane = self.plane
        directory = Directory(plane.store)
        sessions = Sessions(self._identities, directory, plane, plane.auth)
        authenticators = [
            OperatorToken(token),
            AdminKey(self._state.admin_key),
            AdminVirtualKeys(directory, plane),
            sessions,
        ]
        people = People(plane, self._identities, directory, sessions, plane.auth)
        providers = OidcProviders(self._web, time.monotonic)
        logins = OidcLogins(plane, self._identities, directory, sessions, providers)
        settings = uvicorn.Config(
            make_app(plane, authenticators, people, logins),
            log_config=None,
            access_log=False,
            lifespan="on",
            server_header=False,
            timeout_graceful_shutdown=DRAIN_S,
        )
        self._server = uvicorn.Server(settings)
        sock = unix_socket(self._state.control_socket)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [sock]}, name="admin-api", daemon=True
        )
        self._thread.start()

    def tick(self) -> None:
        """Publish what other machines changed, and say what gateways here serve. Raises as `catch_up`."""
        self.plane.catch_up()
        self._tokens.tick()
        now = self._now_ms()
        if now >= self._expire_ms:
            self._expire_ms = now + EXPIRE_EVERY_MS
            expire(self.plane)
            self._drills.tick()
        if now >= self._drills_ms:
            self._drills_ms = now + SPREAD_EVERY_MS
            self._drills.spread()
        if not self._shared:
            return
        now = self._now_ms()
        mine = [(one.boot, one.number) for one in self.plane.gateways.mine(now)]
        if mine != self._said or now - self._said_ms >= SAY_EVERY_MS:
            self.plane.say_served()
            self._said, self._said_ms = mine, now

    def close(self) -> None:
        """Stop answering, and give the database back."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(DRAIN_S + 1)
        self._state.operator.unlink(missing_ok=True)
        self._state.control_socket.unlink(missing_ok=True)
        self.plane.store.close()


def drilled(state: StateDir, now_ms: Callable[[], int]) -> list[dict[str, Any]]:
    """What the ledger knows of failover drills, the newest first; nothing where it cannot be read."""
    try:
        with contextlib.closing(open_reader(ledger_place(state.root, settings_of(state)))) as reader:
            return reader.drills(None, now_ms() - DRILLED_MS)
    except (FileNotFoundError, LedgerError) as error:
        log.info("the ledger cannot say which drills there were: %s", error)
        return []


def engine_for(document: Document, state: StateDir) -> Engine:
    """The database that a document names, else the embedded one. Raises StoreError, SecretError."""
    url = document.server.database_url
    return open_postgresql(url.resolve(os.environ)) if url is not None else open_sqlite(state.control_db)


def unix_socket(path: Path) -> socket.socket:
    """A listening socket that only this user can connect to. Raises StoreError."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.unlink(missing_ok=True)
        with address_of(path) as name:
            sock.bind(name)
        path.chmod(0o600)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise StoreError(f"{path}: {error.strerror or error}") from None
    return sock


def _write_private(path: Path, text: str) -> None:
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)
