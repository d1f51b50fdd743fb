"""The upstream client: one pool per origin (ports.transport.Transport)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Coroutine
from typing import Any

from penstock.adapters.http.call import UpstreamCall
from penstock.adapters.http.dial import Dialer, DialError
from penstock.adapters.http.pool import CLOSED, MAX_CONNECTIONS, Pool
from penstock.adapters.http.tls import HandshakeTurns
from penstock.core.origin import Origin
from penstock.ports.clock import Clock
from penstock.ports.transport import Call, ResponseHandler


class HttpClient:
    """Pools for all origins, and the tasks that open their connections.

    `now` is a coarse clock: monotonic seconds as of the last `sweep`. `max_connections` holds for each origin.
    """

    def __init__(self, clock: Clock, *, max_connections: int = MAX_CONNECTIONS) -> None:
        self.clock = clock
        self.now = clock.monotonic()
        self._max_connections = max_connections
        self._turns = HandshakeTurns(clock.call_soon)
        self._pools: dict[Origin, Pool] = {}
        self._contexts: dict[tuple[bool, str], ssl.SSLContext] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.closed = False

    def send(self, origin: Origin, request: bytes, handler: ResponseHandler, connect_s: float) -> Call:
        """Send a complete request to an origin."""
        pool = self._pools.get(origin) or self._open_pool(origin)
        call = UpstreamCall(pool, request, handler, connect_s)
        if self.closed:
            call.failed(*CLOSED)
        else:
            pool.submit(call)
        return call

    def warm(self, origin: Origin, count: int, connect_s: float) -> None:
        """Have `count` connections to an origin stand before the first call needs one."""
        if self.closed:
            return
        pool = self._pools.get(origin) or self._open_pool(origin)
        pool.warm(count, connect_s)

    def _open_pool(self, origin: Origin) -> Pool:
        dialer = Dialer(origin, self._context, self._turns)
        pool = self._pools[origin] = Pool(self, dialer, self._max_connections)
        return pool

    def _context(self, origin: Origin) -> ssl.SSLContext:
        """What TLS with an origin trusts; reading it takes tens of milliseconds. Raises DialError."""
        key = (origin.verify, origin.ca_file)
        context = self._contexts.get(key)
        if context is None:
            try:
                context = ssl.create_default_context(cafile=origin.ca_file or None)
            except OSError as error:
                raise DialError("tls_error", f"the authorities in {origin.ca_file}: {error}") from error
            context.set_alpn_protocols(["http/1.1"])
            if not origin.verify:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            self._contexts[key] = context
        return context

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Own a task until it ends."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def report(self, error: BaseException) -> None:
        """Tell the loop of an exception that no caller of ours can handle."""
        context = {"message": "a handler of an upstream's response failed", "exception": error}
        asyncio.get_running_loop().call_exception_handler(context)

    def connections(self) -> int:
        """How many connections stand, idle ones included."""
        return sum(len(pool.live) for pool in self._pools.values())

    def sweep(self, now: float) -> None:
        """Enforce idle and queue deadlines; called some times a second."""
        self.now = now
        for pool in self._pools.values():
            pool.sweep(now)

    async def close(self) -> None:
        """Close all connections, fail all calls, and wait for the tasks; later calls fail at once."""
        self.closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for pool in self._pools.values():
            pool.close()
