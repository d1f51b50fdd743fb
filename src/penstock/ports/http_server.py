"""The seam between the HTTP server and whatever answers its requests."""

from __future__ import annotations

from typing import Protocol


class HttpRequest:
    """One whole request. Field names are lower case; a field that came twice is joined by a comma."""

    __slots__ = ("body", "headers", "method", "path", "peer", "query", "received_at")

    def __init__(
        self,
        method: bytes,
        path: str,
        query: bytes,
        headers: dict[bytes, bytes],
        body: bytes,
        received_at: float,
        peer: str,
    ) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.received_at = received_at
        self.peer = peer


class ReplyListener(Protocol):
    """Told what becomes of the client while an answer is under way."""

    def client_gone(self) -> None:
        """The client hung up; nothing written from now on reaches it."""
        ...

    def client_slow(self) -> None:
        """The client takes less than is written; hold the upstream back."""
        ...

    def client_ready(self) -> None:
        """The client has caught up."""
        ...


class Reply(Protocol):
    """The answer to one request; safe to call after the client is gone."""

    listener: ReplyListener | None
    bytes_out: int

    def send(self, status: int, headers: bytes, body: bytes) -> None:
        """A whole answer at once; `headers` are whole lines, each ended by CRLF."""
        ...

    def start(self, status: int, headers: bytes, length: int | None = None) -> None:
        """The head of an answer that comes in pieces; chunked unless `length` is known."""
        ...

    def write(self, data: bytes) -> None:
        """A piece of the body; after `start`."""
        ...

    def end(self, data: bytes = b"") -> None:
        """The last piece of the body; the exchange is over for this client."""
        ...

    def abort(self) -> None:
        """Break the connection so that the client cannot take the answer for a whole one."""
        ...


class RequestHandler(Protocol):
    """Answers requests."""

    def handle(self, request: HttpRequest, reply: Reply) -> None:
        """Called once per request, in order per connection; must not raise."""
        ...

    def refuse(self, path: str, reply: Reply, status: int, code: str, message: str) -> None:
        """The server itself refuses (framing, size, time): answer in the shape that fits the path."""
        ...
