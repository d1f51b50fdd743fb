"""The control process. Run as `python -m penstock.bootstrap.control`."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.adapters.prices.cache import load_book
from penstock.adapters.secrets.vault import VaultClient, VaultPlace
from penstock.bootstrap import lifeline
from penstock.bootstrap.plan_source import control_box, snapshot_box
from penstock.bootstrap.state_dir import StateDir
from penstock.bootstrap.supervisor import BESIDE
from penstock.compile.access import sources_of
from penstock.compile.held_back import asks_inference
from penstock.compile.review import review
from penstock.compile.targets import CompileError
from penstock.config.document import Document, Secret, SecretError
from penstock.config.problem import ConfigError
from penstock.config.snapshot import SnapshotError, read_snapshot
from penstock.control.fetched import FetchedSecrets, Outside
from penstock.control.problems import Denied
from penstock.control.publish import Publisher
from penstock.control.token_keys import stored_keys
from penstock.control.watch import ConfigWatch, stamp_of
from penstock.ports.control_store import StoreError

if TYPE_CHECKING:
    from penstock.bootstrap.control_service import ControlService
    from penstock.bootstrap.fleet import FleetServer

LISTEN = "PENSTOCK_LISTEN"
PUBLISHED = "PENSTOCK_PUBLISHED"
# The database and the API take their libraries half a second to import: a gateway that starts beside them goes
# first, for so long.
GATEWAYS_FIRST_S = 3.0
BACK_OFF_S = 2.0
log = logging.getLogger("penstock.control")


def now_ms() -> int:
    """Wall time in milliseconds."""
    return time.time_ns() // 1_000_000


def publisher_for(
    state: StateDir, config: Path | None, listen: str | None, outside: Outside | None = None
) -> Publisher:
    """The publisher of an installation, with the catalogue of this version."""
    outside = outside or outside_of(state)

    def published(document: Document, env: Mapping[str, str]) -> None:
        say_wanted(state, document, env)
        outside.watch(document)

    server = {"state_dir": str(state.root), **({"listen": listen} if listen else {})}
    return Publisher(
        config=config,
        snapshot=state.snapshot,
        admin_key=state.admin_key,
        env=os.environ,
        prices=load_book(state.cache),
        box=snapshot_box(state, os.environ),
        stored=control_box(state, os.environ),
        server=server,
        published=published,
        known=state.known,
        fetch=outside.fetched.values,
        token_keys=lambda document: stored_keys(state.token_keys, document.auth),
    )


def outside_of(state: StateDir) -> Outside:
    """What the configuration stands on beside its file; values from Vault outlive a restart in the snapshot."""
    try:
        before = read_snapshot(state.snapshot, snapshot_box(state, os.environ))
        known = {place: value.resolve({}, lines=True) for place, value in before.fetched.items()}
    except SnapshotError:
        known = {}
    doors: dict[VaultPlace, VaultClient] = {}

    def store(document: Document) -> tuple[VaultClient, float]:
        place = vault_place(document, os.environ)
        if place not in doors:
            doors.clear()  # one at a time: a client keeps its token
            doors[place] = VaultClient(place, time.monotonic)
        return doors[place], float(document.vault.refresh_s)

    fetched = FetchedSecrets(store, time.monotonic, known)
    return Outside(fetched, str(state.keyring), lambda path: stamp_of(Path(path)))


def begins_with(publisher: Publisher, outside: Outside, config: Path | None) -> bool:
    """Watch what the configuration stands on; whether it must be published again.

    `penstock serve` has published it, and what its files and Vault hold may have changed since.
    """
    try:
        document = publisher.read() if config is not None else Document()
    except ConfigError:
        document = Document()  # the watch reports it as soon as it looks at the file
    outside.watch(document)
    return outside.needed_by(document)


def vault_place(document: Document, env: Mapping[str, str]) -> VaultPlace:
    """The Vault that a document names, with what logs in there. Raises SecretError."""
    vault = document.vault
    address = vault.address or env.get("VAULT_ADDR")
    if not address:
        raise SecretError("the configuration names secrets in Vault; set vault.address or VAULT_ADDR")

    def given(secret: Secret | None) -> str:
        return secret.resolve(env) if secret is not None else ""

    return VaultPlace(
        address=address,
        namespace=vault.namespace or env.get("VAULT_NAMESPACE", ""),
        token=given(vault.token) or ("" if vault.role_id else env.get("VAULT_TOKEN", "")),
        role_id=given(vault.role_id),
        secret_id=given(vault.secret_id),
        auth_path=vault.auth_path,
        ca_file=vault.ca_file or env.get("VAULT_CACERT", ""),
    )


def say_wanted(state: StateDir, document: Document, env: Mapping[str, str]) -> None:
    """Leave word for the supervisor whether there are credentials that expire, or questions for a model."""
    wanted = {
        state.credentials_wanted: any(sources_of(document, lambda secret: secret.resolve(env))),
        state.inference_wanted: asks_inference(document),
    }
    for path, is_wanted in wanted.items():
        if is_wanted:
            path.touch(mode=0o600)
        else:
            path.unlink(missing_ok=True)


class ControlProcess:
    """Publishes the configuration; has the database and the API, as soon as they can be had."""

    def __init__(self, state: StateDir, config: Path | None, listen: str | None, outside: Outside) -> None:
        self._state = state
        self.publisher = publisher_for(state, config, listen, outside)
        self._service: ControlService | None = None
        self._missed = False
        self._began = time.monotonic()
        self._try_at = 0.0
        self._said = ""
        self._catch_up_at = 0.0
        self._fleet: FleetServer | None = None
        beside = os.environ.get(BESIDE, "gateway").split(",")
        self._gateways_first_s = GATEWAYS_FIRST_S if "gateway" in beside else 0.0

    def changed(self) -> None:
        """The file has changed, or what it stands on: secret files, Vault."""
        service = self._service
        if service is None:
            # Without the database nothing could be recorded; it is looked at again once it is there.
            self._missed = True
            log.warning("the configuration file has changed; it is taken once the control database is there")
            return
        self._report(lambda: _took_all(service))

    def tick(self) -> None:
        """Open the database where that is still to be done; publish what others have changed."""
        now = time.monotonic()
        if self._fleet is not None and not self._fleet.listens and now >= self._try_at:
            self._try_at = now + BACK_OFF_S
            self._report(self._fleet.listen)
        if self._service is not None:
            if now >= self._catch_up_at:
                self._report(self._service.tick)
                self._catch_up_at = now + (BACK_OFF_S if self._said else 0.0)
            return
        first = now - self._began < self._gateways_first_s and not any(self._state.run.glob("*.json"))
        if first or now < self._try_at:
            return
        self._try_at = now + BACK_OFF_S
        self._report(self._open_fleet)
        self._report(self._open)

    def close(self) -> None:
        """End the API."""
        if self._fleet is not None:
            self._fleet.close()
        if self._service is not None:
            self._service.close()

    def _open_fleet(self) -> None:
        """Other machines can be served what was published before, without a database."""
        snapshot = read_snapshot(self._state.snapshot, snapshot_box(self._state, os.environ))
        settings = snapshot.document.server
        if self._fleet is None and settings.control_listen is not None:
            from penstock.bootstrap.fleet import FleetServer  # noqa: PLC0415 - see GATEWAYS_FIRST_S

            self._fleet = FleetServer(settings, os.environ)
            self._fleet.begin(self._state, snapshot)
            self._fleet.listen()

    def _open(self) -> None:
        from penstock.bootstrap.control_service import ControlService  # noqa: PLC0415 - see GATEWAYS_FIRST_S

        fleet = self._fleet.fleet if self._fleet is not None else None
        service = ControlService(self._state, self.publisher, self.publisher.read(), now_ms, fleet)
        try:
            _took(service)
            service.tick()
        except (ConfigError, Denied) as error:
            log.warning("the configuration file was refused, the one in force goes on: %s", error)
            service.tick()
        if self._missed:
            service.plane.publish_again()
        service.serve()
        self._service = service

    def _report(self, work: Callable[[], None]) -> None:
        """Do something that may fail; the same failure is said once."""
        try:
            work()
        except ConfigError as error:
            self._say(f"the configuration was refused, the one in force goes on:\n{error}")
        except (CompileError, SnapshotError, Denied, StoreError, OSError) as error:
            self._say(f"the configuration in force goes on: {error}")
        else:
            self._said = ""

    def _say(self, what: str) -> None:
        if what != self._said:
            log.warning("%s", what)
        self._said = what


def _took_all(service: ControlService) -> None:
    _took(service)
    service.plane.publish_again()


def _took(service: ControlService) -> None:
    applied = service.plane.take_file()
    if applied is not None and applied.changed:
        log.info("took the configuration file as revision %d", applied.number)
        document = service.plane.publisher.in_force
        today = datetime.fromtimestamp(now_ms() / 1000, UTC).date()
        for notice in review(document, today) if document is not None else ():
            log.warning("%s", notice)


def main() -> int:
    """Look after the configuration until told to stop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    os.umask(0o077)  # the database's own further files are nobody else's to read either
    for chatty in ("alembic", "uvicorn", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    state = StateDir(Path(os.environ["PENSTOCK_STATE_DIR"]))
    given = os.environ.get("PENSTOCK_CONFIG")
    config = Path(given) if given else None
    outside = outside_of(state)
    process = ControlProcess(state, config, os.environ.get(LISTEN), outside)
    published = os.environ.get(PUBLISHED, "")
    watch = ConfigWatch(config, published, process.changed, process.tick, outside.changed)
    stop = threading.Event()

    def end(*_: object) -> None:
        stop.set()
        watch.requested.set()

    def reload(*_: object) -> None:
        watch.requested.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGHUP, reload)
    lifeline.on_end(end)
    if begins_with(process.publisher, outside, config):
        watch.requested.set()
    outside.start(watch.requested.set)
    watch.run(stop)
    outside.end()
    process.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
