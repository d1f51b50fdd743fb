"""Keeps one credential fresh, in a thread of its own: a slow source holds up no other."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from penstock.adapters.credentials.library import NoCredentialError
from penstock.core.credentials import Credential
from penstock.core.refresh import refresh_in_s, retry_in_s

# A machine that was asleep looks at its clock at least this often.
LONGEST_NAP_S = 30.0
log = logging.getLogger("penstock.credentials")


class Told(Protocol):
    """Who hands it on."""

    def offer(self, source: str, credential: Credential) -> None:
        """A new one."""
        ...

    def trouble(self, source: str, sentence: str) -> None:
        """Why there is no new one."""
        ...


class Refresher:
    """Fetches at once, then before each end; after a failure with growing pauses."""

    def __init__(
        self,
        source: str,
        fetch: Callable[[], Credential],
        told: Told,
        now_ms: Callable[[], int],
        draw: Callable[[], float],
    ) -> None:
        self._source = source
        self._fetch = fetch
        self._told = told
        self._now_ms = now_ms
        self._draw = draw
        self._failures = 0
        self._ended = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"refresh {source}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """Fetch no more; a fetch under way is not waited for, and its result is dropped."""
        self._ended = True
        self._wake.set()

    def hurry(self) -> None:
        """Fetch now if the last time failed: somebody has changed something."""
        if self._failures:
            self._wake.set()

    def _run(self) -> None:
        while not self._ended:
            due_ms = self._now_ms() + int(self._once() * 1000)
            while not self._ended and (left_ms := due_ms - self._now_ms()) > 0:
                if self._wake.wait(min(LONGEST_NAP_S, left_ms / 1000)):
                    self._wake.clear()
                    break

    def _once(self) -> float:
        """Fetch; how long to wait for the next time."""
        try:
            credential = self._fetch()
            left_s = self._left_s(credential)
        except Exception as error:  # noqa: BLE001 - libraries of others raise what they like
            return self._failed(error)
        if self._ended:
            return 0.0
        if self._failures:
            log.info("%s: fetched again after %d failures", self._source, self._failures)
        self._failures = 0
        self._told.offer(self._source, credential)
        return refresh_in_s(left_s, self._draw())

    def _left_s(self, credential: Credential) -> float | None:
        if not credential.expires_ms:
            return None
        left_s = (credential.expires_ms - self._now_ms()) / 1000
        if left_s <= 0:
            raise NoCredentialError("the credential that was fetched has expired already")
        return left_s

    def _failed(self, error: Exception) -> float:
        if self._ended:
            return 0.0
        self._failures += 1
        wait_s = retry_in_s(self._failures, self._draw())
        own = isinstance(error, NoCredentialError)
        # A library's words may name accounts and addresses: they are for the log, not for clients.
        what = f"{error} ({error.__cause__})" if own and error.__cause__ is not None else str(error)
        log.warning("%s: %s: %s; next try in %.0f s", self._source, type(error).__name__, what, wait_s)
        said = str(error) if own else f"fetching it failed ({type(error).__name__})"
        self._told.trouble(self._source, f"{said}; see the log of the credentials process")
        return wait_s
