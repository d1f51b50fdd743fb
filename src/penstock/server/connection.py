"""One client connection: bytes to requests, strictly framed, answered one at a time and in order."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, cast

import httptools

from penstock.ports.http_server import HttpRequest
from penstock.server.head import RequestHead, too_large
from penstock.server.reply import HttpReply
from penstock.wire.http1 import CONTINUE, HeadError

if TYPE_CHECKING:
    from penstock.server.listener import HttpServer

LINGER_S = 2.0


class ClientConnection(asyncio.Protocol):
    """An `asyncio.Protocol` per accepted socket.

    Reading and answering are apart: requests that came in one piece with the current one wait parsed in a
    queue, later bytes wait unparsed in `_pending`, and past a bound the socket is not read at all.
    """

    __slots__ = (
        "_body",
        "_closing",
        "_head",
        "_head_bytes",
        "_parser",
        "_paused",
        "_pending",
        "_primed",
        "_queue",
        "_reply",
        "_server",
        "_state",
        "_transport",
        "deadline",
        "http_10",
        "keep_alive",
        "peer",
    )

    def __init__(self, server: HttpServer) -> None:
        self._server = server
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._head = RequestHead()
        self._head_bytes = 0
        self._body: list[bytes] = []
        self._queue: deque[tuple[HttpRequest | None, HeadError | None, RequestHead]] = deque()
        self._pending = b""
        self._paused = False
        self._primed = False
        self._closing = False
        self._state = "idle"
        self._reply: HttpReply | None = None
        self.http_10 = False
        self.keep_alive = True
        self.peer = ""
        self.deadline = 0.0

    # --- the transport's side -------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register with the server, which watches the deadlines."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=self._server.limits.write_high_water)
        peer = transport.get_extra_info("peername")
        self.peer = peer[0] if isinstance(peer, tuple) else ""
        self._server.connections.add(self)
        self._arm(self._server.limits.head_timeout_s)

    def data_received(self, data: bytes) -> None:
        """Parse, or keep for later what was sent ahead of the current answer."""
        if self._closing:
            return
        if self._reply is None:
            self._feed(data)
            return
        self._pending += data
        if len(self._pending) > self._server.limits.pipelined_bytes and self._transport is not None:
            self._transport.pause_reading()
            self._paused = True

    def _feed(self, data: bytes) -> None:
        limits = self._server.limits
        if self._state == "idle":
            self._state = "head"
            self._head_bytes = 0
            self._arm(limits.head_timeout_s)
        elif self._state == "body":
            self._arm(limits.body_idle_s)
        try:
            self._parser.feed_data(data)
            if self._state == "head":
                # Checked after parsing: a head and a large body may have come in one piece.
                self._head_bytes += len(data)
                if self._head_bytes > limits.max_head_bytes:
                    self._refuse_later(HeadError(431, "headers_too_large", "the request head is too large"))
        except httptools.HttpParserUpgrade as upgrade:
            self._ignore_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserCallbackError as error:
            if not isinstance(error.__context__, HeadError):
                self.abort()
                raise
            self._refuse_later(error.__context__)
        except httptools.HttpParserError as error:
            self._refuse_later(HeadError(400, "bad_framing", f"the request breaks HTTP framing: {error}"))
        if self._queue and self._reply is None:
            self._answer_next()

    def _refuse_later(self, error: HeadError) -> None:
        """Answer the error in its turn, then close: what follows on this connection is unknown."""
        self._queue.append((None, error, self._head))
        self._head = RequestHead()
        self._state = "broken"

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Read the body of a request that asked for another protocol, which we do not speak (RFC 9110, 7.8).

        The parser stops at such a head. A fresh one is told only how the body is framed and goes on.
        """
        fields = self._head.fields
        framing = b"".join(
            b"%b: %b\r\n" % (name, fields[name])
            for name in (b"content-length", b"transfer-encoding")
            if name in fields
        )
        self._primed = True
        self._parser = httptools.HttpRequestParser(self)
        self._feed(b"POST / HTTP/1.1\r\n" + framing + b"\r\n" + rest)

    def eof_received(self) -> bool:
        """The client sends no more: during an answer that is a hang-up, in a request it is a broken one."""
        if self._reply is None and self._state in ("head", "body") and self._head_bytes:
            self._refuse_later(
                HeadError(
                    400, "incomplete_request", "the connection was closed before the request was complete"
                )
            )
            self._answer_next()
            return True
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever is answering, and forget the connection."""
        del exc
        self._closing = True
        self._server.connections.discard(self)
        reply, self._reply = self._reply, None
        if reply is not None:
            reply.lost()

    def pause_writing(self) -> None:
        """The socket takes less than we write."""
        self._arm(self._server.limits.write_idle_s)
        if self._reply is not None and self._reply.listener is not None:
            self._reply.listener.client_slow()

    def resume_writing(self) -> None:
        """The socket has caught up."""
        if self._reply is not None:
            self.deadline = 0.0
            if self._reply.listener is not None:
                self._reply.listener.client_ready()

    # --- the parser's side ----------------------------------------------------------------------------

    def on_url(self, url: bytes) -> None:
        """The target, possibly in pieces."""
        if not self._primed:
            self._head.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One field."""
        if not self._primed:
            self._head.add(name, value)

    def on_headers_complete(self) -> None:
        """Check the head before any of the body is taken."""
        self._state = "body"
        if self._primed:
            return
        parser, head, limits = self._parser, self._head, self._server.limits
        head.method = parser.get_method()
        head.http_10 = parser.get_http_version() == "1.0"
        head.keep_alive = parser.should_keep_alive()
        head.upgrade = parser.should_upgrade()
        head.check(limits)
        self._arm(limits.body_idle_s)
        if head.expects_continue and self._transport is not None and not self._queue and self._reply is None:
            self._transport.write(CONTINUE)

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._body.append(body)
        head = self._head
        head.body_bytes += len(body)
        if head.body_bytes > self._server.limits.max_body_bytes:
            raise HeadError(413, "body_too_large", too_large(self._server.limits))

    def on_message_complete(self) -> None:
        """The request is whole, unless the parser stopped at a head that asks for an upgrade."""
        head, body = self._head, self._body
        if head.upgrade and not self._primed:
            return
        self._primed = False
        request = HttpRequest(
            head.method,
            head.path(),
            head.query,
            head.fields,
            body[0] if len(body) == 1 else b"".join(body),
            self._server.clock.monotonic(),
            self.peer,
        )
        self._queue.append((request, None, head))
        self._head = RequestHead()
        self._body = []
        self._head_bytes = 0
        self._state = "idle"

    # --- answering ------------------------------------------------------------------------------------

    def _answer_next(self) -> None:
        request, error, head = self._queue.popleft()
        self.http_10 = head.http_10
        self.keep_alive = head.keep_alive and error is None
        self.deadline = 0.0
        reply = self._reply = HttpReply(self, head_only=head.method == b"HEAD")
        if request is not None:
            self._server.handler.handle(request, reply)
        elif error is not None:
            self._server.handler.refuse(head.path(), reply, error.status, error.code, str(error))

    def write(self, data: bytes) -> None:
        """Bytes for the client."""
        if self._transport is not None and not self._closing:
            self._transport.write(data)

    def finish(self, data: bytes) -> None:
        """The answer's last bytes; go on with the next request or close."""
        self._reply = None
        transport = self._transport
        if transport is None or self._closing:
            return
        if data:
            transport.write(data)
        if not self.will_keep_alive():
            self._linger(transport)
            return
        self._arm(self._server.limits.keep_alive_s)
        if self._queue or self._pending:
            self._server.clock.call_soon(self._next)

    def _next(self) -> None:
        """Take up what was sent ahead."""
        if self._closing or self._reply is not None:
            return
        if self._queue:
            self._answer_next()
            return
        data, self._pending = self._pending, b""
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        if data:
            self._feed(data)

    def _linger(self, transport: asyncio.Transport) -> None:
        """Send the end of our side first: closing over unread input would reset the answer away."""
        self._closing = True
        self._arm(LINGER_S)
        if self._paused:
            self._paused = False
            transport.resume_reading()
        if transport.can_write_eof():
            transport.write_eof()
        else:
            transport.close()

    def abort(self) -> None:
        """Reset the connection."""
        self._closing = True
        if self._transport is not None:
            self._transport.abort()

    def will_keep_alive(self) -> bool:
        """Whether the connection takes another request after this one."""
        return self.keep_alive and not self._server.draining

    def date_line(self) -> bytes:
        """The Date field, made once a second."""
        return self._server.date_line

    # --- deadlines ------------------------------------------------------------------------------------

    def _arm(self, seconds: float) -> None:
        self.deadline = self._server.clock.monotonic() + seconds

    def expire(self) -> None:
        """The deadline of the current phase has passed."""
        self.deadline = 0.0
        if self._closing or self._reply is not None or self._state == "idle":
            self.abort()
            return
        self._refuse_later(HeadError(408, "request_timeout", "the request did not arrive in time"))
        self._answer_next()

    def close_if_idle(self) -> None:
        """At drain: a connection without a request has nothing to wait for."""
        if self._reply is None and self._state == "idle" and not self._queue and self._transport is not None:
            self._closing = True
            self._transport.close()
