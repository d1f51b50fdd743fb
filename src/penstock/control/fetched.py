"""What the configuration names in Vault: fetched here, so that no gateway ever waits for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from penstock.config.document import Document, SecretError, secrets_in
from penstock.ports.secrets import FetchError, SecretStore

log = logging.getLogger("penstock.control")
# After a failure a secret is asked for again at least this often.
RETRY_S = 30.0


class FetchedSecrets:
    """The values in force. What was fetched once is used until something newer is there: Vault may be away.

    `open_store` gives the store that a document names, and how often a value without a lease is read again;
    `known` are values from an earlier start, by their places.
    """

    def __init__(
        self,
        open_store: Callable[[Document], tuple[SecretStore, float]],
        monotonic: Callable[[], float],
        known: Mapping[str, str],
    ) -> None:
        self._open_store = open_store
        self._monotonic = monotonic
        self._values = dict(known)
        self._due: dict[str, float] = {}
        self._lock = threading.Lock()
        self._store: SecretStore | None = None
        self._refresh_s = 60.0

    def values(self, document: Document) -> dict[str, str]:
        """All values that a document names; new ones are fetched. Raises SecretError."""
        places = places_in(document)
        if not places:
            return {}
        with self._lock:
            self._store, self._refresh_s = self._open_store(document)
            self._due = {place: self._due.get(place, 0.0) for place in places}
            missing = self._fetch_due()
            for place in sorted(places - self._values.keys()):
                raise SecretError(
                    missing.get(place, f"Vault: {place.partition('#')[0]}: nothing was fetched yet")
                )
            return {place: self._values[place] for place in places}

    def changed(self) -> bool:
        """Read again what is due; whether anything is another value now. Blocks on the network."""
        with self._lock:
            before = dict(self._values)
            self._fetch_due()
            return any(self._values.get(place) != before.get(place) for place in self._due)

    def _fetch_due(self) -> dict[str, str]:
        """Read what is due, or not there; what went wrong, by place."""
        told: dict[str, str] = {}
        away = ""
        for place in sorted(self._due):
            if place in self._values and self._monotonic() < self._due[place]:
                continue
            try:
                # Whoever does not answer one question is not asked the others, each of which takes its time.
                told[place] = away or self._fetch(place)
            except FetchError as error:
                away = told[place] = str(error)
            if told[place]:
                self._due[place] = self._monotonic() + min(RETRY_S, self._refresh_s)
            if told[place] and place in self._values:
                log.warning("%s; the value that was read before goes on", told[place])
        return told

    def _fetch(self, place: str) -> str:
        """Read one; why that was refused. Raises FetchError where nobody answers."""
        if self._store is None:
            return ""
        try:
            fetched = self._store.fetch(place)
        except FetchError as error:
            if error.away:
                raise
            return str(error)
        # A lease is renewed by reading again in good time.
        self._due[place] = self._monotonic() + (fetched.lease_s * 2 / 3 or self._refresh_s)
        self._values[place] = fetched.value
        return ""


def places_in(document: Document) -> set[str]:
    """The places in Vault that a document names."""
    return {place for secret in secrets_in(document) for place in secret.vault_places}


class Outside:
    """What a configuration stands on outside its file: secret files, the keyring, and Vault.

    `stamp` says of a path what changes when the file does. Vault is asked by a thread of its own.
    """

    def __init__(
        self, fetched: FetchedSecrets, keyring: str, stamp: Callable[[str], str], poll_s: float = 1.0
    ) -> None:
        self.fetched = fetched
        self._keyring = keyring
        self._stamp = stamp
        self._poll_s = poll_s
        self._files: dict[str, str] = {}
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def needed_by(self, document: Document) -> bool:
        """Whether this document stands on anything outside its file."""
        return any(secret.files or secret.vault_places for secret in secrets_in(document))

    def watch(self, document: Document) -> None:
        """This document is in force now."""
        files = {file for secret in secrets_in(document) for file in secret.files}
        self._files = {path: self._stamp(path) for path in sorted({*files, self._keyring})}

    def changed(self) -> bool:
        """Whether a file is another one than when the document was published."""
        found = {path: self._stamp(path) for path in self._files}
        changed, self._files = found != self._files, found
        return changed

    def start(self, tell: Callable[[], None]) -> None:
        """Look after Vault from now on; `tell` is called, in a thread, when a value has changed."""

        def run() -> None:
            while not self._ended.wait(self._poll_s):
                if self.fetched.changed():
                    log.info("a secret in Vault has changed")
                    tell()

        self._thread = threading.Thread(target=run, name="vault", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop the thread."""
        self._ended.set()
