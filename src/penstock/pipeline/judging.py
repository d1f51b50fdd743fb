"""Having an answer graded by another route, as an inner call of the exchange that it is for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec

from penstock.admission.accounts import Allowance
from penstock.core.exchange import RequestFacts, Subject
from penstock.core.judge import JudgeRule, Turns, judge_request, read_grade
from penstock.core.plan import Route, Scope, VirtualKey
from penstock.core.requirements import Need
from penstock.core.verdict import Answer
from penstock.dialects.prompts import conversation_of, prompt_of
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.settling import Settling
from penstock.ports.http_server import HttpRequest, Reply
from penstock.ports.inner_call import InnerAnswer, InnerCall
from penstock.ports.oracle import Ticket
from penstock.shapes.openai_request import OpenAIRequest

PURPOSE = "judge"
PATH = "/v1/chat/completions"
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Judging(Settling):
    """An exchange that can have its answers graded. `depth`: how many calls of our own it is inside of."""

    __slots__ = ("_judging", "depth")

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
        self.depth = 0
        self._judging: InnerCall | None = None

    def grade(self, rule: JudgeRule, answer: Answer, woken: Callable[[], None], within_s: float) -> Ticket:
        """See ports.judging."""
        ticket, asker_for = Ticket(), self._ctx.asker
        if asker_for is None:
            ticket.tell((), "nobody can be asked")
            return ticket

        clock = self._ctx.clock
        asked_at = clock.monotonic()

        def told(said: InnerAnswer) -> None:
            self._waited(asked_at, clock.monotonic())
            grade, why = grade_of(said)
            ticket.tell((grade,) if grade is not None else (), why)
            woken()

        key, accounts = key_for(self._key, self._route), self._allowance.accounts
        asker = asker_for(self._ctx, key, self.subject, self._facts, accounts, self.depth)
        body = judge_request(rule, turns_of(self._request, rule), answer)
        self._judging = asker.ask(PATH, body, PURPOSE, within_s, told)
        return ticket

    def _leave_judge(self) -> None:
        """Nobody waits for the grade any more."""
        judging, self._judging = self._judging, None
        if judging is not None:
            judging.cancel()


def turns_of(request: OpenAIRequest, rule: JudgeRule) -> Turns:
    """What the judge is shown of the conversation."""
    return conversation_of(request) if rule.context else [("user", prompt_of(request))]


def grade_of(said: InnerAnswer) -> tuple[float | None, str]:
    """The grade of a chat answer, or why there is none."""
    if said.status != 200:
        return None, f"the judge's route answered with status {said.status}" if said.status else "too late"
    try:
        choice = _decode(said.body)["choices"][0]
        text, finish = choice["message"]["content"], choice.get("finish_reason")
    except (msgspec.DecodeError, KeyError, IndexError, TypeError, AttributeError):
        return None, "the judge's answer is none"
    if not isinstance(text, str) or finish == "length":
        return None, "the verdict was cut off" if finish == "length" else "the judge said nothing"
    grade = read_grade(text)
    return grade, "" if grade is not None else 'the verdict is not {"grade": 0 to 1}'


def key_for(key: VirtualKey, route: Route) -> VirtualKey:
    """The caller's key, bound by what this route requires too: a judge sees what only some targets may see."""
    if route.requires is None:
        return key
    need = Need(f"route {route.name!r}", route.requires)
    above = key.scope
    if above is None:
        return replace(key, scope=Scope(f"for route {route.name}", (need,)))
    return replace(
        key, scope=replace(above, id=f"{above.id} for route {route.name}", needs=(*above.needs, need))
    )
