"""One client connection: bytes to requests, strictly framed, answered one at a time and in order."""

from __future__ import annotations

import asyncio
import select
from typing import TYPE_CHECKING, Final, cast

import httptools

from penstock.ports.http_server import HttpRequest
from penstock.server.head import split_target
from penstock.server.reader import BODY, BROKEN, HEAD, IDLE, RequestReader
from penstock.server.reply import HttpReply
from penstock.wire.http1 import HeadError

if TYPE_CHECKING:
    import socket

    from penstock.server.listener import HttpServer

# Chunk sizes, their extensions and trailers may be so many bytes, and so many times the body they carry.
_FRAMING_BYTES: Final = 16 * 1024
_FRAMING_FACTOR: Final = 8


class ClientConnection(RequestReader):
    """One per accepted socket: an asyncio protocol by its methods; compiled classes have no foreign base.

    Reading and answering are apart: requests that came in one piece with the current one wait parsed in a
    queue, later bytes wait unparsed in `_pending`, and past a bound the socket is not read at all. The clock is
    the server's coarse one, which its sweep advances: nothing here needs more than a tenth of a second.
    """

    __slots__ = ("_closing", "_paused", "_pending", "_unsent", "deadline")

    def __init__(self, server: HttpServer) -> None:
        super().__init__(server)
        self._pending = b""
        self._paused = False
        self._closing = False
        self._unsent = 0
        self.deadline = 0.0

    # --- the transport's side -------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register with the server, which watches the deadlines."""
        server = self.server
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=server.limits.write_high_water)
        peer = cast("object", transport.get_extra_info("peername"))
        self.peer = str(cast("tuple[object, ...]", peer)[0]) if isinstance(peer, tuple) else ""
        server.connections.add(self)
        self.deadline = server.now + server.limits.head_timeout_s
        if server.draining:
            self.hurry()

    def data_received(self, data: bytes) -> None:
        """Parse, or keep for later what was sent ahead of the current answer."""
        if self._closing or self._state == BROKEN:
            return
        if self._reply is None and not self._pending:
            self._feed(data)
            return
        self._pending += data
        if len(self._pending) > self.server.limits.pipelined_bytes and self._transport is not None:
            self._transport.pause_reading()
            self._paused = True

    def _feed(self, data: bytes) -> None:
        was = self._state
        self._raw_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._ignore_upgrade(data[upgrade.args[0] :])
            return
        except httptools.HttpParserCallbackError as error:
            if not isinstance(error.__context__, HeadError):
                self.abort()
                raise
            self._refuse(error.__context__)
        except httptools.HttpParserInvalidMethodError:
            self._refuse(HeadError(400, "bad_method", "the request does not begin with a method"))
        except httptools.HttpParserError as error:
            self._refuse(HeadError(400, "bad_framing", f"the request breaks HTTP framing: {error}"))
        if self._queue and self._reply is None:
            self._answer(*self._queue.pop(0))
        elif self._raw_bytes and self._reply is None:
            if was == IDLE == self._state:
                was = self._begin(data)
            self._wait_for_more(was)

    def _begin(self, data: bytes) -> int:
        """Bytes that are no target yet: a method, or empty lines between requests (RFC 9112, section 2.2)."""
        if data.strip(b"\r\n"):
            self._state = HEAD
        else:
            self._raw_bytes = 0
        return IDLE

    def _wait_for_more(self, was: int) -> None:
        """Part of a request has come: watch over its size and time."""
        server = self.server
        if self._state == IDLE:
            return
        if self._state == HEAD:
            if was != HEAD:
                self.deadline = server.now + server.limits.head_timeout_s
            if self._raw_bytes > server.limits.max_head_bytes:
                self._refuse(HeadError(431, "headers_too_large", "the request head is too large"))
        else:
            self.deadline = server.now + server.limits.body_idle_s
            if self._raw_bytes > _FRAMING_BYTES + _FRAMING_FACTOR * self._body_bytes:
                self._refuse(HeadError(400, "bad_framing", "the chunked body is nearly all framing"))
        if self._queue:
            self._answer(*self._queue.pop(0))

    def _refuse(self, error: HeadError) -> None:
        """Answer the error in its turn, then close: what follows on this connection is unknown."""
        reply = self._new_reply(keep_alive=False)
        self._state = BROKEN
        self._request = None
        self._queue.append((error, reply))

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Read the body of a request that asked for another protocol, which we do not speak (RFC 9110, 7.8).

        The parser stops at such a head. A fresh one is told only how the body is framed and goes on.
        """
        request = self._request
        fields = request[0].headers if request is not None else {}
        framing = b"".join(
            b"%b: %b\r\n" % (name, fields[name])
            for name in (b"content-length", b"transfer-encoding")
            if name in fields
        )
        self._primed = True
        self._parser = httptools.HttpRequestParser(self)
        self._feed(b"POST / HTTP/1.1\r\nhost: \r\n" + framing + b"\r\n" + rest)

    def eof_received(self) -> bool:
        """The client sends no more: during an answer that is a hang-up, in a request it is a broken one."""
        if self._closing or self._reply is not None or self._state not in (HEAD, BODY):
            return False
        self._refuse(
            HeadError(400, "incomplete_request", "the connection was closed before the request was complete")
        )
        self._answer(*self._queue.pop(0))
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever is answering, and forget the connection."""
        del exc
        self._closing = True
        self.server.forget(self)
        self._transport = None
        self._queue.clear()
        del self._parser  # it holds us, and we it
        reply, self._reply = self._reply, None
        if reply is not None:
            reply.lost()

    def pause_writing(self) -> None:
        """The socket takes less than we write."""
        self._watch_writing()
        if self._reply is not None and self._reply.listener is not None:
            self._reply.listener.client_slow()

    def resume_writing(self) -> None:
        """The socket has caught up."""
        if self._reply is not None:
            self.deadline = 0.0
            if self._reply.listener is not None:
                self._reply.listener.client_ready()

    # --- answering ------------------------------------------------------------------------------------

    def _new_reply(self, *, keep_alive: bool) -> HttpReply:
        if self._request is not None:
            self._request[1].keep_alive = keep_alive
            return self._request[1]
        return HttpReply(self, head_only=False, http_10=False, keep_alive=keep_alive)

    def _answer(self, request: HttpRequest | HeadError, reply: HttpReply) -> None:
        self.deadline = 0.0
        self._reply = reply
        handler = self.server.handler
        try:
            if isinstance(request, HttpRequest):
                handler.handle(request, reply)
            else:
                path = split_target(self._target)[0] if self._target else ""
                handler.refuse(path, reply, request.status, request.code, str(request))
        except Exception as error:  # noqa: BLE001 - it would stop the sweep, or leave the client waiting
            self.server.report(error)
            if self._reply is reply:
                self.abort()

    def write(self, data: bytes) -> None:
        """Bytes for the client."""
        if self._transport is not None and not self._closing:
            self._transport.write(data)

    def finish(self, data: bytes, *, keep: bool) -> None:
        """The answer's last bytes; go on with the next request or close."""
        self._reply = None
        transport = self._transport
        if transport is None or self._closing:
            return
        if data:
            transport.write(data)
        if not keep:
            self._linger(transport)
            return
        self.deadline = self.server.idle_deadline
        if self._queue or self._pending or self._state != IDLE:
            self.server.clock.call_soon(self._next)

    def _next(self) -> None:
        """Take up what was sent ahead."""
        if self._closing or self._reply is not None:
            return
        if self._queue:
            self._answer(*self._queue.pop(0))
            return
        data, self._pending = self._pending, b""
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        if self._continue and not data:
            self._say_continue()
        if data:
            self._feed(data)
        elif self._state != IDLE:
            self._wait_for_more(IDLE)

    def _linger(self, transport: asyncio.Transport) -> None:
        """Send the end of our side first: closing over unread input would reset the answer away."""
        self._closing = True
        self._queue.clear()
        self.deadline = self.server.now + self.server.limits.linger_s
        self._unsent = transport.get_write_buffer_size()
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

    # --- deadlines ------------------------------------------------------------------------------------

    def _watch_writing(self) -> None:
        self.deadline = self.server.now + self.server.limits.write_idle_s
        self._unsent = self._transport.get_write_buffer_size() if self._transport is not None else 0

    def expire(self) -> None:
        """The deadline of the current phase has passed."""
        unsent = self._transport.get_write_buffer_size() if self._transport is not None else 0
        if unsent and (unsent < self._unsent or not self._unsent):
            self._watch_writing()  # slow, but it takes some: a large answer may need longer than any one phase
            return
        self.deadline = 0.0
        if self._closing or self._reply is not None:
            self.abort()
            return
        if self._state == IDLE:
            self._close_idle()
            return
        self._refuse(HeadError(408, "request_timeout", "the request did not arrive in time"))
        self._answer(*self._queue.pop(0))

    def hurry(self) -> None:
        """At drain: without a request it has no longer than `HttpServer.idle_deadline` for the next one."""
        if self._reply is None and self._state == IDLE and not self._queue and not self._closing:
            self.deadline = min(self.deadline, self.server.idle_deadline)

    @property
    def is_answering(self) -> bool:
        """Whether a request is being answered, or being read."""
        return self._reply is not None or self._state != IDLE

    @property
    def has_more(self) -> bool:
        """Whether the client has sent more than the request that is being answered."""
        return bool(self._queue or self._pending) or self._state != IDLE

    def _close_idle(self) -> None:
        """Nothing came in time. What came since the loop last looked is read first, and answered."""
        transport = self._transport
        if transport is None:
            return
        if _has_input(transport):
            self.deadline = self.server.idle_deadline
            return
        self._closing = True
        self.deadline = self.server.now + self.server.limits.linger_s
        transport.close()


def _has_input(transport: asyncio.Transport) -> bool:
    """Whether the socket has bytes, or an end, that nobody has read yet."""
    sock = cast("socket.socket | None", transport.get_extra_info("socket"))
    if sock is None or sock.fileno() < 0:
        return False
    poll = select.poll()
    poll.register(sock.fileno(), select.POLLIN)
    return bool(poll.poll(0))
