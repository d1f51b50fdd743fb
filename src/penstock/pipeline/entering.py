"""A request's way in, which may have to wait until the owner of a counter has answered."""

from __future__ import annotations

from collections.abc import Callable

from penstock.admission.accounts import Allowance
from penstock.admission.counters import PATIENCE_S, Counter
from penstock.admission.entry import enter, leave
from penstock.admission.waiting import Waiter
from penstock.core.errors import Refusal
from penstock.pipeline.context import GatewayContext
from penstock.ports.clock import Timer
from penstock.ports.http_server import Reply


class Entering(Waiter):
    """Waits with a request that has not been let in yet. Implements ReplyListener meanwhile."""

    __slots__ = ("_allowance", "_ctx", "_go", "_refuse", "_timer")

    def __init__(
        self,
        ctx: GatewayContext,
        allowance: Allowance,
        go: Callable[[], None],
        refuse: Callable[[Refusal], None],
    ) -> None:
        super().__init__()
        self._ctx = ctx
        self._allowance = allowance
        self._go = go
        self._refuse = refuse
        self._timer: Timer | None = None

    def wait(self, blocked: Counter, reply: Reply) -> None:
        """Wait for `blocked`."""
        reply.listener = self
        self._timer = self._ctx.clock.call_later(PATIENCE_S, self._on_time)
        blocked.waitlist.add(self)

    def again(self) -> bool:
        """See Waiter."""
        clock = self._ctx.clock
        try:
            blocked = enter(self._allowance, clock.monotonic(), clock.now_ms())
        except Refusal as refusal:
            self._end()
            self._refuse(refusal)
            return True
        if blocked is None:
            self._end()
            self._go()
            return True
        place = self.place
        blocked.waitlist.add(self)
        return self.place is not place

    def _on_time(self) -> None:
        self._timer = None
        self._end()
        wait = f"no room was found within {PATIENCE_S:.0f} s; try again"
        self._refuse(Refusal("rate_limited", wait, retry_after_s=1.0))

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.leave()

    def client_gone(self) -> None:
        """See ReplyListener: nothing is held yet."""
        self._end()

    def client_slow(self) -> None:
        """See ReplyListener: nothing is sent yet."""

    def client_ready(self) -> None:
        """See ReplyListener."""


def enter_or_wait(
    ctx: GatewayContext,
    allowance: Allowance,
    reply: Reply,
    go: Callable[[], None],
    refuse: Callable[[Refusal], None],
) -> bool:
    """Whether the request is in; else it waits, and `go` or `refuse` is called later. Raises Refusal."""
    blocked = enter(allowance, ctx.clock.monotonic(), ctx.clock.now_ms())
    if blocked is None:
        return True
    Entering(ctx, allowance, go, refuse).wait(blocked, reply)
    return False


def let_go(ctx: GatewayContext, allowance: Allowance) -> None:
    """Somebody who was let in is done."""
    leave(allowance, ctx.clock.monotonic(), ctx.clock.now_ms())
