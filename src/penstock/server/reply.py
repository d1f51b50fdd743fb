"""The answer to one request, written to its connection (ports.http_server.Reply)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.ports.http_server import ReplyListener
from penstock.wire.http1 import LAST_CHUNK, status_line

if TYPE_CHECKING:
    from penstock.server.connection import ClientConnection

_NO_BODY = frozenset({204, 304})


class HttpReply:
    """Frames one answer. Once it has ended, or the client is gone, every call is without effect."""

    __slots__ = ("_chunked", "_connection", "_head_only", "bytes_out", "listener", "started")

    def __init__(self, connection: ClientConnection, *, head_only: bool) -> None:
        self._connection: ClientConnection | None = connection
        self._head_only = head_only
        self._chunked = False
        self.listener: ReplyListener | None = None
        self.bytes_out = 0
        self.started = False

    def send(self, status: int, headers: bytes, body: bytes) -> None:
        """Write head and body in one go."""
        connection = self._connection
        if connection is None:
            return
        head = self._head(connection, status, headers)
        if status not in _NO_BODY:
            head.append(b"content-length: %d\r\n\r\n" % len(body))
        else:
            head.append(b"\r\n")
        if not self._head_only and status not in _NO_BODY:
            head.append(body)
            self.bytes_out = len(body)
        self.started = True
        self._finish(connection, b"".join(head))

    def start(self, status: int, headers: bytes, length: int | None = None) -> None:
        """Write the head; a client of HTTP/1.0 gets a body that ends with the connection."""
        connection = self._connection
        if connection is None:
            return
        head = self._head(connection, status, headers)
        if length is not None:
            head.append(b"content-length: %d\r\n\r\n" % length)
        elif connection.http_10:
            connection.keep_alive = False
            head.append(b"\r\n")
        else:
            self._chunked = True
            head.append(b"transfer-encoding: chunked\r\n\r\n")
        self.started = True
        connection.write(b"".join(head))

    def _head(self, connection: ClientConnection, status: int, headers: bytes) -> list[bytes]:
        head = [status_line(status), connection.date_line(), headers]
        if not connection.will_keep_alive():
            head.append(b"connection: close\r\n")
        elif connection.http_10:
            head.append(b"connection: keep-alive\r\n")
        return head

    def write(self, data: bytes) -> None:
        """Write a piece of the body."""
        connection = self._connection
        if connection is None or not data:
            return
        self.bytes_out += len(data)
        if self._head_only:
            return
        connection.write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)

    def end(self, data: bytes = b"") -> None:
        """Write the last piece and give the connection back to the next request."""
        connection = self._connection
        if connection is None:
            return
        self.bytes_out += len(data)
        if not self._chunked:
            self._finish(connection, b"" if self._head_only else data)
        elif self._head_only or not data:
            self._finish(connection, b"" if self._head_only else LAST_CHUNK)
        else:
            self._finish(connection, b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data))

    def _finish(self, connection: ClientConnection, data: bytes) -> None:
        self._connection = None
        self.listener = None
        connection.finish(data)

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
