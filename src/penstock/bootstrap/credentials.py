"""The credentials process: fetches what expires, and hands it to the gateways.

Run as `python -m penstock.bootstrap.credentials`. It alone imports the clouds' libraries, and it alone asks a
cloud's metadata addresses.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import sys
import threading
import time
from collections import ChainMap
from collections.abc import Callable, Mapping
from pathlib import Path

from penstock.adapters.credentials.aws import fetch_aws
from penstock.adapters.credentials.desk import Desk
from penstock.adapters.credentials.entra import fetch_entra
from penstock.adapters.credentials.google import fetch_google
from penstock.adapters.credentials.library import NoCredentialError
from penstock.adapters.credentials.refresher import Refresher
from penstock.bootstrap import lifeline
from penstock.bootstrap.plan_source import snapshot_box
from penstock.bootstrap.state_dir import StateDir
from penstock.compile.access import Source, sources_of
from penstock.config.document import AwsAccess, GoogleAccess, Secret, SecretError
from penstock.config.snapshot import SnapshotError, read_snapshot
from penstock.core.credentials import Credential

POLL_S = 0.25
log = logging.getLogger("penstock.credentials")


def now_ms() -> int:
    """Wall time in milliseconds."""
    return time.time_ns() // 1_000_000


def fetch_for(source: Source, env: Mapping[str, str]) -> Callable[[], Credential]:
    """What fetches this credential; secrets are resolved each time, so that a changed file is seen."""
    provider = source.provider

    def resolve(secret: Secret) -> str:
        try:
            return secret.resolve(env, lines=True).strip()
        except SecretError as error:
            raise NoCredentialError("a secret that its configuration names cannot be read") from error

    def aws() -> Credential:
        return fetch_aws(provider.aws or AwsAccess(), provider.region or "", resolve)

    def google() -> Credential:
        return fetch_google(provider.google or GoogleAccess(), resolve)

    def entra() -> Credential:
        if provider.entra is None:
            raise NoCredentialError("this provider has no `entra`")
        return fetch_entra(provider.entra, resolve, now_ms)

    return {"aws": aws, "google": google, "entra": entra}[source.cloud]


class CredentialsProcess:
    """One refresher for each credential that the published configuration needs."""

    def __init__(self, state: StateDir, env: Mapping[str, str]) -> None:
        self._state = state
        # What Vault holds changes under the refreshers, which resolve their secrets anew each time.
        self._secrets: ChainMap[str, str] = ChainMap({}, dict(env))
        self._box = snapshot_box(state, env)
        self._desk = Desk(state.credentials)
        self._refreshers: dict[str, Refresher] = {}
        self._seen = (0, 0)

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set."""
        self._desk.start()
        while not stop.is_set():
            self._look()
            stop.wait(POLL_S)
        for refresher in self._refreshers.values():
            refresher.end()
        self._desk.end()

    def _look(self) -> None:
        """Take a new snapshot, if there is one."""
        try:
            found = self._state.snapshot.stat()
            stamp = (found.st_mtime_ns, found.st_ino)
            if stamp == self._seen:
                return
            self._seen = stamp
            snapshot = read_snapshot(self._state.snapshot, self._box)
            self._secrets.maps[0] = dict(snapshot.environment({}))
            sources = list(sources_of(snapshot.document, lambda secret: secret.resolve(self._secrets)))
        except (OSError, SnapshotError, SecretError) as error:
            log.warning("the snapshot cannot be used, what was fetched goes on: %s", error)
            return
        self._apply({source.name: source for source in sources})

    def _apply(self, wanted: Mapping[str, Source]) -> None:
        for name in [name for name in self._refreshers if name not in wanted]:
            self._refreshers.pop(name).end()
            self._desk.forget(name)
        for name, source in wanted.items():
            known = self._refreshers.get(name)
            if known is not None:
                known.hurry()
                continue
            fetch = fetch_for(source, self._secrets)
            self._refreshers[name] = Refresher(name, fetch, self._desk, now_ms, random.random)
            self._refreshers[name].start()


def main() -> int:
    """Keep credentials fresh until told to stop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    # These two tell requests and answers where somebody turns everything on.
    for name in ("botocore", "google"):
        logging.getLogger(name).setLevel(logging.WARNING)
    state = StateDir(Path(os.environ["PENSTOCK_STATE_DIR"]))
    stop = threading.Event()

    def end(*_: object) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    lifeline.on_end(stop.set)
    CredentialsProcess(state, os.environ).run(stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
