"""Before an attempt: what it may cost is held, or it is said why it cannot be."""

from __future__ import annotations

from penstock.admission.accounts import Allowance
from penstock.admission.counters import Counter
from penstock.admission.holding import Holding
from penstock.admission.waiting import WAIT
from penstock.core.exchange import AttemptOpened, RequestFacts, Subject
from penstock.core.target import Target
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.reservation import Reservation, not_held, reservation_for, reserve, unpriced
from penstock.providers.openai.errors import Failure
from penstock.shapes.openai_request import OpenAIRequest
from penstock.upstream.attempt import Attempt


class Opening:
    """What an attempt may use. `cap`: the output bound to send, None where nothing depends on one."""

    __slots__ = ("cap", "holding", "opened_ms", "reservation")

    def __init__(self, reservation: Reservation, holding: Holding, opened_ms: int, cap: int | None) -> None:
        self.reservation = reservation
        self.holding = holding
        self.opened_ms = opened_ms
        self.cap = cap

    def drop(self, ctx: GatewayContext) -> None:
        """The attempt is not made after all."""
        self.holding.drop(ctx.clock.monotonic(), ctx.clock.now_ms())

    def note(self, attempt: Attempt) -> None:
        """Write it on the attempt."""
        reservation = self.reservation
        attempt.opened_ms = self.opened_ms
        attempt.reserved_nanousd = reservation.nanousd
        attempt.reserved_usage = reservation.usage()
        attempt.service_tier = reservation.service_tier


def opening_for(
    ctx: GatewayContext, request: OpenAIRequest, target: Target, allowance: Allowance, *, last: bool
) -> Opening | Counter | Failure:
    """Hold what an attempt at `target` needs; else the counter to wait for, or why it cannot be made.

    `last`: it has waited long enough.
    """
    account = ctx.accounts.targets.get(target.id)
    reservation = reservation_for(ctx.plan, request, target, ctx.learned_of(target.id))
    bound = allowance.hard or (account is not None and bool(account.budgets))
    if bound and reservation.nanousd is None and ctx.plan.refuse_unpriced:
        return unpriced(reservation)
    now, now_ms = ctx.clock.monotonic(), ctx.clock.now_ms()
    holding = reserve(reservation, allowance, account, now, now_ms, last=last)
    blocked = holding.blocked
    if blocked is None:
        return Opening(reservation, holding, now_ms, reservation.cap if bound or request.bound else None)
    if holding.code == WAIT and not last:
        return blocked
    return not_held(holding, blocked, target, now, now_ms)


def opened_event(attempt: Attempt, facts: RequestFacts, subject: Subject) -> AttemptOpened:
    """The record that must stand before the first upstream byte."""
    target = attempt.target
    return AttemptOpened(
        facts,
        subject,
        attempt.index,
        attempt.opened_ms,
        target.id,
        target.model,
        attempt.reserved_nanousd,
        attempt.reserved_usage,
        target.card.version if target.card is not None else "",
        attempt.service_tier,
    )
