"""How a connection to an origin comes to stand: TCP, a proxy's tunnel, TLS."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import cast
from urllib.parse import unquote, urlsplit

from penstock.adapters.credentials.place import address_of
from penstock.adapters.http.connection import UpstreamConnection
from penstock.adapters.http.tls import HandshakeTurns, TlsLayer
from penstock.config.access_checks import is_metadata
from penstock.core.origin import Origin
from penstock.wire.tls import TlsPipe

_TUNNEL_HEAD_BYTES = 16 * 1024
_HTTP_PROXY_PORT = 80


class DialError(Exception):
    """No connection, for a reason without an exception of its own; `cause` is low-cardinality."""

    def __init__(self, cause: str, detail: str) -> None:
        super().__init__(detail)
        self.cause = cause


class Dialer:
    """Opens connections to one origin. `context` gives the TLS context of one; it may raise DialError.

    `rewrites`: requests go to an HTTP proxy in absolute form (RFC 9112, section 3.2.2), see `rewrite`.
    """

    def __init__(
        self, origin: Origin, context: Callable[[Origin], ssl.SSLContext], turns: HandshakeTurns
    ) -> None:
        self.origin = origin
        self._context = context
        self._turns = turns
        self._session: ssl.SSLSession | None = None
        self._proxy = urlsplit(origin.proxy) if origin.proxy else None
        self._tls = origin.scheme == "https"
        self.rewrites = self._proxy is not None and not self._tls

    def remember(self, session: object) -> None:
        """Keep a TLS session for the next handshake."""
        if isinstance(session, ssl.SSLSession):
            self._session = session

    async def dial(self, connection: UpstreamConnection) -> UpstreamConnection:
        """Bring `connection` to stand. Raises OSError (also ssl.SSLError) or DialError; leaves nothing open."""
        loop = asyncio.get_running_loop()
        above = cast("asyncio.Protocol", connection)
        if self.origin.socket:
            with address_of(Path(self.origin.socket)) as name:
                await loop.create_unix_connection(lambda: above, name)
            return connection
        host, port = self.origin.host, self.origin.port
        tunnel: _Tunnel | None = None
        if self._proxy is not None:
            if self._proxy.scheme != "http" or not self._proxy.hostname:
                raise DialError("bad_proxy", "a proxy is written http://user:password@host:port")
            host, port = self._proxy.hostname, self._proxy.port or _HTTP_PROXY_PORT
            if not self.rewrites:
                tunnel = _Tunnel(loop.create_future())
        layer, done = self._layer(connection, loop) if self._tls else (None, None)
        first: asyncio.Protocol = tunnel or layer or above
        transport, _ = await loop.create_connection(lambda: first, host, port)
        try:
            check_peer(transport.get_extra_info("peername"))
            if tunnel is not None:
                await self._pass_proxy(tunnel, transport)
                transport.set_protocol(cast("asyncio.BaseProtocol", layer or connection))
                (layer or connection).connection_made(transport)
            if done is not None:
                await done
        except BaseException:
            transport.abort()
            raise
        return connection

    def _layer(
        self, connection: UpstreamConnection, loop: asyncio.AbstractEventLoop
    ) -> tuple[TlsLayer, asyncio.Future[None]]:
        context = self._context(self.origin)
        done: asyncio.Future[None] = loop.create_future()
        try:
            pipe = TlsPipe(context, server_side=False, server_hostname=self.origin.host, session=self._session)
        except ValueError as error:  # a session of another context, or a name that cannot be one
            raise DialError("tls_error", str(error)) from error

        def established() -> None:
            if not done.done():
                done.set_result(None)

        def failed(layer: TlsLayer, error: Exception) -> None:
            del layer
            if not done.done():
                done.set_exception(error)

        above = cast("asyncio.Protocol", connection)
        return TlsLayer(pipe, above, self._turns, failed, established), done

    async def _pass_proxy(self, tunnel: _Tunnel, transport: asyncio.WriteTransport) -> None:
        """Have the proxy open a tunnel (RFC 9110, section 9.3.6)."""
        host = f"[{self.origin.host}]" if ":" in self.origin.host else self.origin.host
        authority = f"{host}:{self.origin.port}".encode()
        transport.write(
            b"CONNECT %b HTTP/1.1\r\nhost: %b\r\n%b\r\n" % (authority, authority, self._proxy_authorization())
        )
        status = await tunnel.answer
        if not 200 <= status < 300:
            raise DialError("proxy_refused", f"the proxy answered CONNECT with {status}")

    def _proxy_authorization(self) -> bytes:
        if self._proxy is None or self._proxy.username is None:
            return b""
        pair = f"{unquote(self._proxy.username)}:{unquote(self._proxy.password or '')}"
        return b"proxy-authorization: Basic " + base64.b64encode(pair.encode()) + b"\r\n"

    def rewrite(self, request: bytes) -> bytes:
        """A request in origin form as an HTTP proxy wants it: absolute form, with our credentials for it."""
        line, _, rest = request.partition(b"\r\n")
        method, _, target = line.partition(b" ")
        return b"%b http://%b%b\r\n%b%b" % (
            method,
            self.origin.authority,
            target,
            self._proxy_authorization(),
            rest,
        )


def check_peer(peer: object) -> None:
    """Whatever a name resolved to, a gateway does not ask for the credentials of its machine."""
    if isinstance(peer, tuple) and is_metadata(str(cast("tuple[object, ...]", peer)[0])):
        raise DialError("connect_error", "the address of a cloud's metadata is no upstream")


class _Tunnel(asyncio.Protocol):
    """Reads a proxy's answer to CONNECT; nothing may follow it before we have spoken."""

    def __init__(self, answer: asyncio.Future[int]) -> None:
        self.answer = answer
        self._head = b""

    def data_received(self, data: bytes) -> None:
        """Collect the head."""
        self._head += data
        head, end, rest = self._head.partition(b"\r\n\r\n")
        if self.answer.done() or (not end and len(self._head) <= _TUNNEL_HEAD_BYTES):
            return
        version, _, status = head.partition(b"\r\n")[0].partition(b" ")
        if not end or rest or not version.startswith(b"HTTP/1.") or not status[:3].isdigit():
            self.answer.set_exception(DialError("proxy_error", "the proxy's answer to CONNECT is not HTTP"))
        else:
            self.answer.set_result(int(status[:3]))

    def connection_lost(self, exc: Exception | None) -> None:
        """The proxy closed before it answered."""
        if not self.answer.done():
            self.answer.set_exception(exc or ConnectionResetError("the proxy closed the connection"))
