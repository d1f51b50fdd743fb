"""Between admission and the first attempt: the stages of the route (screen, cache), in order.

A route without stages goes to its policy at once, at the price of one test. A stage goes on by `then()`, at
once or from a later callback, or ends the exchange itself: by a refusal, or by an answer that it has.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from penstock.admission.accounts import Allowance
from penstock.core.errors import Refusal
from penstock.core.exchange import AttemptFacts, Outcome, RequestFacts, Subject
from penstock.core.kept import Kept
from penstock.core.plan import Route, VirtualKey
from penstock.core.screen_plan import ScreenPlan
from penstock.guardrails.docket import Docket
from penstock.pipeline.answer import KeptHead
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.resuming import Resuming
from penstock.ports.http_server import HttpRequest, Reply
from penstock.ports.inner_call import InnerCalls
from penstock.providers.openai.errors import Failure
from penstock.routing.view import RequestView
from penstock.shapes.openai_request import OpenAIRequest
from penstock.upstream.attempt import Attempt

# Failures that a kept answer makes good: none of them is the client's own.
_OUTAGES = frozenset(
    {
        "upstream_auth", "upstream_error", "upstream_garbage", "upstream_overloaded", "upstream_rate_limited",
        "upstream_timeout", "upstream_unreachable", "no_credential",
    }
)  # fmt: skip


class Stage(ABC):
    """What stands before the first attempt of one exchange; made for it, and used once.

    `name` is its name in the ledger: the note `NAME_us` says how long it took.
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def prepare(self, exchange: Preparing, then: Callable[[], None]) -> None:
        """Do its work and call `then` once, or end the exchange by `refuse` or `answer`. Raises Refusal."""

    @abstractmethod
    def cancel(self) -> None:
        """The exchange has ended meanwhile: wait for nothing any more. `then` may still be called."""

    def in_outage(self, max_age_s: float) -> bool:
        """Answer, after all, with an answer that is too old, though not older than this; False for none."""
        del max_age_s
        return False


class Watcher(ABC):
    """Sees an answer as its client gets it, after all that may change it. It changes nothing."""

    __slots__ = ()

    @abstractmethod
    def piece(self, data: bytes) -> None:
        """A piece of a stream is about to go out."""

    @abstractmethod
    def complete(self, attempt: Attempt, last: bytes, facts: AttemptFacts) -> None:
        """The whole body, or the last piece of a stream; it goes out as soon as the journal has it."""

    @abstractmethod
    def over(self) -> None:
        """The exchange is settled; without a `complete` before there is no answer of a target's own."""


class Preparing(Resuming):
    """An exchange that may be refused, or answered, before any target is asked.

    What stages use of it stands here; everything else of an exchange is none of their business.
    """

    __slots__ = (
        "_left", "_since", "_stage", "docket", "kept_by", "private", "watcher",
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
        self._stage: Stage | None = None
        self._left: list[Stage] = []
        self._since = 0.0
        self.watcher: Watcher | None = None
        # Whether a guard found somebody's personal data in the request: its answer is for that user alone.
        self.private = False
        # The stage that looked for a kept answer, and may have found one that is too old.
        self.kept_by: Stage | None = None
        self.docket: Docket | None = None  # what guards found, where the route has any

    @property
    def ctx(self) -> GatewayContext:
        """What all exchanges share."""
        return self._ctx

    @property
    def request(self) -> OpenAIRequest:
        """The request; what a stage changes of it is what all targets are asked."""
        return self._request

    @property
    def route(self) -> Route:
        """The route, narrowed to what this request may use."""
        return self._route

    @property
    def key(self) -> VirtualKey:
        """Whose key it came with."""
        return self._key

    @property
    def facts(self) -> RequestFacts:
        """What the client asked for."""
        return self._facts

    @property
    def notes(self) -> dict[str, str]:
        """What the ledger will tell of it; to be written to before the exchange is settled."""
        return self._notes

    @property
    def view(self) -> RequestView:
        """The request as conditions see it."""
        return self._walk.request

    @property
    def recorded(self) -> bool:
        """Whether what is asked or answered hangs together with what somebody keeps, here or at a vendor."""
        return False

    def refuse(self, refusal: Refusal) -> None:
        """End it: the client is told why, in its dialect. Nothing happens where it has ended already."""
        if not self._ended:
            self._stage_over()
            self._fail(Failure("stage", refusal.code, 0, str(refusal)))

    def answer(self, source: str, code: str, finish: Callable[[], None], size: int) -> None:
        """End it by an answer that cost nothing. `source` is what the ledger says in `cache` (`exact`, …).

        `finish` sends the answer, of whose body `size` bytes are counted, once the journal has it.
        """
        if not self._ended:
            self._stage_over()
            self._cache = source
            self._settle("ok", 200, code, None, finish, size)

    def again(self, kept: Kept, head: KeptHead) -> None:
        """End it by a kept answer."""
        cost: int | None = 0
        for facts in self._settled:
            cost = cost + facts.cost_nanousd if cost is not None and facts.cost_nanousd is not None else None
        finish = self._answering.kept(
            kept, head, self._route.name, self._opened, cost, self._overhead_us(), self._budget_left()
        )
        self.answer(head.source, head.degraded, finish, len(head.body))

    def lead(self, route: Route) -> None:
        """Follow another route from here on; its stages do not run again."""
        self._follow(route)

    @abstractmethod
    def guarded(self, plan: ScreenPlan) -> None:
        """The request has been let through by its guards: the answer will pass those for it."""

    @abstractmethod
    def inner_calls(self) -> InnerCalls | None:
        """What makes inner calls on this caller's budgets; None where the gateway makes none."""

    def _answered(self, attempt: Attempt, kept: bytes, last: bytes | None, facts: AttemptFacts | None) -> None:
        """See Driving. `facts`: the attempt's, where it was closed before."""
        if kept:
            self._begin_stream(attempt, kept)
        if last is not None:
            self._complete(attempt, last, facts)

    # --- running them -------------------------------------------------------------------------------------

    @abstractmethod
    def _stages(self) -> list[Stage]:
        """The stages of the route, in order."""

    def _prepare(self) -> None:
        """Run the stages, then begin with the first attempt."""
        route = self._route
        if route.screen is None and route.cache is None:
            self._advance(None)
            return
        self._left = self._stages()
        self._next_stage()

    def _next_stage(self) -> None:
        if self._ended:
            return
        self._stage_over()
        if not self._left:
            self._advance(None)
            return
        stage = self._stage = self._left.pop(0)
        self._since = self._ctx.clock.monotonic()
        try:
            stage.prepare(self, lambda: self._stage_done(stage))
        except Refusal as refusal:
            self.refuse(refusal)
        except Exception:
            self.refuse(Refusal("internal_error", "the gateway failed on this request"))
            raise

    def _stage_done(self, stage: Stage) -> None:
        if stage is self._stage:
            self._next_stage()

    def _stage_over(self) -> None:
        stage, self._stage = self._stage, None
        if stage is not None:
            took_us = int((self._ctx.clock.monotonic() - self._since) * 1_000_000)
            self._notes[f"{stage.name}_us"] = str(took_us)

    def _let_all_go(self, kept: Attempt | None) -> None:
        """See Driving; what stands before the attempts is given up, too."""
        stage = self._stage
        if stage is not None:
            self._stage_over()
            stage.cancel()
        super()._let_all_go(kept)

    def _answer_again(self, max_age_s: float) -> bool:
        """See Driving."""
        return not self._answering.started and self.kept_by is not None and self.kept_by.in_outage(max_age_s)

    def _fail(self, failure: Failure | None) -> None:
        """See Settling; in an outage an answer that is too old is better than none."""
        cache = self._route.cache
        outage = failure is not None and failure.code in _OUTAGES
        if outage and cache is not None and cache.stale_if_error_s:
            self._let_all_go(None)
            if self._answer_again(cache.ttl_s + cache.stale_if_error_s):
                return
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
        """See Settling; a watcher is told."""
        super()._settle(outcome, status, code, last, then, size)
        # A stage knows its exchange; the exchange lets it go, so that the memory of both is free at once.
        self.kept_by = None
        watcher, self.watcher = self.watcher, None
        if watcher is not None:
            watcher.over()
