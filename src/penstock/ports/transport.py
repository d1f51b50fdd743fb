"""How the pipeline reaches an upstream: one request out, head, data and end back by plain calls."""

from __future__ import annotations

from typing import Protocol

from penstock.core.origin import Origin


class ResponseHandler(Protocol):
    """Receives one response. Exactly one of `on_end` and `on_failure` is called, last."""

    def on_connected(self, *, reused: bool) -> None:
        """The request's bytes are being written to a connection."""
        ...

    def on_head(self, status: int, headers: dict[bytes, bytes]) -> None:
        """The final status and the fields, names in lower case, repeated ones joined by a comma."""
        ...

    def on_data(self, data: bytes) -> None:
        """A piece of the body, framing removed."""
        ...

    def on_end(self) -> None:
        """The body is complete."""
        ...

    def on_failure(self, cause: str, detail: str) -> None:
        """The response will not be completed; `cause` is low-cardinality (`connect_refused`, `cut`, …)."""
        ...


class Call(Protocol):
    """A request under way."""

    def cancel(self) -> None:
        """Give it up: close its connection; nothing is called back any more."""
        ...

    def pause(self) -> None:
        """Stop reading: whoever takes the data is slow."""
        ...

    def resume(self) -> None:
        """Read on."""
        ...


class Transport(Protocol):
    """Sends requests."""

    def send(self, origin: Origin, request: bytes, handler: ResponseHandler, connect_s: float) -> Call:
        """Send the bytes of a complete request; the handler may be called before this returns.

        `connect_s`: how long a connection, its TLS handshake included, may take to stand.
        """
        ...
