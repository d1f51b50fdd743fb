"""A control plane in this process: a real database and real snapshots, without gateways."""

from __future__ import annotations

import functools
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from litestar import Litestar
from litestar.testing import TestClient

from penstock.adapters.control_db.engine import open_postgresql, open_sqlite
from penstock.adapters.control_db.identity import SqlIdentityStore
from penstock.adapters.control_db.store import SqlControlStore
from penstock.adapters.oidc.fetch import JsonFetcher
from penstock.adapters.oidc.providers import OidcProviders
from penstock.bootstrap.plan_source import LazyBox
from penstock.bootstrap.state_dir import StateDir
from penstock.config.document import Document
from penstock.config.snapshot import read_snapshot
from penstock.control.acks import Gateways
from penstock.control.api.app import make_app
from penstock.control.api.auth import AdminVirtualKeys, OperatorToken
from penstock.control.audit import Actor, AuditLog
from penstock.control.keys import Keys
from penstock.control.login.oidc import OidcLogins
from penstock.control.login.people import People
from penstock.control.login.sessions import Sessions
from penstock.control.objects import Asker, Objects
from penstock.control.plane import ControlPlane, heard_of
from penstock.control.publish import Publisher
from penstock.control.revisions import Revisions
from penstock.control.rights import OWNER, Directory
from penstock.control.secrets import Secrets
from penstock.core.permissions import Principal
from penstock.core.price_book import PriceBook

OPERATOR = "operator-token"
MASTER_KEY = "ab" * 32
CONFIG = """\
version: 1
providers: {sim: {kind: simulator}}
routes: {echo: {policy: sim/echo}}
orgs: {acme: {teams: {red: {}}}, beta: {}}
keys: [{name: filed, secret: sk-filed, org: acme, team: red, routes: [echo]}]
"""


@functools.cache
def empty_database() -> Path:
    """An SQLite database with its tables, made once for this process."""
    folder = tempfile.TemporaryDirectory()
    _KEPT.append(folder)
    path = Path(folder.name) / "control.db"
    store = SqlControlStore(open_sqlite(path))
    store.prepare()
    store.close()
    return path


_KEPT: list[tempfile.TemporaryDirectory[str]] = []


class House:
    """One machine's control."""

    def __init__(
        self, folder: Path, config: str = CONFIG, url: str | None = None, machine: str = "one"
    ) -> None:
        self.state = StateDir(folder / "state")
        self.state.create()
        self.config = folder / "penstock.yaml"
        self.config.write_text(config)
        self.now = 1_900_000_000_000
        self.url = url
        self.machine = machine
        self.web_s = 0.0
        self.web = OidcProviders(JsonFetcher(), lambda: self.web_s)
        self.env = {"PENSTOCK_MASTER_KEY": MASTER_KEY, "PATH": os.environ.get("PATH", "")}
        self.open()

    def open(self) -> None:
        """Start, or start again: nothing is kept in memory."""
        self.__dict__.pop("app", None)
        engine = open_postgresql(self.url) if self.url else open_sqlite(self.state.control_db)
        self.store = SqlControlStore(engine)
        self.identities = SqlIdentityStore(engine)
        if self.url is None and not self.state.control_db.exists():
            shutil.copy(empty_database(), self.state.control_db)  # tests of the store make tables often enough
        elif self.url is not None:
            self.store.prepare()
        self.box = LazyBox(self.state.root, self.env, "control", shared=True)
        self.publisher = Publisher(
            config=self.config,
            snapshot=self.state.snapshot,
            admin_key=self.state.admin_key,
            env=self.env,
            prices=PriceBook("none", {}),
            box=self.box,
            known=self.state.known,
        )
        secrets = Secrets(self.box)
        secrets.prepare(self.store)
        self.audit = AuditLog(self.box, self.state.audit_head, self.now_ms)
        others = (lambda: heard_of(self.store, self.now_ms)) if self.url else None
        self.plane = ControlPlane(
            self.store,
            self.publisher,
            secrets,
            self.audit,
            Gateways(self.state.run, self.machine, others),
            self.state.known,
            self.now_ms,
        )
        self.objects = Objects(self.plane)
        self.keys = Keys(self.objects)
        self.revisions = Revisions(self.plane)
        self.plane.take_file()
        self.plane.catch_up()

    def now_ms(self) -> int:
        """The clock that tests turn."""
        return self.now

    @property
    def owner(self) -> Asker:
        """Who may do everything."""
        return Asker(
            Principal("operator", "operator:test", OWNER), Actor(name="operator:test", kind="operator")
        )

    @property
    def published(self) -> Document:
        """What gateways would read."""
        return read_snapshot(self.state.snapshot, self.box).document

    def head(self) -> int:
        """The newest revision."""
        with self.store.reading() as reading:
            return reading.head()

    def _app(self) -> Litestar:
        directory = Directory(self.store)
        sessions = Sessions(self.identities, directory, self.plane, self.plane.auth)
        people = People(self.plane, self.identities, directory, sessions, self.plane.auth)
        logins = OidcLogins(self.plane, self.identities, directory, sessions, self.web)
        known = [OperatorToken(OPERATOR), AdminVirtualKeys(directory, self.plane), sessions]
        return make_app(self.plane, known, people, logins)

    def client(self, token: str = OPERATOR) -> TestClient[Any]:
        """The admin API, asked with a credential."""
        client = TestClient(self._app(), base_url="http://control.local")
        client.headers["authorization"] = f"Bearer {token}"
        return client

    @functools.cached_property
    def app(self) -> Litestar:
        """The admin API, made once, which saves a third of a second; for clients that are in no `with`."""
        return self._app()

    def operator(self) -> TestClient[Any]:
        """A client of `app` that may do everything."""
        client = self.browser()
        client.headers["authorization"] = f"Bearer {OPERATOR}"
        return client

    def browser(self) -> TestClient[Any]:
        """A client of `app` without a credential, which follows nothing by itself."""
        client = TestClient(self.app, base_url="http://control.local")
        client.follow_redirects = False
        return client

    def member(self, org: str, name: str, role: str, team: str | None = None) -> str:
        """A service account with this role and the secret of a key with which it administers."""
        owner = self.owner
        account = {"team": team} if team else {}
        self.objects.put(owner, "service_account", org, name, account)
        binding = {"service_account": name, "role": role, **account}
        self.objects.put(owner, "role_binding", org, f"{name}-{role}", binding)
        spec = {"service_account": name, "admin_api": True, **account}
        _, secret, _ = self.keys.create(owner, org, f"{name}-key", spec)
        return secret

    def close(self) -> None:
        """Give the database back."""
        self.store.close()
