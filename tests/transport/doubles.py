"""An upstream that tests script byte by byte, and a handler that records what it is told."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import cast

from penstock.adapters.clock import LoopClock
from penstock.adapters.http.client import HttpClient

Script = Callable[["Peer"], Awaitable[None]]


class Recorder:
    """A ResponseHandler that keeps everything; `ended` is set by its last call."""

    def __init__(self) -> None:
        self.reused: bool | None = None
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.body = b""
        self.outcomes: list[str] = []
        self.ended = asyncio.Event()

    def on_connected(self, *, reused: bool) -> None:
        """See ports.transport."""
        self.reused = reused

    def on_head(self, status: int, headers: dict[bytes, bytes]) -> None:
        """See ports.transport."""
        self.status, self.headers = status, headers

    def on_data(self, data: bytes) -> None:
        """See ports.transport."""
        self.body += data

    def on_end(self) -> None:
        """See ports.transport."""
        self._end("end")

    def on_failure(self, cause: str, detail: str) -> None:
        """See ports.transport."""
        del detail
        self._end(cause)

    def _end(self, outcome: str) -> None:
        self.outcomes.append(outcome)
        self.ended.set()

    async def outcome(self) -> str:
        """How it ended; it may end only once."""
        await asyncio.wait_for(self.ended.wait(), 20)
        await asyncio.sleep(0)
        assert len(self.outcomes) == 1
        return self.outcomes[0]


class Peer:
    """One accepted connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def request(self) -> bytes:
        """The next request's head."""
        return await self.reader.readuntil(b"\r\n\r\n")

    async def send(self, data: bytes) -> None:
        """Send at once."""
        self.writer.write(data)
        await self.writer.drain()


class Upstream:
    """Runs the script for each connection, then closes it."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.accepted = 0
        self.port = 0
        self.tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.accepted += 1
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            try:
                await self.script(Peer(reader, writer))
            finally:
                writer.close()


@contextlib.asynccontextmanager
async def upstream(script: Script, tls: ssl.SSLContext | None = None) -> AsyncGenerator[Upstream, None]:
    """A scripted upstream on a free port."""
    peer = Upstream(script)
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0, ssl=tls)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        for task in list(peer.tasks):
            task.cancel()
        await asyncio.gather(*peer.tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def client(max_connections: int = 4096) -> AsyncGenerator[HttpClient, None]:
    """A client; at the end nothing of it may stand or wait."""
    one = HttpClient(LoopClock(asyncio.get_running_loop()), max_connections=max_connections)
    try:
        yield one
    finally:
        await one.close()
        assert one.connections() == 0
        assert not any(pool._waiting or pool._idle or pool._connecting for pool in one._pools.values())
