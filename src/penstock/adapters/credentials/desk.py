"""Hands credentials to gateways over a Unix socket that only this user may open."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
from pathlib import Path

from penstock.adapters.credentials.offers import offer_line, trouble_line
from penstock.adapters.credentials.place import address_of
from penstock.core.credentials import Credential

# A gateway that takes nothing for so long is let go; it comes again.
SEND_S = 2.0
POLL_S = 0.5


class Desk:
    """Every gateway that comes gets all there is, then what changes. Nothing is read from them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._good: dict[str, bytes] = {}
        self._trouble: dict[str, bytes] = {}
        self._clients: list[socket.socket] = []
        self._listener = _listen(path)
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="desk", daemon=True)

    def start(self) -> None:
        """Begin to take gateways in."""
        self._thread.start()

    def end(self) -> None:
        """Close everything."""
        self._ended = True
        self._thread.join()
        with self._lock:
            for client in self._clients:
                client.close()
            self._clients.clear()
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def offer(self, source: str, credential: Credential) -> None:
        """Hand it out, now and to whoever comes later."""
        line = offer_line(source, credential)
        with self._lock:
            self._good[source] = line
            self._trouble.pop(source, None)
            self._send(line)

    def trouble(self, source: str, sentence: str) -> None:
        """Say why there is no newer one."""
        line = trouble_line(source, sentence)
        with self._lock:
            if self._trouble.get(source) != line:
                self._trouble[source] = line
                self._send(line)

    def forget(self, source: str) -> None:
        """Nobody needs it any more."""
        with self._lock:
            self._good.pop(source, None)
            self._trouble.pop(source, None)

    def _send(self, line: bytes) -> None:
        for client in list(self._clients):
            try:
                client.sendall(line)
            except OSError:
                self._clients.remove(client)
                client.close()

    def _run(self) -> None:
        while not self._ended:
            with self._lock:
                self._prune()
            if select.select([self._listener], [], [], POLL_S)[0]:
                with contextlib.suppress(OSError):
                    self._take_in()

    def _take_in(self) -> None:
        client, _ = self._listener.accept()
        client.settimeout(SEND_S)
        with self._lock:
            self._clients.append(client)
            lines = [*self._good.values(), *self._trouble.values()]
            try:
                client.sendall(b"".join(lines))
            except OSError:
                self._clients.remove(client)
                client.close()

    def _prune(self) -> None:
        """Let go of gateways that have ended."""
        for client in list(self._clients):
            try:
                gone = bool(select.select([client], [], [], 0)[0]) and not client.recv(1024)
            except (OSError, ValueError):
                gone = True
            if gone:
                self._clients.remove(client)
                client.close()


def _listen(path: Path) -> socket.socket:
    """A listening socket with mode 0600 from its first moment. Raises OSError."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        with address_of(path) as address:
            listener.bind(address)
        listener.listen(64)
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(before)
    return listener
