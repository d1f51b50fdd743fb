"""The answer to one request, written to its connection (ports.http_server.Reply)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from penstock.ports.http_server import ReplyListener
from penstock.wire.http1 import LAST_CHUNK

if TYPE_CHECKING:
    from penstock.server.connection import ClientConnection

_NO_BODY: Final = frozenset({204, 304})
# Up to here a body is copied behind its head, so that both go out in one packet by one system call.
_COPY_BYTES: Final = 64 * 1024


class HttpReply:
    """Frames one answer. Once it has ended, or the client is gone, every call is without effect."""

    __slots__ = (
        "_chunked",
        "_connection",
        "bytes_out",
        "head_only",
        "http_10",
        "keep_alive",
        "listener",
        "started",
    )

    def __init__(
        self, connection: ClientConnection, *, head_only: bool, http_10: bool, keep_alive: bool
    ) -> None:
        self._connection: ClientConnection | None = connection
        self._chunked = False
        self.head_only = head_only
        self.http_10 = http_10
        self.keep_alive = keep_alive
        self.listener: ReplyListener | None = None
        self.bytes_out = 0
        self.started = False

    def send(self, status: int, headers: bytes, body: bytes) -> None:
        """Write head and body in one go."""
        connection = self._connection
        if connection is None:
            return
        self._connection = self.listener = None
        self.started = True
        head = self._head(connection, status, headers)
        if status in _NO_BODY:
            data = head + b"\r\n"
        elif self.head_only:
            data = b"%bcontent-length: %d\r\n\r\n" % (head, len(body))
        else:
            self.bytes_out = size = len(body)
            if size > _COPY_BYTES:
                connection.write(b"%bcontent-length: %d\r\n\r\n" % (head, size))
                data = body
            else:
                data = b"%bcontent-length: %d\r\n\r\n%b" % (head, size, body)
        connection.finish(data, keep=self.keep_alive)

    def start(self, status: int, headers: bytes, length: int | None = None) -> None:
        """Write the head; a client of HTTP/1.0 gets a body that ends with the connection."""
        connection = self._connection
        if connection is None:
            return
        if status in _NO_BODY:
            self.head_only = True
            framing = b"\r\n"
        elif length is not None:
            framing = b"content-length: %d\r\n\r\n" % length
        elif self.http_10:
            self.keep_alive = False
            framing = b"\r\n"
        else:
            self._chunked = True
            framing = b"transfer-encoding: chunked\r\n\r\n"
        self.started = True
        connection.write(self._head(connection, status, headers) + framing)

    def _head(self, connection: ClientConnection, status: int, headers: bytes) -> bytes:
        server = connection.server
        first = server.first_lines.get(status) or server.first_lines_of(status)
        if server.draining and not connection.has_more:
            self.keep_alive = False
        if not self.keep_alive:
            return first + headers + b"connection: close\r\n"
        if self.http_10:
            return first + headers + b"connection: keep-alive\r\n"
        return first + headers

    def write(self, data: bytes) -> None:
        """Write a piece of the body."""
        connection = self._connection
        if connection is None or not data:
            return
        self.bytes_out += len(data)
        if self.head_only:
            return
        connection.write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)

    def end(self, data: bytes = b"") -> None:
        """Write the last piece and give the connection back to the next request."""
        connection = self._connection
        if connection is None:
            return
        self._connection = self.listener = None
        self.bytes_out += len(data)
        if self.head_only:
            data = b""
        elif self._chunked:
            data = b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data) if data else LAST_CHUNK
        connection.finish(data, keep=self.keep_alive)

    def abort(self) -> None:
        """Reset the connection."""
        connection, self._connection = self._connection, None
        self.listener = None
        if connection is not None:
            connection.abort()

    def lost(self) -> None:
        """The connection is gone: tell whoever is answering."""
        self._connection = None
        listener, self.listener = self.listener, None
        if listener is not None:
            listener.client_gone()
