"""Requests that the gateway itself makes: they go through the same pipeline, on an account of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

# How deep calls may be made within calls: a judge's own route may ask a judge, and no further.
MAX_DEPTH = 2


class InnerAnswer:
    """What came of an inner call: as a client would have got it. `status` 0: it was given up, or broke off."""

    __slots__ = ("body", "request_id", "status")

    def __init__(self, status: int, body: bytes, request_id: str) -> None:
        self.status = status
        self.body = body
        self.request_id = request_id


class InnerCall(Protocol):
    """One inner call under way."""

    def cancel(self) -> None:
        """Give it up: the upstream is let go, what was generated is charged, nothing is told any more."""
        ...


class InnerCalls(Protocol):
    """Makes inner calls for one exchange, on its caller's budgets."""

    def ask(
        self, path: str, body: bytes, purpose: str, deadline_s: float, then: Callable[[InnerAnswer], None]
    ) -> InnerCall:
        """Send `body` to one of the gateway's own paths, such as `/v1/chat/completions`.

        Its `model` may name any route or deployment, whatever the caller's key may use: the configuration asks,
        not the client. `purpose` stands in the ledger. `then` is called once, never from within this call.
        """
        ...
