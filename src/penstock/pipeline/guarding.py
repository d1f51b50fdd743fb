"""The output guards of a route: an answer is looked at on its way, whichever attempt it comes from.

Answers come here in the client's own dialect, after retries, fallbacks and translation, so that none gets
around the guards. A stream is held back only as far as its guards need to see (guardrails/window.py); where a
guard must see the whole answer, is asked, or may lead to another route, the answer is kept until it is
complete.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from penstock.admission.accounts import Allowance
from penstock.core.detector import WHOLE
from penstock.core.errors import Refusal
from penstock.core.exchange import AttemptFacts, Outcome, RequestFacts, Subject
from penstock.core.plan import Route, VirtualKey
from penstock.core.screen_plan import Guard, ScreenPlan
from penstock.guardrails.answers import AnswerText, screened_body, screened_stream, stream_texts
from penstock.guardrails.bodies import Text, said
from penstock.guardrails.cutting import cutter_of
from penstock.guardrails.docket import Docket
from penstock.guardrails.looking import screened_text
from penstock.guardrails.stream import GuardedStream
from penstock.guardrails.texts.events import reader_of
from penstock.guardrails.texts.slots import request_slots
from penstock.pipeline.consulting import Consultation
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.preparing import Preparing
from penstock.pipeline.screening import BLOCKED, lead_to, why
from penstock.pipeline.settlement import total_cost
from penstock.pipeline.translation import body_of, broken_event
from penstock.pipeline.withholding import withheld_body, withheld_stream
from penstock.ports.http_server import HttpRequest, Reply
from penstock.ports.inner_call import InnerCalls
from penstock.providers.openai.errors import Failure
from penstock.shapes.openai_request import OpenAIRequest
from penstock.upstream.attempt import Attempt

WITHHELD = "withheld"


class Guarding(Preparing):
    """An exchange whose answer may have guards. Without any, nothing here costs more than a test."""

    __slots__ = ("_consultation", "_led", "_outputs", "_pending", "_restores", "_stream")

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
        self._outputs: tuple[Guard, ...] = ()
        self._restores = False
        self._stream: GuardedStream | None = None
        self._consultation: Consultation | None = None
        # An answer that is being looked at: it is complete and paid for, whatever becomes of it.
        self._pending: AttemptFacts | None = None
        self._led = False  # to another route, by an answer

    def guarded(self, plan: ScreenPlan) -> None:
        """See Preparing."""
        docket = self.docket
        if docket is None:
            return
        self._restores = bool(docket.vault)
        self._answering.extra = docket.header()
        self._request.withheld = docket.vault.digest()
        self._more_outputs(plan.output)

    def _more_outputs(self, guards: Sequence[Guard]) -> None:
        known = {guard.name for guard in self._outputs}
        guards = [guard for guard in guards if guard.name not in known]
        if any(guard.leakable is not None for guard in guards):
            texts = tuple(self._asked_texts())
            guards = [guard.knowing(texts) for guard in guards]
        self._outputs = (*self._outputs, *guards)
        self.holds = any(
            guard.remote is not None
            or guard.action == "route"
            or (guard.look_behind >= WHOLE and guard.action in ("block", "redact"))
            for guard in self._outputs
        )

    def _asked_texts(self) -> list[Text]:
        """What the request says, as it was sent."""
        return said(request_slots(body_of(self._request))) if self._request.fields is not None else []

    def lead(self, route: Route) -> None:
        """See Preparing; the other route's output guards hold besides those of the first."""
        super().lead(route)
        if route.screen is not None:
            self._more_outputs(route.screen.output)

    def inner_calls(self) -> InnerCalls | None:
        """See Preparing."""
        make = self._ctx.asker
        if make is None:
            return None
        accounts = self._allowance.accounts
        return make(self._ctx, self._key, self.subject, self._facts, accounts, self.depth)

    def _write(self, data: bytes) -> None:
        """A piece of the stream, as the client gets it."""
        if self.watcher is not None:
            self.watcher.piece(data)
        self.reply.write(data)

    # --- streams ----------------------------------------------------------------------------------------

    def _answered(self, attempt: Attempt, kept: bytes, last: bytes | None, facts: AttemptFacts | None) -> None:
        """See Driving."""
        docket = self.docket
        if docket is None or not (self._outputs or self._restores) or attempt.mode == "binary":
            super()._answered(attempt, kept, last, facts)
        elif last is not None and (self.holds or attempt.reader is None):
            self._screen_whole(attempt, kept, last, facts)
        elif (stream := self._guarded_stream(docket)) is None:
            super()._answered(attempt, kept, last, facts)
        else:
            if kept:
                data = stream.feed(kept)
                self._begin_stream(attempt, data)
                if docket.blocked is not None:
                    self._stop_stream(attempt, facts)
                    return
            if last is not None:
                self._end_guarded(attempt, last, facts)

    def _guarded_stream(self, docket: Docket) -> GuardedStream | None:
        if self._stream is None:
            endpoint = self._request.endpoint
            read = reader_of(endpoint.shape)
            if read is not None:
                cutter = cutter_of(endpoint.framed(self.http.query))
                self._stream = GuardedStream(self._outputs, docket, read, cutter, restore=self._restores)
        return self._stream

    def _pass_on(self, attempt: Attempt, data: bytes) -> None:
        """More of a stream that has begun."""
        stream, docket = self._stream, self.docket
        if stream is not None and docket is not None:
            data = stream.feed(data)
            if docket.blocked is not None:
                if data:
                    self._write(data)
                self._stop_stream(attempt, None)
                return
            if not data:
                return
        self._write(data)

    def _end_guarded(self, attempt: Attempt, last: bytes, facts: AttemptFacts | None) -> None:
        """The last piece of a stream that has begun."""
        stream, docket = self._stream, self.docket
        if stream is not None and docket is not None:
            last = stream.finish(last)
            if docket.blocked is not None:
                if last:
                    self._write(last)
                self._stop_stream(attempt, facts)
                return
        self._complete(attempt, last, facts)

    def _stop_stream(self, attempt: Attempt, facts: AttemptFacts | None) -> None:
        """Nothing more of the answer goes out; what the upstream still sends is not waited for."""
        if facts is None:
            over = attempt.mode == "ended" or attempt.ended_at > 0.0
            if not over:
                attempt.cancel()
            facts = self._close(attempt, "ok" if over else "cancelled", "" if over else WITHHELD)
        released = self._stream.released if self._stream is not None else None
        self._withhold(attempt, facts, released)

    def _withhold(self, attempt: Attempt, facts: AttemptFacts, released: list[bytes] | None) -> None:
        """End with what says that it is withheld. `released`: of a stream; None where that is unknown."""
        docket, request = self.docket, self._request
        if docket is None:
            return
        told, answering, reply = why(docket), self._answering, self.reply
        answering.extra = docket.header()
        if reader_of(request.endpoint.shape) is None:
            self._put_down(facts)
            self._fail(Failure("stage", BLOCKED, 0, told))
            return
        if attempt.reader is None:
            body = withheld_body(request, self._facts, told, facts.usage)
            cost, left = total_cost(self._settled, facts), self._budget_left()
            name, overhead_us, opened = self._route.name, self._overhead_us(), self._opened
            self._settle(
                "error",
                200,
                BLOCKED,
                facts,
                lambda: answering.finish(attempt, body, name, cost, overhead_us, left, opened),
                len(body),
            )
            return
        if not answering.started:
            self._begin_stream(attempt, b"")
        try:
            if released is None:
                raise ValueError("the stream is too long to be read again")  # noqa: TRY301 - told like the rest
            tail = withheld_stream(request, self.http.query, self._facts, released, told, facts.usage)
        except Exception:  # noqa: BLE001 - a stream that cannot be ended in its own way ends with an error
            tail = broken_event(request, self.http.query, BLOCKED, told, self._facts)
        self._settle("error", 200, BLOCKED, facts, lambda: reply.end(tail), len(tail))

    # --- whole answers ------------------------------------------------------------------------------------

    def _screen_whole(self, attempt: Attempt, kept: bytes, last: bytes, facts: AttemptFacts | None) -> None:
        docket = self.docket
        if docket is None:
            return
        if facts is None:
            facts = self._close(attempt, "ok", "")
        self._pending = facts
        remote = [guard for guard in self._outputs if guard.remote is not None]
        local = [guard for guard in self._outputs if guard.remote is None]
        answer = self._seen(AnswerText(kept, last), attempt, local, restore=not remote and self._restores)
        if not remote or docket.blocked is not None or docket.rerouted is not None:
            self._decided(attempt, answer, facts)
            return
        texts = self._texts(answer, attempt)
        grounded = any(guard.remote is not None and guard.remote.grounded for guard in remote)
        context = self._asked_texts() if grounded else []
        consultation = self._consultation = Consultation(self, "output", texts, docket, context)
        closed = facts

        def told(guards: list[Guard]) -> None:
            self._consultation = None
            if not self._ended:
                self._decided(attempt, self._seen(answer, attempt, guards, restore=self._restores), closed)

        consultation.ask(remote, told)

    def _seen(
        self, answer: AnswerText, attempt: Attempt, guards: Sequence[Guard], *, restore: bool
    ) -> AnswerText:
        """What these guards leave of an answer."""
        docket, endpoint = self.docket, self._request.endpoint
        read = reader_of(endpoint.shape)
        if docket is None:
            return answer
        if attempt.reader is None:
            return screened_body(guards, answer, docket, restore=restore)
        if read is None:
            return answer
        cutter = cutter_of(endpoint.framed(self.http.query))
        return screened_stream(GuardedStream(guards, docket, read, cutter, restore=restore), answer)

    def _texts(self, answer: AnswerText, attempt: Attempt) -> list[Text]:
        endpoint = self._request.endpoint
        read = reader_of(endpoint.shape)
        if attempt.reader is None or read is None:
            return said(answer.slots())
        return stream_texts(answer, read, cutter_of(endpoint.framed(self.http.query)))

    def _decided(self, attempt: Attempt, answer: AnswerText, facts: AttemptFacts) -> None:
        """All guards have looked at the whole answer."""
        docket = self.docket
        if docket is None:
            return
        self._pending = None
        if docket.blocked is not None:
            self._withhold(attempt, facts, [])
            return
        guard, docket.rerouted = docket.rerouted, None
        if guard is not None and not self._led:
            self._led = True
            self._put_down(facts)
            self._shelved.clear()  # the other route counts its attempts anew
            try:
                lead_to(self, guard)
            except Refusal as refusal:
                self.refuse(refusal)
            else:
                self._advance(None)
            return
        self._answering.extra = docket.header()
        super()._answered(attempt, answer.kept, answer.last, facts)

    def _put_down(self, facts: AttemptFacts) -> None:
        """An attempt has ended whose answer goes to nobody; one that was kept back is on record already."""
        if any(each is facts for _, each in self._shelved):
            self._settled.append(facts)
        else:
            self._write_down(facts)

    def _answer_static(self, text: str) -> None:
        """See Settling. The text may be a webhook's, so that it is looked at like any answer."""
        docket = self.docket
        if docket is not None and (self._outputs or self._restores):
            local = [guard for guard in self._outputs if guard.remote is None]
            text = screened_text(local, text, "assistant", docket, restore=self._restores)
            self._answering.extra = docket.header()
            if docket.blocked is not None:
                self._fail(Failure("stage", BLOCKED, 0, why(docket)))
                return
        super()._answer_static(text)

    def _fail(self, failure: Failure | None) -> None:
        """See Settling."""
        if self.docket is not None:
            self._answering.extra = self.docket.header()
        super()._fail(failure)

    def _settle(
        self,
        outcome: Outcome,
        status: int,
        code: str,
        last: AttemptFacts | None,
        then: Callable[[], None] | None,
        size: int = 0,
    ) -> None:
        """See Settling; the guards' verdicts stand in the same row, and an answer that they looked at."""
        consultation, self._consultation = self._consultation, None
        if consultation is not None:
            consultation.cancel()
        pending, self._pending = self._pending, None
        if self.docket is not None:
            self._notes.update(self.docket.notes())
        super()._settle(outcome, status, code, last or pending, then, size)
