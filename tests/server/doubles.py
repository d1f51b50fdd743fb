"""A server with a handler that tests script, and a bare socket client, all in one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine

import uvloop

from penstock.adapters.clock import LoopClock
from penstock.ports.clock import Clock
from penstock.ports.http_server import HttpRequest, Reply
from penstock.server.limits import ServerLimits
from penstock.server.listener import HttpServer


class EchoHandler:
    """Answers with method, path, query and body. Paths under /hold are kept open for the test to answer."""

    def __init__(self) -> None:
        self.requests: list[HttpRequest] = []
        self.refused: list[tuple[int, str]] = []
        self.held: list[Reply] = []
        self.told: list[str] = []

    def handle(self, request: HttpRequest, reply: Reply) -> None:
        """See ports.http_server."""
        self.requests.append(request)
        if request.path.startswith("/hold"):
            reply.listener = self
            self.held.append(reply)
            return
        text = b"%b %b?%b %b" % (request.method, request.path.encode(), request.query, request.body)
        reply.send(200, b"content-type: text/plain\r\n", text)

    def refuse(self, path: str, reply: Reply, status: int, code: str, message: str) -> None:
        """See ports.http_server."""
        del path
        self.refused.append((status, code))
        reply.send(status, b"", f"{code}: {message}".encode())

    def client_gone(self) -> None:
        """See ports.http_server.ReplyListener."""
        self.told.append("gone")

    def client_slow(self) -> None:
        """See ports.http_server.ReplyListener."""
        self.told.append("slow")

    def client_ready(self) -> None:
        """See ports.http_server.ReplyListener."""
        self.told.append("ready")


class Client:
    """Bytes out, bytes in."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        """Send at once."""
        self.writer.write(data)
        await self.writer.drain()

    async def until(self, mark: bytes) -> bytes:
        """Read up to and including `mark`."""
        return await asyncio.wait_for(self.reader.readuntil(mark), 20)

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Read one answer with a length, chunks or neither."""
        head = (await self.until(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        status = int(head[0].split(" ")[1])
        if "content-length" in fields:
            body = await asyncio.wait_for(self.reader.readexactly(int(fields["content-length"])), 20)
        elif "transfer-encoding" in fields:
            body = await self._chunks()
        else:
            body = b""
        return status, fields, body

    async def _chunks(self) -> bytes:
        body = b""
        while size := int(await self.until(b"\r\n"), 16):
            body += (await self.reader.readexactly(size + 2))[:-2]
        await self.until(b"\r\n")
        return body

    async def rest(self) -> bytes:
        """Everything up to the connection's end; a reset counts as an end."""
        with contextlib.suppress(ConnectionError):
            return await asyncio.wait_for(self.reader.read(-1), 20)
        return b""


class StandingClock(LoopClock):
    """Timers run as ever, and the time is what the test says."""

    def __init__(self) -> None:
        super().__init__(asyncio.get_running_loop())
        self.at = 1_000.0
        self.monotonic = lambda: self.at


class Setup:
    """One running server."""

    def __init__(self, server: HttpServer, handler: EchoHandler, port: int) -> None:
        self.server = server
        self.handler = handler
        self.port = port

    async def connect(self, tls: ssl.SSLContext | None = None) -> Client:
        """A new connection."""
        return Client(
            *await asyncio.open_connection(
                "127.0.0.1", self.port, ssl=tls, server_hostname="localhost" if tls else None
            )
        )

    async def exchange(self, data: bytes) -> bytes:
        """Send on a new connection, close our half, and read all that comes back."""
        client = await self.connect()
        await client.send(data)
        client.writer.write_eof()
        rest = await client.rest()
        client.writer.close()
        return rest


@contextlib.asynccontextmanager
async def serving(
    limits: ServerLimits | None = None, tls: ssl.SSLContext | None = None, clock: Clock | None = None
) -> AsyncGenerator[Setup, None]:
    """A server on a free port; at the end no connection may be left."""
    handler = EchoHandler()
    server = HttpServer(handler, clock or LoopClock(asyncio.get_running_loop()), limits)
    sock = socket.create_server(("127.0.0.1", 0))
    sock.setblocking(False)  # noqa: FBT003 - the socket's own signature
    await server.listen(sock, tls)
    try:
        yield Setup(server, handler, sock.getsockname()[1])
    finally:
        await server.drain(0.0)
        await holds(lambda: not server.connections)


async def holds(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - conditions are of other people's objects
            await asyncio.sleep(0.005)


def run(main: Callable[[], Coroutine[object, object, None]]) -> None:
    """Run a test's coroutine as the gateway runs; an error that nobody saw fails the test."""

    async def watched() -> None:
        errors: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
        work: Awaitable[None] = main()
        await work
        assert not errors

    uvloop.run(watched())
