"""The bare relay: two asyncio Protocols on uvloop and httptools that only copy bytes, both ways.

It is the yardstick of the benchmark: what this design costs before a gateway does any of its work. It parses
both sides just enough to know where a message ends, so that upstream connections can be used again. It checks
nothing, limits nothing, and does not know pipelining. Run as
`python -m bench.relay --listen PORT --upstream PORT [--ca FILE]`; with a CA it speaks HTTPS upstream.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import ssl
from typing import cast

import httptools
import uvloop

from bench.tls_pipe import TlsPipe

HOST = "127.0.0.1"


class Upstreams:
    """Idle upstream connections, last in first out."""

    def __init__(self, port: int, context: ssl.SSLContext | None) -> None:
        self.port = port
        self.context = context
        self.idle: list[UpstreamSide] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self, client: ClientSide) -> None:
        """Connect for a client; what it has sent meanwhile goes out then."""
        task = asyncio.get_running_loop().create_task(self._connect(client))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, client: ClientSide) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: UpstreamSide(self, client), HOST, self.port)


class UpstreamSide(asyncio.Protocol):
    """One connection to the upstream; copies what it reads to the client that borrows it."""

    __slots__ = ("_parser", "_pool", "_tls", "_transport", "client")

    def __init__(self, pool: Upstreams, client: ClientSide) -> None:
        self._pool = pool
        self._tls: TlsPipe | None = None
        self._parser = httptools.HttpResponseParser(self)
        self.client: ClientSide | None = client

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Handshake, or start at once where there is no TLS."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's class does not derive from it
        if self._pool.context is None:
            self._borrowed()
        else:
            self._tls = TlsPipe(self._pool.context, self._transport.write, server_side=False, host=HOST)
            self._tls.start()

    def _borrowed(self) -> None:
        if self.client is not None:
            self.client.connected(self)

    def data_received(self, data: bytes) -> None:
        """Copy to the client; the parser says when the answer is complete."""
        if self._tls is not None:
            was_ready = self._tls.ready
            data = self._tls.feed(data)
            if self._tls.ready and not was_ready:
                self._borrowed()
            if not data:
                return
        if self.client is not None:
            self.client.transport.write(data)
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """The answer is whole: back to the pool."""
        client, self.client = self.client, None
        if client is not None:
            client.upstream = None
        self._pool.idle.append(self)

    def write(self, data: bytes) -> None:
        """Send to the upstream."""
        if self._tls is None:
            self._transport.write(data)
        else:
            self._tls.write(data)

    def close(self) -> None:
        """The client went away in mid-answer."""
        self.client = None
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol passes it
        """A broken upstream ends its client too: there is no retry here."""
        if self in self._pool.idle:
            self._pool.idle.remove(self)
        if self.client is not None:
            self.client.transport.close()


class ClientSide(asyncio.Protocol):
    """One client connection; copies what it reads to the upstream connection that it borrows."""

    __slots__ = ("_asking", "_parser", "_pool", "_waiting", "transport", "upstream")

    def __init__(self, pool: Upstreams) -> None:
        self._pool = pool
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: list[bytes] = []
        self._asking = False
        self.upstream: UpstreamSide | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Copy upstream; borrow a connection at the first byte of a request."""
        self._parser.feed_data(data)
        upstream = self.upstream
        if upstream is None and self._pool.idle:
            upstream = self.upstream = self._pool.idle.pop()
            upstream.client = self
        if upstream is not None:
            upstream.write(data)
            return
        self._waiting.append(data)
        if not self._asking:
            self._asking = True
            self._pool.open(self)

    def on_message_complete(self) -> None:
        """The request is whole; the next one starts with a fresh parser state, which llhttp sees to."""

    def connected(self, upstream: UpstreamSide) -> None:
        """The connection that was asked for stands."""
        self._asking = False
        self.upstream = upstream
        upstream.write(b"".join(self._waiting))
        self._waiting.clear()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol passes it
        """Give up the upstream connection, whose answer nobody wants."""
        if self.upstream is not None:
            self.upstream.close()


async def _serve(listen: int, upstream: int, ca_file: str | None) -> None:
    context = ssl.create_default_context(cafile=ca_file) if ca_file else None
    pool = Upstreams(upstream, context)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: ClientSide(pool), HOST, listen, backlog=4096)
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)  # as the gateway's own process sets it
    await server.serve_forever()


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m bench.relay", description=__doc__)
    parser.add_argument("--listen", type=int, required=True)
    parser.add_argument("--upstream", type=int, required=True)
    parser.add_argument("--ca", help="CA file; the upstream then speaks HTTPS")
    options = parser.parse_args()
    uvloop.run(_serve(options.listen, options.upstream, options.ca))


if __name__ == "__main__":
    main()
