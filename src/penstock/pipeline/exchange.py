"""One exchange: from an admitted request through its attempts to the settled answer.

It listens to its client and to its upstreams, and ends in `_settle`, once, on every path.
"""

from __future__ import annotations

from typing import Final

from penstock.core.errors import CODES
from penstock.core.events import Broke
from penstock.core.exchange import FALLBACK_FROM, STAGE, AttemptFacts
from penstock.core.itinerary import AttemptOutcome, WholeAnswer
from penstock.core.pins import UNPINNED
from penstock.pipeline.guarding import Guarding
from penstock.pipeline.preparing import Stage
from penstock.pipeline.reporting import NOT_NEEDED
from penstock.pipeline.settlement import total_cost
from penstock.pipeline.stages import stages_of
from penstock.pipeline.translation import broken_event
from penstock.providers.openai.errors import Failure, failure_of_cause
from penstock.routing.trees import targets_of
from penstock.upstream.attempt import Attempt
from penstock.upstream.told import model_answered
from penstock.upstream.translated_codec import TranslatingReader

# What is not asked for twice because it takes long: pictures, sound and films do.
_QUICK: Final = frozenset({"chat", "embed", "rerank", "other"})
# Of an answer that is held back.
MAX_KEPT_BYTES: Final = 32 * 1024 * 1024


class Exchange(Guarding):
    """Implements ReplyListener towards the client and AttemptListener towards the upstreams."""

    __slots__ = ()

    def start(self) -> None:
        """Begin with what stands before the first attempt."""
        self._begin()
        self.reply.listener = self
        self._prepare()

    def _stages(self) -> list[Stage]:
        """See Preparing."""
        return stages_of(self._ctx, self._route)

    # --- the upstream's side (AttemptListener) ------------------------------------------------------------

    def attempt_frames(self, attempt: Attempt, data: bytes) -> None:
        """Stream bytes to the client; the first ones may commit the exchange to this attempt."""
        if self._ended:
            return
        if self._answering.started:
            self._pass_on(attempt, data)
            return
        first = not attempt.kept
        if first and self._unpinned(attempt):
            return
        attempt.kept.append(data)
        if attempt.entire:
            attempt.kept_bytes += len(data)
            if attempt.kept_bytes > MAX_KEPT_BYTES:
                attempt.cancel()
                too_large = f"an answer that is held back may have {MAX_KEPT_BYTES} bytes"
                self.attempt_failed(attempt, failure_of_cause("garbage", too_large))
        elif first:
            self._progressed(attempt)
            self._advance(AttemptOutcome("ok", "", None, attempt.number))

    def _progressed(self, attempt: Attempt) -> None:
        standing = self._ctx.standings.of(attempt.target.id)
        standing.progressed(self._ctx.clock.monotonic(), attempt.began_at)

    def attempt_done(self, attempt: Attempt, last: bytes) -> None:
        """A whole answer: settle, and let its last piece follow the journal."""
        if self._ended:
            return
        if self._answering.started:
            self._end_guarded(attempt, last, None)
            return
        if not attempt.kept and self._unpinned(attempt):
            return
        attempt.last = last
        if attempt.entire:
            answer = self._whole(attempt, last)
            self._advance(AttemptOutcome("ok", "", None, attempt.number, answer))
        elif not attempt.kept:
            self._advance(AttemptOutcome("ok", "", None, attempt.number))

    def _unpinned(self, attempt: Attempt) -> bool:
        """Note an answer of another model than its target is held to; whether another target is to answer."""
        pin = attempt.target.pin
        if pin is not None and attempt.index not in self._running:
            return True  # it was left at its first content, and the rest of it has come meanwhile
        answered = model_answered(attempt) if pin is not None else ""
        if pin is None or not pin.broken(answered):
            return False
        self._walk.note(UNPINNED, f"{attempt.target.id}: {answered[:128]}")
        if pin.falls_over:
            attempt.cancel()
            told = f"{answered!r} answered, and {attempt.target.id} is pinned to {pin.model!r}"
            self.attempt_failed(attempt, failure_of_cause("unpinned", told))
        return pin.falls_over

    def _whole(self, attempt: Attempt, last: bytes) -> WholeAnswer:
        facts = self._shelve(attempt)
        sent_at = attempt.sent_at
        return WholeAnswer(
            b"".join([*attempt.kept, last]),
            attempt.reader is not None,
            facts.usage,
            facts.cost_nanousd,
            max(0.0, attempt.first_at - sent_at),
            max(0.0, attempt.ended_at - sent_at),
        )

    def _begin_stream(self, attempt: Attempt, data: bytes) -> None:
        self._answering.start_stream(
            attempt, self._route.name, self._ctx.clock.monotonic(), self._budget_left(), self._opened
        )
        self._write(data)

    def _complete(self, attempt: Attempt, last: bytes, facts: AttemptFacts | None) -> None:
        if facts is None:
            facts = self._close(attempt, "ok", "")
        if self._first and self._first != attempt.target.id and not self._outrun():
            self._walk.note(FALLBACK_FROM, self._first)
        if attempt.stage:
            self._walk.note(STAGE, attempt.stage)
        if self.watcher is not None:
            self.watcher.complete(attempt, last, facts)
        answering, budget_left = self._answering, self._budget_left()
        cost = total_cost(self._settled, facts)
        overhead_us, opened = self._overhead_us(), self._opened
        self._settle(
            "ok",
            200,
            "",
            facts,
            lambda: answering.finish(attempt, last, self._route.name, cost, overhead_us, budget_left, opened),
            len(last),
        )

    def _outrun(self) -> bool:
        """Whether the target that was wanted first answered as well: too late in a race, or not well enough."""
        first = [each for each in self._settled if each.target == self._first]
        return any(each.cause == NOT_NEEDED or each.outcome == "ok" for each in first)

    def attempt_failed(self, attempt: Attempt, failure: Failure) -> None:
        """Try on, or pass the failure to the client; a stream that has begun can only be broken off."""
        if self._ended:
            return
        self._failure = failure
        failure.target, failure.headers = attempt.target, attempt.headers
        failure.secrets = self._ctx.credentials.secrets_of(attempt.target.signing)
        failure.foreign = attempt.codec is not None and attempt.codec.translated
        facts = self._close(attempt, "error", failure.cause, failure)
        if self._answering.started and (attempt.accepted or not self._resumed):
            if not self._goes_on(attempt, failure, facts):
                self._break(attempt, failure, facts)
            return
        self._write_down(facts)
        self._advance(failure.outcome(attempt.number))

    def attempt_hangs(self, attempt: Attempt) -> None:
        """Give up on it, if there is another target that is open."""
        standings, now = self._ctx.standings, self._ctx.clock.monotonic()
        if self._ended or self._request.endpoint.task not in _QUICK:
            return
        for target in targets_of(self._route.policy):
            if target.id != attempt.target.id and not standings.of(target.id).closed_to(now):
                attempt.cancel()
                told = "it takes requests and answers none"
                self.attempt_failed(attempt, failure_of_cause("stalled", told))
                return

    def attempt_released(self, attempt: Attempt) -> None:
        """Its deadline need not be watched any more."""
        self._ctx.attempts.discard(attempt)

    def _fail(self, failure: Failure | None) -> None:
        """See Settling; a stream that has begun cannot be answered with an error any more."""
        last = self._broken
        if self._answering.started and last is not None:
            self._break(last, failure or failure_of_cause("internal", "no target was tried"), None)
        else:
            super()._fail(failure)

    def _break(self, attempt: Attempt, failure: Failure, facts: AttemptFacts | None) -> None:
        """The stream ends with an error event in its own shape, or is cut where it has none."""
        code = failure.code or "upstream_error"
        message = self._answering.explain(failure, attempt.target)
        reader = attempt.reader
        if isinstance(reader, TranslatingReader) and self._request.endpoint.stream_shape != "chunks":
            kind, status = CODES[code][1], CODES[code][0]
            event = reader.broken(Broke(message, kind, code, status))
        else:
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
        """Wait for nothing any more, and let the upstreams go; the facts of the last attempt under way."""
        attempts = [attempt for attempt, _ in self._running.values()]
        last = attempts[-1] if attempts else None
        self._let_all_go(last)
        if last is None:
            return None
        last.cancel()
        return self._close(last, "cancelled", cause)

    def client_slow(self) -> None:
        """Hold the upstream back."""
        if self._attempt is not None and self._answering.started:
            self._attempt.pause()

    def client_ready(self) -> None:
        """Let it go on."""
        if self._attempt is not None and self._answering.started:
            self._attempt.resume()
