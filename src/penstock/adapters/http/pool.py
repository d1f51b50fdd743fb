"""Connections to one origin: lent out last-in first-out, opened on demand, closed when idle too long."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import deque
from typing import TYPE_CHECKING, Final

from penstock.adapters.http.call import UpstreamCall
from penstock.adapters.http.connection import UpstreamConnection
from penstock.adapters.http.dial import Dialer, DialError

if TYPE_CHECKING:
    from penstock.adapters.http.client import HttpClient

# Below the 60 s after which common load balancers close first, which would race with our next request.
IDLE_TIMEOUT_S: Final = 55.0
CLOSED: Final = ("closed", "the gateway is shutting down")
MAX_CONNECTIONS: Final = 65_536  # below what a process may open; a provider may well hold ten thousand streams


class Pool:
    """The connections to one origin, at most `limit` of them; calls beyond wait up to their `connect_s`."""

    def __init__(self, client: HttpClient, dialer: Dialer, limit: int = MAX_CONNECTIONS) -> None:
        self._client = client
        self._dialer = dialer
        self._limit = limit
        self._idle: list[UpstreamConnection] = []
        self._waiting: deque[UpstreamCall] = deque()
        self._connecting = 0
        self.live: set[UpstreamConnection] = set()

    def submit(self, call: UpstreamCall) -> None:
        """Run the call on an idle connection, or queue it behind a new one."""
        if self._dialer.rewrites:
            call.request = self._dialer.rewrite(call.request)
        if self._idle:
            call.run_on(self._idle.pop())
            return
        call.deadline = self._client.clock.monotonic() + call.connect_s
        self._waiting.append(call)
        self._grow(call.connect_s)

    def warm(self, count: int, connect_s: float) -> None:
        """Open connections until `count` stand or are being opened; failures are left to the next call."""
        for _ in range(min(count, self._limit) - len(self.live) - self._connecting):
            self._open(connect_s)

    def _grow(self, connect_s: float) -> None:
        if self._connecting < len(self._waiting) and len(self.live) + self._connecting < self._limit:
            self._open(connect_s)

    def _open(self, connect_s: float) -> None:
        if not self._client.closed:
            self._connecting += 1
            self._client.spawn(self._connect(connect_s))

    async def _connect(self, connect_s: float) -> None:
        connection: UpstreamConnection | None = None
        why = CLOSED
        try:
            async with asyncio.timeout(connect_s):
                connection = await self._dialer.dial(UpstreamConnection(self))
        except (OSError, UnicodeError, DialError) as error:
            why = _cause_of(error, self._dialer.origin.host)
        finally:
            self._connecting -= 1
        if connection is None:
            self._fail_waiting(*why)
        elif not connection.closed:
            self._serve(connection)
        else:
            self._fail_waiting("reset", "the upstream closed the connection as soon as it stood")
        if self._waiting:
            # At the limit nobody else connects for those who still wait.
            self._grow(self._waiting[0].connect_s)

    def release(self, connection: UpstreamConnection) -> None:
        """A connection has finished its answer and can take the next request."""
        if connection.served == 1:
            # The server's tickets come with its first bytes (RFC 8446, section 4.6.1), not with the handshake.
            self._dialer.remember(connection.session)
        self._serve(connection)

    def _serve(self, connection: UpstreamConnection) -> None:
        if self._waiting:
            self._waiting.popleft().run_on(connection)
        else:
            connection.idle_since = self._client.now
            self._idle.append(connection)

    def gone(self, connection: UpstreamConnection) -> None:
        """A connection is closed."""
        self.live.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if self._waiting:
            self._grow(self._waiting[0].connect_s)

    def forget(self, call: UpstreamCall) -> None:
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
        if self._waiting:
            for call in [one for one in self._waiting if one.deadline < now]:
                self.forget(call)
                call.failed("connect_timeout", "no connection became free within the route's connect_s")

    def report(self, error: BaseException) -> None:
        """A handler of ours raised."""
        self._client.report(error)

    def close(self) -> None:
        """Close every connection and fail all calls. The tasks that connect have ended, some unbegun."""
        self._connecting = 0
        while self._waiting:
            self._waiting.popleft().failed(*CLOSED)
        for connection in list(self.live):
            connection.fail(*CLOSED)


def _cause_of(error: OSError | UnicodeError | DialError, host: str) -> tuple[str, str]:
    """Why there is no connection: a low-cardinality cause, and a detail."""
    if isinstance(error, DialError):
        return error.cause, str(error)
    if isinstance(error, TimeoutError):
        return "connect_timeout", "no connection within the route's connect_s"
    if isinstance(error, ConnectionRefusedError | FileNotFoundError):
        return "connect_refused", str(error)
    if isinstance(error, socket.gaierror):
        return "dns_error", f"{host}: {error.strerror or error}"
    if isinstance(error, UnicodeError):
        return "dns_error", f"{host}: not a host name: {error}"
    if isinstance(error, ssl.SSLError):
        return "tls_error", str(error)
    return "connect_error", str(error)
