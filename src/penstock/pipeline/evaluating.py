"""Judging a share of a route's answers: a judge's route is asked after the answer has gone out.

The caller waits for nothing and pays for nothing. Judgements have a budget of their own; where many requests
are under way, or the judge is busy, they are the first that are not made.
"""

from __future__ import annotations

import msgspec

from penstock.admission.accounts import Account
from penstock.core.errors import Refusal
from penstock.core.evaluation import Evaluation, judge_body, verdict_of
from penstock.core.exchange import Judged, RequestFacts, Subject
from penstock.core.fair_queue import LOW
from penstock.core.plan import Route, VirtualKey
from penstock.core.turns import text_of as said
from penstock.dialects.openai.endpoints import ENDPOINTS
from penstock.ledger.journal.settings import JournalFull
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.inner import Asker
from penstock.pipeline.read_back import reply_of, text_of
from penstock.pipeline.tee import Tee
from penstock.pipeline.translation import chat_of
from penstock.ports.http_server import Reply
from penstock.ports.inner_call import InnerAnswer
from penstock.shapes.openai_request import OpenAIRequest

_decode = msgspec.json.Decoder(dict[str, dict[str, object]]).decode
PATH = "/v1/chat/completions"
PURPOSE = "eval"
SOURCE = "judge"
TARGET_LINE, CACHE_LINE = b"x-penstock-target", b"x-penstock-cache"
# Above so many requests under way in this gateway nothing is judged.
BUSY = 2_000


class Judging:
    """One answer that is to be judged."""

    __slots__ = ("answer", "facts", "key", "request", "route", "rule", "target")

    def __init__(
        self, request: OpenAIRequest, route: Route, rule: Evaluation, key: VirtualKey, facts: RequestFacts
    ) -> None:
        self.request = request
        self.route = route
        self.rule = rule
        self.key = key
        self.facts = facts
        self.answer = b""
        self.target = ""


class Evaluations:
    """Asks judges, a bounded number at a time for each route. `dropped` counts what was not judged for that."""

    def __init__(self, ctx: GatewayContext) -> None:
        self._ctx = ctx
        self._running: dict[str, int] = {}
        self.dropped = 0

    def told(
        self, reply: Reply, request: OpenAIRequest, route: Route, key: VirtualKey, facts: RequestFacts
    ) -> Reply:
        """The reply to give; for an answer that is to be judged, one whose end begins that."""
        rule = route.evals
        if rule is None or request.endpoint.task != "chat" or self._ctx.draw() >= rule.share:
            return reply
        judging = Judging(request, route, rule, key, facts)
        return Tee(reply, lambda tee: self._over(tee, judging))

    def _over(self, tee: Tee, judging: Judging) -> None:
        answer = tee.answer()
        if not tee.ended or tee.status != 200 or not answer or tee.line(CACHE_LINE) not in ("", "miss"):
            return
        judging.target, judging.answer = tee.line(TARGET_LINE), answer
        name = judging.route.name
        running = self._running.get(name, 0)
        if running >= judging.rule.most or self._ctx.exchanges > BUSY:
            self.dropped += 1
        elif judging.target and judging.target != "none":
            self._running[name] = running + 1
            self._ctx.clock.call_later(0.0, lambda: self._ask(judging))

    def _ask(self, judging: Judging) -> None:
        """Ask the judge, once the loop has done what is due for clients."""
        ctx, rule, request, facts = self._ctx, judging.rule, judging.request, judging.facts
        reply = reply_of(request.endpoint, judging.answer, stream=request.stream)
        body = None
        if reply is not None:
            try:
                body = judge_body(rule, conversation_of(request), text_of(reply))
            except Refusal:  # what came in its own shape passed as bytes and is read for the first time here
                body = None
        if body is None:
            self._record(judging, None, "unreadable answer")
            return
        subject = Subject("penstock", "", "", rule.account.removeprefix("key:"))
        key = VirtualKey(subject.key, b"", subject, direct=True, rank=LOW, scope=judging.key.scope)
        found = ctx.accounts.find(rule.account)
        accounts: list[Account] = [] if found is None else [found]
        about = RequestFacts(
            facts.request_id, facts.ts_ms, facts.dialect, facts.endpoint, facts.route, facts.model
        )
        asker = Asker(ctx, key, subject, about, accounts, 0, patient=False)
        asker.ask(PATH, body, PURPOSE, rule.timeout_s, lambda answer: self._answered(judging, answer))

    def _answered(self, judging: Judging, answer: InnerAnswer) -> None:
        value: float | None = None
        label = ""
        if answer.status == 200:
            reply = reply_of(ENDPOINTS[PATH], answer.body, stream=False)
            value = verdict_of(text_of(reply)) if reply is not None else None
            label = "" if value is not None else "unreadable verdict"
        else:
            label = (
                f"judge failed: {_code(answer.body)}" if answer.status else "judge was too slow, or broke off"
            )
        self._record(judging, value, label)

    def _record(self, judging: Judging, value: float | None, label: str) -> None:
        """Put the verdict on record; one that there is no room for is lost, and counted."""
        ctx, route = self._ctx, judging.route
        self._running[route.name] -= 1
        cohort = judging.facts.tags.get(route.cohort, "") if route.cohort else ""
        at_ms = ctx.clock.now_ms()
        judged = Judged(
            f"ev_{at_ms:011x}{ctx.bits(64):016x}",
            at_ms,
            Subject("penstock", "", "", judging.rule.account.removeprefix("key:")),
            SOURCE,
            judging.rule.score,
            value,
            judging.facts.request_id,
            label=label,
            route=judging.facts.route,
            target=judging.target,
            cohort=cohort,
        )
        try:
            ctx.journal.append(judged)
        except JournalFull:
            self.dropped += 1


def _code(body: bytes) -> str:
    """Why the judge was not asked, or did not answer."""
    try:
        return str(_decode(body)["error"]["code"])[:64]
    except (msgspec.DecodeError, KeyError, TypeError):
        return "unknown"


def conversation_of(request: OpenAIRequest) -> str:
    """What was said before the answer, one turn after the other. Raises Refusal where it cannot be read."""
    turns = [(message.role, said(message.parts)) for message in chat_of(request).messages]
    return "\n\n".join([f"{role}: {text}" for role, text in turns if text])
