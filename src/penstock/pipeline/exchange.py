"""One exchange: from an admitted request through its attempts to the settled answer.

The driver of a policy's steps. Everything here is plain calls: an exchange lives from callback to callback of
its client, its upstream and the journal, and ends in `_settle`, once, on every path.
"""

from __future__ import annotations

from penstock.admission.accounts import Allowance
from penstock.admission.counters import Counter
from penstock.core.exchange import (
    AttemptFacts,
    AttemptSettled,
    RequestFacts,
    Subject,
)
from penstock.core.itinerary import OK, AttemptOutcome, GiveUp, Start, Static, Wait
from penstock.core.plan import Route, Target, VirtualKey
from penstock.ledger.journal.settings import JournalFull
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.counting import counts
from penstock.pipeline.media import sealer
from penstock.pipeline.opening import opened_event, opening_for
from penstock.pipeline.parked import Parked
from penstock.pipeline.sending import encode, send
from penstock.pipeline.settlement import total_cost
from penstock.pipeline.settling import Settling
from penstock.pipeline.translation import broken_event, passes
from penstock.ports.clock import Timer
from penstock.ports.http_server import HttpRequest, Reply
from penstock.providers.openai.errors import Failure, failure_of_cause
from penstock.routing.policies import cursor_for
from penstock.shapes.openai_request import OpenAIRequest
from penstock.upstream.attempt import Attempt


class Exchange(Settling):
    """Implements ReplyListener towards the client and AttemptListener towards the upstream."""

    __slots__ = ("_cursor", "_deadline", "_parked", "_skipped", "_timer")

    def __init__(
        self,
        ctx: GatewayContext,
        http: HttpRequest,
        reply: Reply,
        request: OpenAIRequest,
        route: Route,
        key: VirtualKey,
        subject: Subject,
        allowance: Allowance,
        facts: RequestFacts,
    ) -> None:
        super().__init__(ctx, http, reply, request, route, key, subject, allowance, facts)
        self._cursor = cursor_for(route.policy, route.retry, ctx.share_of(route.name))
        self._deadline = http.received_at + route.timeouts.total_s
        self._parked: Parked | None = None
        self._skipped: Failure | None = None
        self._timer: Timer | None = None

    def start(self) -> None:
        """Begin with the first attempt."""
        self._begin()
        self.reply.listener = self
        self._advance(None)

    # --- the policy -------------------------------------------------------------------------------------

    def _advance(self, outcome: AttemptOutcome | None) -> None:
        ctx = self._ctx
        while not self._ended:
            now = ctx.clock.monotonic()
            step = self._cursor.step(outcome, now, ctx.draw())
            if isinstance(step, Start):
                outcome = self._open(step.target, step.retry_of)
                if outcome is None:
                    return
            elif isinstance(step, Wait):
                if now + step.delay_s >= self._deadline:
                    self._fail(self._failure)
                else:
                    self._timer = ctx.clock.call_later(step.delay_s, self._wake)
                return
            elif isinstance(step, Static):
                self._answer_static(step.text)
                return
            elif isinstance(step, GiveUp):
                self._fail(self._failure or self._skipped)
                return
            else:
                return

    def _wake(self) -> None:
        self._timer = None
        self._advance(None)

    def _open(self, target: Target, retry_of: str, *, last: bool = False) -> AttemptOutcome | None:
        """Reserve, write `attempt.opened`, send. An outcome instead where the attempt cannot be made.

        `last`: it has waited long enough for room.
        """
        ctx = self._ctx
        if self._request.endpoint.task == "count" and not counts(target, self._request):
            self._answer_count(target)
            return None
        opening = opening_for(ctx, self._request, target, self._allowance, last=last)
        if isinstance(opening, Counter):
            self._park(opening, target, retry_of)
            return None
        if isinstance(opening, Failure):
            return self._skip(opening)
        self._unpark()
        attempt = Attempt(
            self, self._request, target, self._opened + 1, self._route.timeouts, self._deadline, ctx.clock
        )
        attempt.retry_of = retry_of
        opening.note(attempt)
        cap = opening.cap
        if not passes(self._request, target):
            seal = sealer(ctx.box, self.subject, target, self._facts)
            refused = encode(attempt, cap, self._facts, self.http.query, ctx.plan.on_unsupported, seal)
            if refused is not None:
                opening.drop(ctx)
                return self._skip(refused)
        self._attempt, self._holding = attempt, opening.holding
        ctx.attempts.add(attempt)
        try:
            ctx.journal.append(
                opened_event(attempt, self._facts, self.subject),
                lambda: self._send(attempt, cap),
                lambda error: self._not_opened(attempt, error),
            )
        except JournalFull as error:
            self._attempt = self._holding = None
            ctx.attempts.discard(attempt)
            opening.drop(ctx)
            self._failure = failure_of_cause("journal_full", str(error))
            return self._failure.outcome()
        self._opened += 1
        return None

    def _skip(self, failure: Failure) -> AttemptOutcome:
        """The attempt is not made."""
        self._unpark()
        self._skipped = failure
        return failure.outcome()

    # --- waiting for room ---------------------------------------------------------------------------------

    def _park(self, counter: Counter, target: Target, retry_of: str) -> None:
        parked = self._parked
        if parked is None:
            clock = self._ctx.clock
            patience_s = min(counter.patience_s, max(0.0, self._deadline - clock.monotonic()))
            parked = self._parked = Parked(clock, patience_s, target, retry_of, self._retry)
            parked.stand(self._ctx.plan, self._route, self._key, self.subject)
        counter.waitlist.add(parked)

    def _retry(self, *, last: bool) -> None:
        """There may be room now."""
        parked = self._parked
        if parked is None or self._ended:
            return
        outcome = self._open(parked.target, parked.retry_of, last=last)
        if outcome is not None:
            self._advance(outcome)

    def _unpark(self) -> None:
        parked, self._parked = self._parked, None
        if parked is not None:
            parked.end()

    def _not_opened(self, attempt: Attempt, error: Exception) -> None:
        """The opening could not be written, so nothing may be sent: it could be lost without a trace."""
        if self._attempt is attempt:
            self.attempt_failed(attempt, failure_of_cause("journal_full", str(error)))

    def _send(self, attempt: Attempt, cap: int | None) -> None:
        if self._attempt is not attempt or self._ended:
            return  # the client hung up in the meantime
        failure = send(self._ctx, self.http, attempt, cap, self._facts.request_id)
        if failure is not None:
            self.attempt_failed(attempt, failure)

    # --- the upstream's side (AttemptListener) ------------------------------------------------------------

    def attempt_frames(self, attempt: Attempt, data: bytes) -> None:
        """Stream bytes to the client; the first ones commit the exchange to this attempt."""
        if self._ended:
            return
        if not self._answering.started:
            self._cursor.step(OK, self._ctx.clock.monotonic(), 0.0)
            self._answering.start_stream(
                attempt, self._route.name, self._ctx.clock.monotonic(), self._budget_left()
            )
        self.reply.write(data)

    def attempt_done(self, attempt: Attempt, last: bytes) -> None:
        """A whole answer: settle, and let its last piece follow the journal."""
        if self._ended:
            return
        if not self._answering.started:
            self._cursor.step(OK, self._ctx.clock.monotonic(), 0.0)
        facts = self._close(attempt, "ok", "")
        answering, budget_left = self._answering, self._budget_left()
        cost = total_cost(self._settled, facts)
        overhead_us = self._overhead_us()
        self._settle(
            "ok",
            200,
            "",
            facts,
            lambda: answering.finish(attempt, last, self._route.name, cost, overhead_us, budget_left),
            len(last),
        )

    def attempt_failed(self, attempt: Attempt, failure: Failure) -> None:
        """Try on, or pass the failure to the client; a stream that has begun can only be broken off."""
        if self._ended:
            return
        self._failure = failure
        failure.target, failure.headers = attempt.target, attempt.headers
        failure.secrets = self._ctx.credentials.secrets_of(attempt.target.signing)
        failure.foreign = attempt.codec is not None and attempt.codec.translated
        facts = self._close(attempt, "error", failure.cause)
        if self._answering.started:
            self._break(attempt, failure, facts)
            return
        outcome = failure.outcome()
        self._settled.append(facts)
        self._ctx.journal.append(AttemptSettled(self._facts, self.subject, facts))
        self._advance(outcome)

    def attempt_released(self, attempt: Attempt) -> None:
        """Its deadline need not be watched any more."""
        self._ctx.attempts.discard(attempt)

    def _break(self, attempt: Attempt, failure: Failure, facts: AttemptFacts) -> None:
        """The stream ends with an error event in its own shape, or is cut where it has none."""
        code = failure.code or "upstream_error"
        message = self._answering.explain(failure, attempt.target)
        event = broken_event(self._request, self.http.query, code, message, self._facts)
        if attempt.mode == "binary" or not event:
            self._settle("error", 200, code, facts, self.reply.abort)
            return
        self._settle("error", 200, code, facts, lambda: self.reply.end(event))

    # --- the client's side (ReplyListener) ----------------------------------------------------------------

    def client_gone(self) -> None:
        """Stop the spend upstream at once; what was generated is charged."""
        if self._ended:
            return
        facts = self._stop("client_closed")
        self._settle("cancelled", 499, "client_closed", facts, None)

    def kill(self) -> bool:
        """Stop it for somebody who may; the client is told. False where it had ended already."""
        if self._ended:
            return False
        failure = failure_of_cause("killed", "an administrator of this gateway stopped the request")
        attempt = self._attempt
        facts = self._stop("killed")
        if attempt is not None and facts is not None and self._answering.started:
            self._break(attempt, failure, facts)
        else:
            if facts is not None:
                self._settled.append(facts)
            self._fail(failure)
        return True

    def _stop(self, cause: str) -> AttemptFacts | None:
        """Wait for nothing any more, and let the upstream go; the facts of the attempt under way."""
        if self._timer is not None:
            self._timer.cancel()
        self._unpark()
        attempt = self._attempt
        if attempt is None:
            return None
        attempt.cancel()
        return self._close(attempt, "cancelled", cause)

    def client_slow(self) -> None:
        """Hold the upstream back."""
        if self._attempt is not None:
            self._attempt.pause()

    def client_ready(self) -> None:
        """Let it go on."""
        if self._attempt is not None:
            self._attempt.resume()
