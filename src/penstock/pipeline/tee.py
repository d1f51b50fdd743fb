"""A reply that passes all on, and keeps what the client was told for whoever looks at it afterwards."""

from __future__ import annotations

from collections.abc import Callable

from penstock.ports.http_server import Reply, ReplyListener

# Longer answers are not kept.
MAX_KEPT_BYTES = 1024 * 1024


class Tee:
    """Implements Reply and ReplyListener. `over` is told once the answer has gone out, or broke off.

    `head`: the lines that the client got; `ended`: the answer is whole.
    """

    __slots__ = ("_over", "_pieces", "_reply", "_size", "bytes_out", "ended", "head", "listener", "status")

    def __init__(self, reply: Reply, over: Callable[[Tee], None]) -> None:
        self.listener: ReplyListener | None = None
        self.bytes_out = reply.bytes_out
        self.status = 0
        self.head = b""
        self.ended = False
        self._reply = reply
        self._reply.listener = self
        self._over: Callable[[Tee], None] | None = over
        self._pieces: list[bytes] = []
        self._size = 0

    def answer(self) -> bytes | None:
        """The body; None where it was too long to be kept."""
        return b"".join(self._pieces) if self._size <= MAX_KEPT_BYTES else None

    def line(self, name: bytes) -> str:
        """The value of a line of the head, empty where it has none."""
        for each in self.head.split(b"\r\n"):
            key, _, value = each.partition(b": ")
            if key == name:
                return value.decode("latin-1")
        return ""

    def client_gone(self) -> None:
        """See ReplyListener."""
        if self.listener is not None:
            self.listener.client_gone()
        self._tell()

    def client_slow(self) -> None:
        """See ReplyListener."""
        if self.listener is not None:
            self.listener.client_slow()

    def client_ready(self) -> None:
        """See ReplyListener."""
        if self.listener is not None:
            self.listener.client_ready()

    def send(self, status: int, headers: bytes, body: bytes) -> None:
        """See Reply."""
        self._reply.send(status, headers, body)
        self.status, self.head = status, headers
        self._keep(body)
        self.ended = True
        self._tell()

    def start(self, status: int, headers: bytes, length: int | None = None) -> None:
        """See Reply."""
        self.status, self.head = status, headers
        self._reply.start(status, headers, length)

    def write(self, data: bytes) -> None:
        """See Reply."""
        self._reply.write(data)
        self._keep(data)

    def end(self, data: bytes = b"") -> None:
        """See Reply."""
        self._reply.end(data)
        self._keep(data)
        self.ended = True
        self._tell()

    def abort(self) -> None:
        """See Reply."""
        self._reply.abort()
        self._tell()

    def _keep(self, data: bytes) -> None:
        self.bytes_out = self._reply.bytes_out
        self._size += len(data)
        if self._size <= MAX_KEPT_BYTES:
            self._pieces.append(data)

    def _tell(self) -> None:
        over, self._over = self._over, None
        if over is not None:
            over(self)
