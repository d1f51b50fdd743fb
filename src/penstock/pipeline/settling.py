"""What every exchange needs to come to its end: its facts, its attempts' facts, and what it holds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from penstock.admission.accounts import Allowance
from penstock.admission.entry import leave
from penstock.admission.holding import Holding
from penstock.core.exchange import AttemptFacts, ExchangeSettled, Outcome, RequestFacts, Subject
from penstock.core.plan import Route, VirtualKey
from penstock.core.target import Target
from penstock.pipeline.answer import Answering
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.counting import estimated
from penstock.pipeline.drilling import NOTE as DRILL
from penstock.pipeline.reporting import report
from penstock.pipeline.settlement import settle_attempt, succeeded
from penstock.ports.http_server import HttpRequest, Reply
from penstock.providers.openai.errors import Failure, failure_of_cause
from penstock.shapes.openai_request import OpenAIRequest
from penstock.upstream.attempt import Attempt


class Settling(ABC):
    """State of an exchange, and its endings: each exchange ends in `_settle`, once."""

    __slots__ = (
        "_allowance",
        "_answering",
        "_attempt",
        "_cache",
        "_ctx",
        "_ended",
        "_facts",
        "_failure",
        "_key",
        "_notes",
        "_opened",
        "_request",
        "_route",
        "_running",
        "_settled",
        "_upstream_s",
        "_waited_from",
        "_waited_until",
        "http",
        "reply",
        "subject",
    )

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
        self._ctx = ctx
        self.http = http
        self.reply = reply
        self._request = request
        self._route = route
        self._key = key
        self.subject = subject
        self._allowance = allowance
        self._facts = facts
        self._attempt: Attempt | None = None
        # Attempts under way with what is held for them, by index.
        self._running: dict[int, tuple[Attempt, Holding]] = {}
        self._settled: list[AttemptFacts] = []
        self._opened: int = 0
        # Where the answer comes from, as the ledger tells it: miss, exact, semantic.
        self._cache = "miss"
        self._notes: dict[str, str] = {}
        self._failure: Failure | None = None
        self._upstream_s = 0.0
        self._waited_from = self._waited_until = 0.0
        self._ended = False
        self._answering = Answering(reply, request, facts, http)

    @abstractmethod
    def attempt_frames(self, attempt: Attempt, data: bytes) -> None:
        """See AttemptListener."""

    @abstractmethod
    def attempt_done(self, attempt: Attempt, last: bytes) -> None:
        """See AttemptListener."""

    @abstractmethod
    def attempt_failed(self, attempt: Attempt, failure: Failure) -> None:
        """See AttemptListener."""

    @abstractmethod
    def attempt_hangs(self, attempt: Attempt) -> None:
        """See AttemptListener."""

    @abstractmethod
    def attempt_released(self, attempt: Attempt) -> None:
        """See AttemptListener."""

    def _begin(self) -> None:
        """It is under way from here on."""
        self._ctx.exchanges += 1
        self._ctx.running[self._facts.request_id] = self

    @abstractmethod
    def kill(self) -> bool:
        """Stop it for somebody who may."""

    def told(self) -> dict[str, object]:
        """What a list of running exchanges says of it."""
        facts, attempt, clock = self._facts, self._attempt, self._ctx.clock
        state = "waiting" if attempt is None else "streaming" if self._answering.started else "upstream"
        return {
            "request_id": facts.request_id,
            "org": self.subject.org,
            "team": self.subject.team,
            "user": self.subject.user,
            "key": self.subject.key,
            "route": self._route.name,
            "target": attempt.target.id if attempt is not None else None,
            "endpoint": facts.endpoint,
            "dialect": facts.dialect,
            "stream": facts.stream,
            "session": facts.session,
            "attempts": self._opened,
            "state": state,
            "age_ms": int((clock.monotonic() - self.http.received_at) * 1000),
            "reserved_nanousd": attempt.reserved_nanousd if attempt is not None else None,
            "bytes_out": self.reply.bytes_out,
        }

    def _close(
        self, attempt: Attempt, outcome: Outcome, cause: str, failure: Failure | None = None
    ) -> AttemptFacts:
        """End an attempt: its facts, its reservation, what it says of its target."""
        ctx = self._ctx
        running = self._running.pop(attempt.index, None)
        if self._attempt is attempt:
            self._attempt = None
        if attempt.mode != "ended":
            ctx.attempts.discard(attempt)
        if not attempt.ended_at:
            attempt.ended_at = ctx.clock.monotonic()
        if attempt.sent_at:
            self._waited(attempt.sent_at, attempt.ended_at)
        facts = settle_attempt(attempt, outcome, cause, ctx.learned_of(attempt.target.id))
        if running is not None:
            running[1].settle(facts.usage, facts.cost_nanousd or 0, attempt.opened_ms)
        report(ctx, attempt, facts, failure)
        return facts

    def _waited(self, start: float, end: float) -> None:
        """An upstream was waited for; where several were at once, the time counts once."""
        if start >= self._waited_until:  # after all before it
            self._upstream_s += end - start
            self._waited_from, self._waited_until = start, end
            return
        self._upstream_s += max(0.0, self._waited_from - start) + max(0.0, end - self._waited_until)
        self._waited_from = min(self._waited_from, start)
        self._waited_until = max(self._waited_until, end)

    def _budget_left(self) -> int | None:
        if not self._allowance.hard:
            return None
        return self._allowance.left_nanousd(self._ctx.clock.monotonic(), self._ctx.clock.now_ms())

    def _overhead_us(self) -> int:
        total_s = self._ctx.clock.monotonic() - self.http.received_at
        return max(0, int((total_s - self._upstream_s) * 1_000_000))

    def _fail(self, failure: Failure | None) -> None:
        """No target answered: tell the client why, in its dialect."""
        failure = failure or failure_of_cause("internal", "no target was tried")
        status, code, send = self._answering.failure(failure, self._route.name, self._opened, self._settled)
        self._settle("error", status, code, None, send)

    def _answer_count(self, target: Target) -> None:
        tokens = self._ctx.learned_of(target.id).input_tokens(self._request.prompt_chars)
        finish = self._answering.counted(estimated(self._request, tokens), self._route.name, target)
        self._settle("ok", 200, "estimated", None, finish)

    def _answer_static(self, text: str) -> None:
        finish = self._answering.static(text, self._route.name, self._opened, self._ctx.clock.now_ms() // 1000)
        if finish is None:
            self._fail(self._failure)
        else:
            self._settle("ok", 200, "static", None, finish)

    def _settle(
        self,
        outcome: Outcome,
        status: int,
        code: str,
        last: AttemptFacts | None,
        then: Callable[[], None] | None,
        size: int = 0,
    ) -> None:
        """Write the exchange down; `then` sends its last `size` bytes of body once that is done."""
        self._ended = True
        ctx = self._ctx
        attempts = self._settled if last is None else [*self._settled, last]
        now = ctx.clock.monotonic()
        received_at = self.http.received_at
        total_us = int((now - received_at) * 1_000_000)
        answering = self._answering
        settled = ExchangeSettled(
            self._facts,
            self.subject,
            attempts,
            ctx.clock.now_ms(),
            outcome,
            status,
            code,
            succeeded(self._route, outcome, last, self._notes) if last is not None else self._cache != "miss",
            self._cache,
            answering.first_us if answering.started else total_us if outcome == "ok" else 0,
            total_us,
            max(0, total_us - int(self._upstream_s * 1_000_000)),
            len(self.http.body),
            self.reply.bytes_out + size,
            self._notes,
        )
        if ctx.drills.running and DRILL in self._notes:
            ctx.drills.settled(settled)
        leave(self._allowance, now, settled.ended_ms)
        ctx.exchanges -= 1
        ctx.running.pop(self._facts.request_id, None)
        ctx.journal.append(settled, then)
