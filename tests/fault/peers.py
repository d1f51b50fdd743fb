"""Whom the product talks to on a VirtualLoop: an upstream, a proxy, a client; over TLS by the product's layer.

They speak HTTP to the letter and no more; what goes wrong comes from the network.
"""

from __future__ import annotations

import asyncio
import functools
import re
import ssl
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import cast

from penstock.adapters.http.tls import HandshakeTurns, TlsLayer
from penstock.wire.tls import TlsPipe
from tests.fault.network import VirtualLoop
from tests.transport.certificates import Authority

UPSTREAM, PROXY, GATEWAY = 443, 3128, 4000
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@functools.cache
def authority() -> Authority:
    """One for all runs: making keys is slow."""
    return Authority()


@functools.cache
def server_context() -> ssl.SSLContext:
    """Of everybody who is called localhost."""
    return authority().server("localhost")


@functools.cache
def ca_file() -> str:
    """The authority's certificate as a file."""
    return authority().file(Path(tempfile.mkdtemp()))


class Peer(asyncio.Protocol):
    """Answers each whole request with `pieces`, one a turn."""

    def __init__(self, loop: VirtualLoop, pieces: list[bytes]) -> None:
        self._loop = loop
        self._pieces = pieces
        self._transport: asyncio.Transport | None = None
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Say no more."""
        del exc
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Wait for a whole request."""
        self._data += data
        head, end, _ = self._data.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        size = len(head) + 4 + (int(length[1]) if length else 0)
        if end and len(self._data) >= size:
            self._data = self._data[size:]
            self._answer(list(self._pieces))

    def _answer(self, pieces: list[bytes]) -> None:
        if pieces and self._transport is not None:
            self._transport.write(pieces.pop(0))
            self._loop.call_soon(self._answer, pieces)


class TunnelPeer(asyncio.Protocol):
    """A proxy that opens a tunnel to an upstream, whom it hosts itself."""

    def __init__(self, upstream: Callable[[], asyncio.Protocol]) -> None:
        self._upstream = upstream
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Agree to what comes, and step aside."""
        transport = self._transport
        if transport is not None and data.endswith(b"\r\n\r\n"):
            transport.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            behind = self._upstream()
            transport.set_protocol(behind)
            behind.connection_made(transport)


def _nobody(layer: TlsLayer, error: Exception) -> None:
    """Whose handshake failed hears of it from the other side."""
    del layer, error


def tls_server(loop: VirtualLoop, above: asyncio.Protocol) -> asyncio.Protocol:
    """`above` behind the server's side of TLS."""
    pipe = TlsPipe(server_context(), server_side=True)
    return TlsLayer(pipe, above, HandshakeTurns(loop.call_soon), _nobody)


def tls_client(loop: VirtualLoop, above: asyncio.Protocol) -> asyncio.Protocol:
    """`above` behind the client's side of TLS."""
    pipe = TlsPipe(authority().client(), server_side=False, server_hostname="localhost")
    return TlsLayer(pipe, above, HandshakeTurns(loop.call_soon), _nobody)


def listen(loop: VirtualLoop, pieces: list[bytes], *, tls: bool) -> None:
    """An upstream on UPSTREAM, and a proxy on PROXY that leads there."""

    def upstream() -> asyncio.Protocol:
        peer = Peer(loop, pieces)
        return tls_server(loop, peer) if tls else peer

    loop.listeners[UPSTREAM] = upstream
    loop.listeners[PROXY] = lambda: TunnelPeer(upstream)


class Caller(asyncio.Protocol):
    """A client of the gateway: sends pieces, one a turn, and keeps what comes back."""

    def __init__(self, loop: VirtualLoop, pieces: list[bytes]) -> None:
        self._loop = loop
        self._pieces = pieces
        self._transport: asyncio.Transport | None = None
        self.received = b""
        self.gone = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def _ask(self) -> None:
        if self._pieces and self._transport is not None:
            self._transport.write(self._pieces.pop(0))
            self._loop.call_soon(self._ask)

    def data_received(self, data: bytes) -> None:
        """Keep it."""
        self.received += data

    def connection_lost(self, exc: Exception | None) -> None:
        """Over."""
        del exc
        self.gone = True
        self._transport = None

    def hang_up(self) -> None:
        """Reset the connection."""
        if self._transport is not None:
            self._transport.abort()
