"""The upstream client: one pool per origin (ports.transport.Transport)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Coroutine
from typing import Any

from penstock.adapters.http.pool import PendingCall, Pool
from penstock.ports.clock import Clock
from penstock.ports.transport import Call, Origin, ResponseHandler

CONNECTING_AT_ONCE = 64


class HttpClient:
    """Pools for all origins, and the tasks that open their connections."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.handshakes = asyncio.Semaphore(CONNECTING_AT_ONCE)
        self._pools: dict[Origin, Pool] = {}
        self._contexts: dict[tuple[bool, str], ssl.SSLContext] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, origin: Origin, request: bytes, handler: ResponseHandler, connect_s: float) -> Call:
        """Send a complete request to an origin."""
        pool = self._pools.get(origin) or self._open_pool(origin)
        call = PendingCall(pool, request, handler, self.clock.monotonic() + connect_s)
        pool.submit(call)
        return call

    def _open_pool(self, origin: Origin) -> Pool:
        context = self._context(origin) if origin.scheme == "https" else None
        pool = self._pools[origin] = Pool(self, origin, context)
        return pool

    def _context(self, origin: Origin) -> ssl.SSLContext:
        key = (origin.verify, origin.ca_file)
        context = self._contexts.get(key)
        if context is None:
            context = ssl.create_default_context(cafile=origin.ca_file or None)
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

    def connections(self) -> int:
        """How many connections stand, idle ones included."""
        return sum(len(pool.live) for pool in self._pools.values())

    def sweep(self, now: float) -> None:
        """Enforce idle and queue deadlines; called some times a second."""
        for pool in self._pools.values():
            pool.sweep(now)

    async def close(self) -> None:
        """Close all connections and wait for the tasks."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for pool in self._pools.values():
            pool.close()
