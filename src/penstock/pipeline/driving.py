"""Driving a policy's steps: attempts are opened, waited for, let go, and one is accepted.

Everything here is plain calls: an exchange lives from callback to callback of its client, its upstreams and the
journal. Usually one attempt is under way; a policy may have several, of which the client sees one.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Final

from penstock.admission.accounts import Allowance
from penstock.admission.counters import Counter
from penstock.core.exchange import COHORT, AttemptFacts, AttemptSettled, Outcome, RequestFacts, Subject
from penstock.core.hook import Hook
from penstock.core.itinerary import Accept, Ask, AttemptOutcome, Cancel, GiveUp, Repeat, Start, Static, Wait
from penstock.core.plan import Route, VirtualKey
from penstock.core.structured import Rewritten
from penstock.ledger.journal.settings import JournalFull
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.counting import counts
from penstock.pipeline.hooking import FAILED, HookCall, question
from penstock.pipeline.judging import Judging
from penstock.pipeline.media import sealer
from penstock.pipeline.opening import opened_event, opening_for
from penstock.pipeline.parked import Parked
from penstock.pipeline.prompt_caching import told_what_to_cache
from penstock.pipeline.reporting import NOT_NEEDED, left_out
from penstock.pipeline.rewriting import looking_at_structure, reworded, rewrite
from penstock.pipeline.sending import encode, patience_s, send
from penstock.pipeline.translation import may_resume, passes
from penstock.pipeline.walking import view_of, walk_of
from penstock.ports.clock import Timer
from penstock.ports.http_server import HttpRequest, Reply
from penstock.providers.openai.errors import Failure, failure_of_cause
from penstock.routing.policies import cursor_for
from penstock.routing.policies.denied import DENIED
from penstock.routing.policies.structured import MISMATCH
from penstock.routing.policies.target import TOO_LATE
from penstock.routing.walk import nobody
from penstock.shapes.openai_request import OpenAIRequest
from penstock.upstream.attempt import Attempt

NOT_KEPT: Final = "not_kept"
_WHY: Final = {
    DENIED: "the policy leads this request to targets that it may not use; ask for another model, or let the "
    "administrator look at penstock check --explain",
    MISMATCH: "no answer has the form that the request asks for (its schema, or that of its tools)",
    NOT_KEPT: "no answer to this request is kept, and nothing comes after `cached` in the policy",
    TOO_LATE: "no target usually answers before this client's time is over; let it wait longer, or try again",
}


class Driving(Judging):
    """An exchange as its policy's driver. Attempts are told apart by the policy's numbers."""

    __slots__ = (
        "_broken", "_cursor", "_deadline", "_first", "_hooking", "_parked", "_resumed", "_shelved", "_skipped",
        "_timer", "_walk", "holds", "patient",
    )  # fmt: skip

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
        self._deadline = http.received_at + route.timeouts.total_s
        self.patient = True  # waits for room where there is none
        self.holds = False  # whether every answer is kept until it is complete
        self._parked: Parked | None = None
        self._hooking: HookCall | None = None
        self._skipped: Failure | None = None
        self._timer: Timer | None = None
        self._first = ""  # the target that the policy wanted before all others
        # How often the stream went on elsewhere, and the attempt after which it did last.
        self._resumed: int = 0
        self._broken: Attempt | None = None
        request.resumable = route.resumes and may_resume(request)
        # Answers that are held back and complete, until one is accepted; with their facts, in order.
        self._shelved: list[tuple[Attempt, AttemptFacts]] = []
        self._follow(route)

    def _follow(self, route: Route) -> None:
        """Walk through this route's policy."""
        ctx = self._ctx
        self._route = route
        patience = patience_s(self.http.headers)
        deadline = min(self._deadline, self.http.received_at + patience)
        view = view_of(ctx, route, self._request, self._facts, self.subject, self._key)
        self._walk = walk_of(ctx, route, view, deadline)
        self._walk.woken = self._told_outside
        self._walk.judges = self
        policy = ctx.drills.policy_of(route, view, self._walk.notes) if ctx.drills.running else route.policy
        cursor = cursor_for(policy, self._walk)
        self._cursor = looking_at_structure(cursor, self._walk, route.structured, self._request)
        self._walk.notes.update(self._notes)  # of another route, before
        self._notes = self._walk.notes
        if route.cohort and (cohort := self._facts.tags.get(route.cohort)):
            self._notes[COHORT] = cohort

    # --- the policy -------------------------------------------------------------------------------------

    def _advance(self, outcome: AttemptOutcome | None) -> None:
        ctx = self._ctx
        self._still()
        while not self._ended:
            now = ctx.clock.monotonic()
            step = self._cursor.step(outcome, now, ctx.draw())
            if isinstance(step, Start):
                self._walk.started += 1
                if not self._first:
                    skipped = self._walk.skipped
                    self._first = skipped[0][0] if skipped else step.target.id
                outcome = self._open(step, self._walk.started)
                if outcome is None:
                    if step.wake_s is not None and not self._ended:
                        self._wake_at(now, step.wake_s)
                    return
            elif isinstance(step, Wait):
                self._wake_at(now, step.delay_s)
                return
            elif isinstance(step, Cancel):
                self._cancel(step.attempt)
                outcome = None
            elif isinstance(step, Ask | Repeat):
                outcome = self._elsewhere(step)
                if outcome is None:
                    return
            else:
                self._conclude(step, outcome)
                return

    def _still(self) -> None:
        """Do not wake up any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _elsewhere(self, step: Ask | Repeat) -> AttemptOutcome | None:
        """An answer that no target gives; an outcome where there is none, and the policy goes on at once."""
        if isinstance(step, Ask):
            self._ask_hook(step.hook)
            return None
        self._let_all_go(None)
        return None if self._answer_again(step.max_age_s) else AttemptOutcome("fallback", NOT_KEPT)

    @abstractmethod
    def _answer_again(self, max_age_s: float) -> bool:
        """Answer as the same request was answered before; False where no such answer is kept."""

    def _ask_hook(self, hook: Hook) -> None:
        """Ask a service for the answer, where there is still time and nothing has been answered."""
        left_s = self._deadline - self._ctx.clock.monotonic()
        if self._answering.started or left_s <= 0:
            self._fail(self._failure)
            return
        self._let_all_go(None)
        self._hooking = HookCall(self._ctx, self._hook_answered)
        body = question(hook, self._walk.request, self._opened)
        self._hooking.ask(hook, body, self._facts.request_id, min(hook.timeout_s, left_s))

    def _hook_answered(self, text: str | None, why: str) -> None:
        self._hooking = None
        if self._ended:
            return
        if text is not None:
            self._answer_static(text)
            return
        self._skipped = self._skipped or failure_of_cause(FAILED, why)
        self._advance(AttemptOutcome("fallback", FAILED))

    def _conclude(self, step: Accept | Static | GiveUp, outcome: AttemptOutcome | None) -> None:
        if isinstance(step, Accept):
            number = step.attempt or (outcome.attempt if outcome is not None else 0)
            self._accept(number, step.rewritten)
            return
        self._let_all_go(None)
        if isinstance(step, GiveUp):
            failure = self._failure or self._skipped or failure_of_cause(step.cause, _WHY.get(step.cause, ""))
            failure.message += left_out(self._settled, self._walk.skipped)
            self._fail(failure)
        elif self._answering.started:
            self._fail(self._failure)  # half an answer is not gone on with by a fixed text
        else:
            self._answer_static(step.text)

    def _wake_at(self, now: float, delay_s: float) -> None:
        """Step again after so long. Where only waiting is left and time will be over, it is over now."""
        if now + delay_s < self._deadline:
            self._still()
            self._timer = self._ctx.clock.call_later(delay_s, self._wake)
        elif not self._running and self._parked is None:
            self._fail(self._failure)

    def _told_outside(self) -> None:
        """A question of the policy is answered before the time that it gave itself."""
        if self._timer is not None and not self._ended:
            self._advance(None)

    def _wake(self) -> None:
        self._timer = None
        self._advance(None)

    # --- opening ------------------------------------------------------------------------------------------

    def _open(self, step: Start, number: int, *, last: bool = False) -> AttemptOutcome | None:
        """Reserve, write `attempt.opened`, send; an outcome where it cannot be made. `last`: waited enough."""
        ctx, target = self._ctx, step.target
        if self._request.endpoint.task == "count" and not counts(target, self._request):
            self._answer_count(target)
            return None
        parked = self._parked
        # One attempt at a time waits for room, and only where nothing else is under way.
        last = (
            last or not self.patient or bool(self._running) or (parked is not None and parked.number != number)
        )
        request = reworded(self._request, step.again, self._route.compress, self._notes)
        opening = opening_for(ctx, request, target, self._allowance, last=last)
        if isinstance(opening, Counter):
            if opening.queues and target.overflows and not step.patient and parked is None:
                return AttemptOutcome("full", "deployment_busy", None, number)
            self._park(opening, step, number)
            return None
        if parked is not None and parked.number == number:
            self._unpark()
        if isinstance(opening, Failure):
            return self._skip(opening, number)
        request = told_what_to_cache(ctx, request, target, self._facts, self.subject, self._notes)
        attempt = Attempt(
            self, request, target, self._opened + 1, self._route.timeouts, self._deadline, ctx.clock
        )
        attempt.retry_of, attempt.stage = step.retry_of, step.stage
        attempt.number, attempt.entire = number, step.whole or self.holds
        opening.note(attempt)
        cap = opening.cap
        if not passes(request, target):
            seal = sealer(ctx.box, self.subject, target, self._facts)
            refused = encode(attempt, cap, self._facts, self.http, ctx.plan.on_unsupported, seal)
            if refused is not None:
                opening.drop(ctx)
                return self._skip(refused, number)
        attempt.began_at = ctx.clock.monotonic()
        ctx.standings.of(target.id).began(attempt.began_at)
        self._attempt = attempt
        self._running[attempt.index] = (attempt, opening.holding)
        ctx.attempts.add(attempt)
        try:
            ctx.journal.append(
                opened_event(attempt, self._facts, self.subject),
                lambda: self._send(attempt, cap),
                lambda error: self._not_opened(attempt, error),
            )
        except JournalFull as error:
            self._running.pop(attempt.index)
            self._attempt = None
            ctx.attempts.discard(attempt)
            opening.drop(ctx)
            ctx.standings.of(target.id).ended(attempt.began_at, "neutral")
            self._failure = failure_of_cause("journal_full", str(error))
            return self._failure.outcome(number)
        self._opened += 1
        return None

    def _skip(self, failure: Failure, number: int) -> AttemptOutcome:
        """The attempt is not made."""
        self._skipped = failure
        return failure.outcome(number)

    def _not_opened(self, attempt: Attempt, error: Exception) -> None:
        """The opening could not be written, so nothing may be sent: it could be lost without a trace."""
        if attempt.index in self._running:
            self.attempt_failed(attempt, failure_of_cause("journal_full", str(error)))

    def _send(self, attempt: Attempt, cap: int | None) -> None:
        if self._ended or attempt.index not in self._running:
            return  # it was let go in the meantime
        failure = send(self._ctx, self.http, attempt, cap, self._facts.request_id)
        if failure is not None:
            self.attempt_failed(attempt, failure)

    # --- waiting for room ---------------------------------------------------------------------------------

    def _park(self, counter: Counter, step: Start, number: int) -> None:
        parked = self._parked
        if parked is None:
            clock = self._ctx.clock
            patience_s = min(counter.patience_s, max(0.0, self._deadline - clock.monotonic()))
            parked = self._parked = Parked(clock, patience_s, step, number, self._retry)
            parked.stand(self._ctx.plan, self._route, self._key, self.subject)
        counter.waitlist.add(parked)

    def _retry(self, *, last: bool) -> None:
        """There may be room now."""
        parked = self._parked
        if parked is None or self._ended:
            return
        outcome = self._open(parked.step, parked.number, last=last)
        if outcome is not None:
            self._advance(outcome)

    def _unpark(self) -> None:
        parked, self._parked = self._parked, None
        if parked is not None:
            parked.end()

    # --- accepting one, letting others go -----------------------------------------------------------------

    def _accept(self, number: int, rewritten: Rewritten | None) -> None:
        """The client gets this attempt's answer: what there is of it, and what is still to come."""
        shelved = [each for each in self._shelved if each[0].number == number]
        found = [attempt for attempt, _ in self._running.values() if attempt.number == number]
        attempt = shelved[0][0] if shelved else found[0]
        self._let_all_go(attempt)
        self._attempt = attempt
        if rewritten is not None:
            rewrite(attempt, rewritten.reply, self._facts, self.http.query)
        kept, attempt.kept = attempt.kept, []
        last, attempt.last = attempt.last, None
        facts = shelved[0][1] if shelved else None
        if facts is not None:
            self._settled.remove(facts)
        self._answered(attempt, kept[0] if len(kept) == 1 else b"".join(kept), last, facts)

    @abstractmethod
    def _answered(self, attempt: Attempt, kept: bytes, last: bytes | None, facts: AttemptFacts | None) -> None:
        """The accepted attempt's answer: a stream's beginning, its end or a whole body, or both."""

    @abstractmethod
    def _begin_stream(self, attempt: Attempt, data: bytes) -> None:
        """The first bytes of a stream for the client."""

    @abstractmethod
    def _complete(self, attempt: Attempt, last: bytes, facts: AttemptFacts | None) -> None:
        """The accepted answer is whole. `facts`: the attempt's, where it was closed before."""

    def _shelve(self, attempt: Attempt) -> AttemptFacts:
        """An answer that is held back is complete: it is paid for, whether anybody will see it or not."""
        facts = self._close(attempt, "ok", "")
        self._shelved.append((attempt, facts))
        self._write_down(facts)
        return facts

    def _write_down(self, facts: AttemptFacts) -> None:
        """An attempt has ended that may not be the exchange's last."""
        self._settled.append(facts)
        self._ctx.journal.append(AttemptSettled(self._facts, self.subject, facts))

    def _settle(
        self,
        outcome: Outcome,
        status: int,
        code: str,
        last: AttemptFacts | None,
        then: Callable[[], None] | None,
        size: int = 0,
    ) -> None:
        """See Settling; nothing that this exchange holds keeps it, so that its memory is free at once."""
        self._walk.woken, self._walk.judges = nobody, None
        self._shelved.clear()
        self._broken = None
        super()._settle(outcome, status, code, last, then, size)

    def _let_all_go(self, kept: Attempt | None) -> None:
        """Every attempt but this one; nothing is waited for any more."""
        self._still()
        self._unpark()
        if self._hooking is not None:
            self._hooking.cancel()
            self._hooking = None
        self._leave_judge()
        if len(self._running) > (kept is not None):
            for attempt in [each for each, _ in self._running.values() if each is not kept]:
                attempt.cancel()
                self._write_down(self._close(attempt, "cancelled", NOT_NEEDED))

    def _cancel(self, number: int) -> None:
        """The policy has no more use for an attempt."""
        if self._parked is not None and self._parked.number == number:
            self._unpark()
        for attempt in [each for each, _ in self._running.values() if each.number == number]:
            attempt.cancel()
            self._write_down(self._close(attempt, "cancelled", NOT_NEEDED))
