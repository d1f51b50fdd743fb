"""The listening side of the gateway: accepts, watches deadlines, drains."""

from __future__ import annotations

import asyncio
import email.utils
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import cast

from penstock.adapters.http.tls import HandshakeTurns, TlsLayer
from penstock.ports.clock import Clock, Timer
from penstock.ports.http_server import RequestHandler
from penstock.server.connection import ClientConnection
from penstock.server.limits import ServerLimits
from penstock.server.places import HandedOver, Places
from penstock.wire.http1 import status_line
from penstock.wire.tls import TlsPipe

SWEEP_S = 0.1
BACKLOG = 4096
_LOOK_S = 0.02
# A listening socket of our own, and what takes a connection that was accepted from it.
_Door = tuple[socket.socket, Callable[[socket.socket], None]]


class HttpServer:
    """One or more listening sockets with one handler.

    `now` is a coarse clock (ports.clock's monotonic seconds, at most SWEEP_S old); `idle_deadline` is when a
    connection that becomes idle now is closed.
    """

    def __init__(
        self,
        handler: RequestHandler,
        clock: Clock,
        limits: ServerLimits | None = None,
        places: Places | None = None,
    ) -> None:
        """`places`: the other processes that listen at the same address."""
        self.handler = handler
        self._places = places
        self._adopting: set[asyncio.Task[object]] = set()
        self.clock = clock
        self.limits = limits or ServerLimits()
        self.connections: set[ClientConnection] = set()
        self.draining = False
        self.now = clock.monotonic()
        self.idle_deadline = self.now + self.limits.keep_alive_s
        self.first_lines: dict[int, bytes] = {}
        self._servers: list[asyncio.Server] = []
        self._handshaking: set[TlsLayer] = set()
        self._turns = HandshakeTurns(clock.call_soon)
        self._sweeper: Timer | None = None
        self._second = -1
        self._idle_s = self.limits.keep_alive_s
        self._doors: list[_Door] = []

    async def listen(self, sock: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        """Serve on a bound socket; with `tls`, whose ALPN list we set to HTTP/1.1, over TLS."""
        if self._sweeper is None:
            self._sweep()
        if tls is not None:
            tls.set_alpn_protocols(["http/1.1"])

        def accept() -> asyncio.Protocol:
            return self._connection() if tls is None else self._accept_tls(tls)

        loop = asyncio.get_running_loop()
        places = self._places

        def spread() -> asyncio.Protocol:
            place = places.elsewhere() if places is not None else None
            return accept() if places is None or place is None else HandedOver(places, place, accept)

        def adopt(sock: socket.socket) -> None:
            task = loop.create_task(self._adopt(accept, sock))
            self._adopting.add(task)
            task.add_done_callback(self._adopting.discard)

        self._doors.append((sock.dup(), adopt))
        server = await loop.create_server(spread, sock=sock, backlog=BACKLOG, start_serving=True)
        self._servers.append(server)
        if places is not None:
            places.enter(adopt)

    async def _adopt(self, accept: Callable[[], asyncio.Protocol], sock: socket.socket) -> None:
        """Serve a connection that another process accepted."""
        sock.setblocking(False)  # noqa: FBT003 - the name says it
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().connect_accepted_socket(accept, sock)
        except OSError:
            sock.close()  # the client is gone already

    async def listen_unix(self, sock: socket.socket) -> None:
        """Serve on a bound Unix socket."""
        if self._sweeper is None:
            self._sweep()
        loop = asyncio.get_running_loop()
        self._servers.append(await loop.create_unix_server(self._connection, sock=sock, start_serving=True))

    def _connection(self) -> asyncio.Protocol:
        return cast("asyncio.Protocol", ClientConnection(self))

    def _accept_tls(self, context: ssl.SSLContext) -> TlsLayer:
        layer = TlsLayer(TlsPipe(context, server_side=True), self._connection(), self._turns, self._failed)
        layer.deadline = self.now + self.limits.handshake_timeout_s
        self._handshaking.add(layer)
        return layer

    def _failed(self, layer: TlsLayer, error: Exception) -> None:
        # Whoever knocks without speaking our TLS gets its alert and nothing else; there is nobody to tell.
        del error
        self._handshaking.discard(layer)

    def forget(self, connection: ClientConnection) -> None:
        """It is closed."""
        self.connections.discard(connection)
        if self._places is not None:
            self._places.gone()

    def report(self, error: BaseException) -> None:
        """Tell the loop of what the handler raised."""
        context = {"message": "the handler of a request failed", "exception": error}
        asyncio.get_running_loop().call_exception_handler(context)

    def first_lines_of(self, status: int) -> bytes:
        """Status line and Date of an answer; kept until the second is over."""
        date = email.utils.formatdate(self._second, usegmt=True).encode()
        lines = self.first_lines[status] = b"%bdate: %b\r\n" % (status_line(status), date)
        return lines

    def _sweep(self) -> None:
        """Expire what is late. One pass over all connections is cheaper than a timer for each request."""
        now = self.now = self.clock.monotonic()
        self.idle_deadline = now + self._idle_s
        second = self.clock.now_ms() // 1000
        if second != self._second:
            self._second = second
            self.first_lines.clear()
        for connection in [c for c in self.connections if c.deadline and c.deadline < now]:
            connection.expire()
        for layer in [one for one in self._handshaking if one.established or one.deadline < now]:
            self._handshaking.discard(layer)
            if not layer.established:
                layer.abort()
        if self._places is not None:
            self._places.count(len(self.connections) + len(self._handshaking) + len(self._adopting))
        self._sweeper = self.clock.call_later(SWEEP_S, self._sweep)

    def start_draining(self, idle_s: float = 0.0) -> None:
        """Say `connection: close` from now on; without a request a connection is kept for `idle_s` more.

        New connections are still accepted; other processes hand none over any more.
        """
        self.draining = True
        self._idle_s = idle_s
        self.idle_deadline = self.now + idle_s
        if self._places is not None:
            self._places.leave()
        for connection in list(self.connections):
            connection.hurry()

    def stop_listening(self) -> None:
        """Accept nothing more; connections without a request are closed, others after their answer."""
        if not self.draining:
            self.start_draining()
        for server in self._servers:
            server.close()
        self._servers.clear()

    def _take_queued(self) -> None:
        """Who waits to be accepted gets an answer: closing the socket would reset him."""
        for sock, adopt in self._doors:
            with sock:
                for accepted in _queued(sock):
                    adopt(accepted)
        self._doors.clear()

    async def drain(self, deadline_s: float, *, idle_s: float = 0.0, notice_s: float = 0.0) -> int:
        """Let all end; returns how many answers were cut off.

        For `notice_s` it goes on accepting, so that balancers can notice that it leaves. Then answers have
        `deadline_s`. A connection without a request is kept for `idle_s`, for one that is on its way.
        """
        begun = self.clock.monotonic()
        self.start_draining(idle_s)
        while self.clock.monotonic() < begun + notice_s:  # noqa: ASYNC110 - by ports.clock's time
            await asyncio.sleep(_LOOK_S)
        self.stop_listening()
        await asyncio.sleep(0)  # the loop has let go of the sockets
        self._take_queued()
        end = begun + notice_s + deadline_s
        while self._left and self.clock.monotonic() < end:  # noqa: ASYNC110 - by ports.clock's time
            await asyncio.sleep(_LOOK_S)
        cut = sum(1 for connection in self.connections if connection.is_answering)
        for layer in list(self._handshaking):
            if not layer.established:
                layer.abort()
        for connection in list(self.connections):
            connection.abort()
        if self._sweeper is not None:
            self._sweeper.cancel()
        await asyncio.sleep(0)
        return cut

    @property
    def _left(self) -> bool:
        """Whether anybody is still connected, or about to be."""
        return bool(self.connections or self._adopting or self._handshaking)


def _queued(sock: socket.socket) -> Iterator[socket.socket]:
    """The connections that wait to be accepted."""
    while True:
        try:
            yield sock.accept()[0]
        except ConnectionAbortedError:
            continue  # this one went away meanwhile
        except OSError:
            return
