"""Where gateways stand side by side: their listening sockets, what they count in, and their doors."""

from __future__ import annotations

import socket
import sys
import tempfile
from pathlib import Path

from penstock.bootstrap.handover import sockets_for
from penstock.config.document import Server
from penstock.config.values import is_loopback
from penstock.server.places import COUNT_BYTES, VARIABLE, Places

BACKLOG = 4096


def listening_sockets(address: str, workers: int) -> list[socket.socket]:
    """Bound, inheritable sockets for `host:port`: on Linux one for each worker, else one. Raises OSError."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    if left := sockets_for(host, int(port), workers if sys.platform.startswith("linux") else 1):
        return left
    if workers == 1 or not sys.platform.startswith("linux"):
        return [_listen(host, int(port))]
    # Whoever else listens here may share its port as well: it would get a part of our connections, so look
    # first.
    probe = _listen(host, int(port))
    number = probe.getsockname()[1]
    probe.close()
    socks: list[socket.socket] = []
    try:
        socks.extend(_listen(host, number, shared=True) for _ in range(workers))
    except OSError:
        for sock in socks:
            sock.close()
        raise
    return socks


def admin_address(server: Server, port: int) -> str | None:
    """Where the control plane's paths have an address of their own, None where the public port has them.

    They have one as soon as others than this machine reach the public port, `port`: the next one, on loopback.
    """
    if server.admin_listen is not None:
        return server.admin_listen
    return None if is_loopback(server.listen) else f"127.0.0.1:{port + 1}"


def _listen(host: str, port: int, *, shared: bool = False) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    sock.set_inheritable(True)
    return sock


class Room:
    """Room for so many gateways; held by the supervisor, so that it outlives each of them."""

    def __init__(self, places: int, folder: Path) -> None:
        # Shared memory without a name: it is gone with the last process that has it.
        self._memory = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - held as long as the supervisor lives
        self._memory.write(b"\xff" * (COUNT_BYTES * places))  # nobody is there yet
        self._memory.flush()
        self._doors = [socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(places)]

    def env(self, place: int) -> dict[str, str]:
        """What the gateway at this place is told."""
        doors = [ours.fileno() for ours, _ in self._doors]
        return {VARIABLE: Places.variable(place, self._memory.fileno(), self._doors[place][1].fileno(), doors)}

    def descriptors(self, place: int) -> tuple[int, ...]:
        """What it inherits."""
        doors = [ours.fileno() for ours, _ in self._doors]
        return (self._memory.fileno(), self._doors[place][1].fileno(), *doors)

    def vacate(self, place: int) -> None:
        """Nobody stands there any more."""
        self._memory.seek(place * COUNT_BYTES)
        self._memory.write(b"\xff" * COUNT_BYTES)
        self._memory.flush()
