"""A client's connection: reads HTTP/1.1 requests and performs the steps of their answers in order.

One protocol object and at most one timer a connection; no task. Requests that arrive while another is being
answered (pipelining) wait their turn.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Iterator
from typing import cast

import httptools

from penstock.simulator.delivery import End, Step, head
from penstock.simulator.desk import READ_HEADERS, Desk, Incoming
from penstock.simulator.inbox import Fate, Received
from penstock.simulator.reply import Reply, error_reply

MOST_BODY_BYTES = 256 * 1024 * 1024
MOST_HEADER_BYTES = 128 * 1024
MOST_WAITING = 64
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# On, with no time to linger: close() sends RST instead of FIN.
_RESET = struct.pack("ii", 1, 0)


class Connection(asyncio.Protocol):
    """`open_connections` is the server's set of live connections; this one adds and removes itself."""

    def __init__(self, desk: Desk, open_connections: set[Connection], loop: asyncio.AbstractEventLoop) -> None:
        self._desk = desk
        self._open = open_connections
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._incoming = Incoming()
        self._body: list[bytes] = []
        self._size = 0
        self._waiting: deque[Incoming] = deque()
        self._received: Received | None = None
        self._steps: Iterator[Step] | None = None
        self._keep_alive = True
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._paused = False
        self._advancing = False

    # What the transport calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join the open connections."""
        self._transport = cast("asyncio.Transport", transport)
        self._open.add(self)

    def data_received(self, data: bytes) -> None:
        """Read requests, and start on the first."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._reject(error_reply(400, "This server does not upgrade connections."))
        except httptools.HttpParserError as error:
            self._reject(error_reply(400, f"Bad HTTP: {error}"))
        if len(self._waiting) > MOST_WAITING and self._transport is not None:
            self._transport.pause_reading()
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the client left, if an answer was on its way."""
        del exc
        self._open.discard(self)
        self._stop("hung_up")
        self._waiting.clear()
        self._transport = None

    def pause_writing(self) -> None:
        """Wait: the client reads slower than we write."""
        self._paused = True

    def resume_writing(self) -> None:
        """Go on."""
        self._paused = False
        if self._timer is None and not self._advancing:
            self._advance()
            self._next()

    # What the parser calls

    def on_message_begin(self) -> None:
        """A request starts."""
        self._incoming = Incoming(headers={})
        self._body = []
        self._size = 0

    def on_url(self, url: bytes) -> None:
        """A part of the request target."""
        self._grow(len(url), MOST_HEADER_BYTES)
        self._incoming.target += url.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header."""
        self._grow(len(name) + len(value), MOST_HEADER_BYTES)
        name = name.lower()
        if name in READ_HEADERS:
            self._incoming.headers[name.decode("ascii")] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Tell a client that asks whether to send the body to go ahead."""
        self._size = 0
        if self._incoming.headers.get("expect", "").lower() == "100-continue" and self._transport is not None:
            self._transport.write(_CONTINUE)

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._grow(len(body), MOST_BODY_BYTES)
        self._body.append(body)

    def on_message_complete(self) -> None:
        """The request is complete: it joins the queue."""
        incoming = self._incoming
        incoming.method = self._parser.get_method().decode("latin-1")
        incoming.keep_alive = self._parser.should_keep_alive()
        incoming.body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self._waiting.append(incoming)

    # What a server calls

    def close(self) -> None:
        """End the connection now; an answer on its way counts as broken by us."""
        self._stop("broken")
        if self._transport is not None:
            self._transport.abort()

    # The performance

    def _grow(self, size: int, most: int) -> None:
        self._size += size
        if self._size > most:
            raise ValueError(f"more than {most} bytes")

    def _next(self) -> None:
        """Start the answer to the next request, if one waits."""
        while self._waiting and self._steps is None and self._transport is not None:
            incoming = self._waiting.popleft()
            if len(self._waiting) == MOST_WAITING and not self._transport.is_closing():
                self._transport.resume_reading()
            self._keep_alive = incoming.keep_alive
            self._received, self._steps = self._desk.answer(incoming)
            self._due = self._loop.time()
            self._advance()

    def _advance(self) -> None:
        """Perform steps until one must wait, the socket is full, or the answer ends."""
        # Writing may call pause_writing and resume_writing before it returns.
        if self._advancing:
            return
        self._advancing = True
        while self._steps is not None and not self._paused:
            step = next(self._steps)
            if step.delay_s > 0.0:
                # Times add up from the answer's start, so that late wake-ups do not stretch a stream.
                self._due += step.delay_s
                self._timer = self._loop.call_at(self._due, self._wake, step)
                break
            self._perform(step)
        self._advancing = False

    def _wake(self, step: Step) -> None:
        self._timer = None
        self._advancing = True
        self._perform(step)
        self._advancing = False
        self._advance()
        self._next()

    def _perform(self, step: Step) -> None:
        transport = self._transport
        if transport is None:
            return
        if step.data:
            transport.write(step.data)
        if self._received is not None:
            self._received.sent += len(step.data)
            self._received.events += step.event
        if step.end is End.MORE or step.end is End.HANG:
            if step.end is End.HANG:
                self._steps = iter((Step(b"", 1e9, End.CUT),))
            return
        self._stop("answered" if step.end is End.DONE else "broken")
        if step.end is End.RESET:
            self._reset(transport)
        elif step.end is End.CUT or not self._keep_alive:
            transport.close()
            self._waiting.clear()

    def _reset(self, transport: asyncio.Transport) -> None:
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        transport.abort()
        self._waiting.clear()

    def _stop(self, fate: Fate) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._steps = None
        if self._received is not None:
            self._desk.inbox.close(self._received, fate)
            self._received = None

    def _reject(self, reply: Reply) -> None:
        """Answer what cannot be parsed and close; an answer on its way is cut."""
        self._stop("broken")
        self._waiting.clear()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(head(reply, len(reply.body), close=True) + reply.body)
            self._transport.close()
