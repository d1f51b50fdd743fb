"""The listening side of the gateway: accepts, watches deadlines, drains."""

from __future__ import annotations

import asyncio
import email.utils
import socket
import ssl

from penstock.ports.clock import Clock, Timer
from penstock.ports.http_server import RequestHandler
from penstock.server.connection import ClientConnection
from penstock.server.limits import ServerLimits

SWEEP_S = 0.1


class HttpServer:
    """One or more listening sockets with one handler."""

    def __init__(self, handler: RequestHandler, clock: Clock, limits: ServerLimits | None = None) -> None:
        self.handler = handler
        self.clock = clock
        self.limits = limits or ServerLimits()
        self.connections: set[ClientConnection] = set()
        self.draining = False
        self.date_line = b""
        self._servers: list[asyncio.Server] = []
        self._sweeper: Timer | None = None
        self._date_second = 0

    async def listen(self, sock: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        """Serve on a bound socket."""
        if self._sweeper is None:
            self._sweep()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: ClientConnection(self), sock=sock, ssl=tls, backlog=4096, start_serving=True
        )
        self._servers.append(server)

    def _sweep(self) -> None:
        """Expire what is late. One pass over all connections is cheaper than a timer for each request."""
        now = self.clock.monotonic()
        second = self.clock.now_ms() // 1000
        if second != self._date_second:
            self._date_second = second
            self.date_line = b"date: " + email.utils.formatdate(second, usegmt=True).encode() + b"\r\n"
        late = [c for c in self.connections if c.deadline and c.deadline < now]
        for connection in late:
            connection.expire()
        self._sweeper = self.clock.call_later(SWEEP_S, self._sweep)

    def stop_listening(self) -> None:
        """Accept nothing more; connections without a request are closed, others after their answer."""
        self.draining = True
        for server in self._servers:
            server.close()
        for connection in list(self.connections):
            connection.close_if_idle()

    async def drain(self, deadline_s: float) -> int:
        """Stop listening, let answers end for up to `deadline_s`; returns how many were cut off."""
        self.stop_listening()
        end = self.clock.monotonic() + deadline_s
        while self.connections and self.clock.monotonic() < end:
            await asyncio.sleep(0.02)
        cut = len(self.connections)
        for connection in list(self.connections):
            connection.abort()
        if self._sweeper is not None:
            self._sweeper.cancel()
        await asyncio.sleep(0)
        return cut
