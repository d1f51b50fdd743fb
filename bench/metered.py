"""The metered upstream: streams of chat completion chunks at a fixed rate, each stamped with its send time.

Any POST gets a stream. A paced stream sends `--events` content events at `--hz`; with `--idle` it sends one
event and then nothing until the client goes. Run as
`python -m bench.metered --listen PORT (--events N --hz F | --idle) [--cert FILE --key FILE]`.
"""

from __future__ import annotations

import argparse
import asyncio
import ssl
import time
from dataclasses import dataclass
from typing import cast

import httptools
import uvloop

from bench import payload
from bench.tls_pipe import TlsPipe

HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)


@dataclass(frozen=True)
class Meter:
    """How streams are paced."""

    events: int
    interval_s: float
    idle: bool
    context: ssl.SSLContext | None


def chunk(data: bytes) -> bytes:
    """One piece of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


class Connection(asyncio.Protocol):
    """One connection from the gateway; one stream at a time."""

    __slots__ = ("_body", "_loop", "_meter", "_parser", "_sent", "_started", "_timer", "_tls", "_transport")

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._timer: asyncio.TimerHandle | None = None
        self._tls: TlsPipe | None = None
        self._body = b""
        self._sent = 0
        self._started = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Prepare TLS where it is on."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's class does not derive from it
        if self._meter.context is not None:
            self._tls = TlsPipe(self._meter.context, self._transport.write, server_side=True)

    def data_received(self, data: bytes) -> None:
        """Parse requests."""
        self._parser.feed_data(data if self._tls is None else self._tls.feed(data))

    def on_body(self, body: bytes) -> None:
        """Keep the body: whether usage was asked for stands in it."""
        self._body += body

    def on_message_complete(self) -> None:
        """Answer with the head and the first event, in one write as a model server would."""
        self._sent = 1
        self._started = self._loop.time()
        self._write(HEAD + chunk(payload.stamped_event(time.monotonic_ns())))
        if not self._meter.idle:
            self._timer = self._loop.call_at(self._started + self._meter.interval_s, self._tick)

    def _tick(self) -> None:
        self._write(chunk(payload.stamped_event(time.monotonic_ns())))
        self._sent += 1
        if self._sent < self._meter.events:
            due = self._started + self._sent * self._meter.interval_s
            self._timer = self._loop.call_at(due, self._tick)
            return
        with_usage = b'"include_usage"' in self._body
        self._body = b""
        self._timer = None
        self._write(chunk(payload.closing_events(with_usage=with_usage, events=self._sent)) + b"0\r\n\r\n")

    def _write(self, data: bytes) -> None:
        if self._tls is None:
            self._transport.write(data)
        else:
            self._tls.write(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol passes it
        """Stop the stream."""
        if self._timer is not None:
            self._timer.cancel()


async def _serve(port: int, meter: Meter) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(meter), "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m bench.metered", description=__doc__)
    parser.add_argument("--listen", type=int, required=True)
    parser.add_argument("--events", type=int, default=100)
    parser.add_argument("--hz", type=float, default=50.0)
    parser.add_argument("--idle", action="store_true")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    options = parser.parse_args()
    context = None
    if options.cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.cert, options.key)
    uvloop.run(_serve(options.listen, Meter(options.events, 1 / options.hz, options.idle, context)))


if __name__ == "__main__":
    main()
