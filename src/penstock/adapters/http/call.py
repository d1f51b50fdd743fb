"""One request with its handler: waiting for a connection, then bound to one (ports.transport.Call)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.ports.transport import ResponseHandler

if TYPE_CHECKING:
    from penstock.adapters.http.connection import UpstreamConnection
    from penstock.adapters.http.pool import Pool


class UpstreamCall:
    """A request under way. After its end, or its cancelling, every method is without effect.

    What its handler raises is reported and stays here: on the way up it would meet another call's connection.
    """

    __slots__ = ("_connection", "_pool", "connect_s", "deadline", "handler", "request")

    def __init__(self, pool: Pool, request: bytes, handler: ResponseHandler, connect_s: float) -> None:
        self._pool = pool
        self._connection: UpstreamConnection | None = None
        self.request = request
        self.handler = handler
        self.connect_s = connect_s
        self.deadline = 0.0

    def run_on(self, connection: UpstreamConnection) -> None:
        """Send on this connection."""
        self._connection = connection
        connection.start(self, self.request)
        self.request = b""
        try:
            self.handler.on_connected(reused=connection.served > 0)
        except Exception as error:  # noqa: BLE001 - see the class
            self._pool.report(error)
            connection.fail("internal", "a handler of the response failed")

    def finished(self) -> None:
        """The connection has delivered the whole answer and is free again."""
        self._connection = None
        try:
            self.handler.on_end()
        except Exception as error:  # noqa: BLE001 - see the class
            self._pool.report(error)

    def failed(self, cause: str, detail: str) -> None:
        """The connection is gone, or could not be had."""
        self._connection = None
        try:
            self.handler.on_failure(cause, detail)
        except Exception as error:  # noqa: BLE001 - see the class
            self._pool.report(error)

    def cancel(self) -> None:
        """Close the connection, or leave the queue for one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        else:
            self._pool.forget(self)

    def pause(self) -> None:
        """Stop reading the answer."""
        if self._connection is not None:
            self._connection.pause()

    def resume(self) -> None:
        """Read on."""
        if self._connection is not None:
            self._connection.resume()
