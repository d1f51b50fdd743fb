"""The control process. Run as `python -m penstock.bootstrap.control`."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from penstock.adapters.prices.cache import load_book
from penstock.adapters.secrets.vault import VaultClient, VaultPlace
from penstock.bootstrap import lifeline
from penstock.bootstrap.plan_source import snapshot_box
from penstock.bootstrap.state_dir import StateDir
from penstock.compile.access import sources_of
from penstock.config.document import Document, Secret, SecretError
from penstock.config.load import ConfigError
from penstock.config.snapshot import SnapshotError, read_snapshot
from penstock.control.fetched import FetchedSecrets, Outside
from penstock.control.publish import Publisher
from penstock.control.watch import ConfigWatch, stamp_of

LISTEN = "PENSTOCK_LISTEN"
PUBLISHED = "PENSTOCK_PUBLISHED"


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
        server=server,
        published=published,
        fetch=outside.fetched.values,
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
    """Leave word for the supervisor whether there are credentials that expire."""
    if any(sources_of(document, lambda secret: secret.resolve(env))):
        state.credentials_wanted.touch(mode=0o600)
    else:
        state.credentials_wanted.unlink(missing_ok=True)


def main() -> int:
    """Watch the configuration until told to stop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    state = StateDir(Path(os.environ["PENSTOCK_STATE_DIR"]))
    given = os.environ.get("PENSTOCK_CONFIG")
    config = Path(given) if given else None
    outside = outside_of(state)
    publisher = publisher_for(state, config, os.environ.get(LISTEN), outside)
    published = os.environ.get(PUBLISHED, "")
    watch = ConfigWatch(publisher, config, now_ms, published, outside.changed)
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
    if begins_with(publisher, outside, config):
        watch.requested.set()
    outside.start(watch.requested.set)
    watch.run(stop)
    outside.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
