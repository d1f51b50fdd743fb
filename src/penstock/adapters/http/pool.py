"""Connections to one origin: lent out last-in first-out, opened on demand, closed when idle too long."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from penstock.adapters.http.connection import UpstreamConnection
from penstock.ports.transport import Origin, ResponseHandler
from penstock.wire.tls import TlsPipe

if TYPE_CHECKING:
    from penstock.adapters.http.client import HttpClient

IDLE_TIMEOUT_S = 55.0  # below the 60 s after which common load balancers close first, which would race with us


class PendingCall:
    """One request with its handler: waiting for a connection, then bound to one (ports.transport.Call)."""

    __slots__ = ("_connection", "_pool", "deadline", "handler", "request")

    def __init__(self, pool: Pool, request: bytes, handler: ResponseHandler, deadline: float) -> None:
        self._pool = pool
        self._connection: UpstreamConnection | None = None
        self.request = request
        self.handler = handler
        self.deadline = deadline

    def run_on(self, connection: UpstreamConnection) -> None:
        """Send on this connection."""
        self._connection = connection
        self.handler.on_connected(reused=connection.served > 0)
        connection.start(self, self.request)

    def finished(self) -> None:
        """The connection has delivered the whole answer and is free again."""
        self._connection = None
        self.handler.on_end()

    def failed(self, cause: str, detail: str) -> None:
        """The connection is gone."""
        self._connection = None
        self.handler.on_failure(cause, detail)

    def cancel(self) -> None:
        """Close the connection, or leave the queue for one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        else:
            self._pool.forget(self)

    def pause(self) -> None:
        """Stop reading the answer."""
        if self._connection is not None:
            self._connection.pause()

    def resume(self) -> None:
        """Read on."""
        if self._connection is not None:
            self._connection.resume()


class Pool:
    """The connections to one origin."""

    def __init__(self, client: HttpClient, origin: Origin, context: ssl.SSLContext | None) -> None:
        self.origin = origin
        self._client = client
        self._context = context
        self._session: ssl.SSLSession | None = None
        self._idle: list[UpstreamConnection] = []
        self._waiting: deque[PendingCall] = deque()
        self._connecting = 0
        self.live: set[UpstreamConnection] = set()

    def submit(self, call: PendingCall) -> None:
        """Run the call on an idle connection, or queue it behind a new one."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed:
                call.run_on(connection)
                return
        self._waiting.append(call)
        if self._connecting < len(self._waiting):
            self._connecting += 1
            self._client.spawn(self._connect(call.deadline))

    async def _connect(self, deadline: float) -> None:
        # A handshake is work for this process: so many at once that others still get their turn.
        async with self._client.handshakes:
            cause, detail = "connect_error", ""
            try:
                await asyncio.wait_for(self._open(deadline), deadline - self._client.clock.monotonic())
            except TimeoutError:
                cause, detail = "connect_timeout", "no connection within the route's connect_s"
            except ConnectionRefusedError as error:
                cause, detail = "connect_refused", str(error)
            except socket.gaierror as error:
                cause, detail = "dns_error", f"{self.origin.host}: {error.strerror or error}"
            except ssl.SSLError as error:
                cause, detail = "tls_error", str(error)
            except OSError as error:
                detail = str(error)
            else:
                return
        self._connecting -= 1
        self._fail_waiting(cause, detail)

    async def _open(self, deadline: float) -> None:
        tls = self._new_tls()
        loop = asyncio.get_running_loop()
        await loop.create_connection(self._factory(tls, deadline), self.origin.host, self.origin.port)

    def _new_tls(self) -> TlsPipe | None:
        if self._context is None:
            return None
        return TlsPipe(
            self._context, server_side=False, server_hostname=self.origin.host, session=self._session
        )

    def _factory(self, tls: TlsPipe | None, deadline: float) -> Callable[[], UpstreamConnection]:
        def make() -> UpstreamConnection:
            connection = UpstreamConnection(self, tls, deadline)
            self.live.add(connection)
            return connection

        return make

    def ready(self, connection: UpstreamConnection) -> None:
        """A new connection can take a request."""
        self._connecting -= 1
        self._serve(connection)

    def handshake_failed(self, cause: str, detail: str) -> None:
        """The TCP connection stood but TLS did not."""
        self._connecting -= 1
        self._fail_waiting(cause, detail)

    def release(self, connection: UpstreamConnection) -> None:
        """A connection has finished its answer and can take the next request."""
        if connection.tls_session is not None:
            self._session = connection.tls_session
        self._serve(connection)

    def _serve(self, connection: UpstreamConnection) -> None:
        if self._waiting:
            self._waiting.popleft().run_on(connection)
        else:
            connection.idle_since = self._client.clock.monotonic()
            self._idle.append(connection)

    def gone(self, connection: UpstreamConnection) -> None:
        """A connection is closed."""
        self.live.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    def forget(self, call: PendingCall) -> None:
        """A queued call was cancelled."""
        if call in self._waiting:
            self._waiting.remove(call)

    def _fail_waiting(self, cause: str, detail: str) -> None:
        # One failed attempt to connect fails one caller, the oldest; others still have attempts of their own.
        if len(self._waiting) > self._connecting:
            self._waiting.popleft().failed(cause, detail)

    def sweep(self, now: float) -> None:
        """Close what has been idle too long and fail what has waited too long."""
        for connection in [c for c in self._idle if now - c.idle_since > IDLE_TIMEOUT_S]:
            connection.close()
        for connection in [c for c in self.live if c.handshake_deadline and c.handshake_deadline < now]:
            connection.handshake_late()
        while self._waiting and self._waiting[0].deadline < now:
            self._waiting.popleft().failed("connect_timeout", "no connection became free in time")

    def close(self) -> None:
        """Close every connection."""
        for connection in list(self.live):
            connection.close()
