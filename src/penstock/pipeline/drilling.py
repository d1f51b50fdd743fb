"""Failover drills: a share of a route's live traffic goes to a fallback first, and is watched.

Who is in a drill stays in it: people are drawn by hash. Where the fallback fails, the usual way answers; where
it does badly, the drill stops by itself. A drill lives in this process, and ends with it.
"""

from __future__ import annotations

from penstock.adapters.json_schema import Schemas
from penstock.core.answer_shape import shape_of
from penstock.core.buckets import uniform
from penstock.core.drills import DrillRule, Side, report_of, trouble
from penstock.core.errors import Refusal
from penstock.core.exchange import Drilled, ExchangeSettled, RequestFacts
from penstock.core.plan import Plan, Route
from penstock.core.policy import FallbackNode, PolicyNode, TargetNode
from penstock.pipeline.read_back import reply_of
from penstock.pipeline.tee import Tee
from penstock.pipeline.translation import chat_of
from penstock.ports.clock import Clock, Timer
from penstock.ports.http_server import Reply
from penstock.ports.journal import JournalSink
from penstock.routing.trees import targets_of
from penstock.routing.view import RequestView
from penstock.shapes.openai_request import OpenAIRequest

# The note of an exchange in a drill: which side it is on.
NOTE, TO, USUAL = "drill", "to", "usual"
# So many times the drilled are looked at beside them, on their usual way.
BESIDE = 5
MAX_SHARE = 0.05
MAX_FOR_S = 24 * 3600.0
_BY = "user"
_GONE = "the configuration changed, and the route or the target is no longer there"


class Drill:
    """One drill under way."""

    __slots__ = ("began", "began_ms", "drilled", "rule", "timer", "usual", "watched")

    def __init__(self, rule: DrillRule, began: float, began_ms: int) -> None:
        self.rule = rule
        self.began = began
        self.began_ms = began_ms
        self.drilled = Side()
        self.usual = Side()
        self.timer: Timer | None = None
        # Requests whose answers are looked at; True once they count, and on which side.
        self.watched: dict[str, Side | None] = {}

    def told(self, now: float) -> dict[str, object]:
        """How it stands."""
        rule = self.rule
        return {
            "id": rule.id,
            "route": rule.route,
            "target": rule.target,
            "percent": rule.share * 100,
            "began_ms": self.began_ms,
            "left_s": max(0.0, self.began + rule.for_s - now),
            "report": report_of(self.drilled, self.usual),
        }


class Drills:
    """The drills of this gateway, one for each route at most. `running` is empty nearly always."""

    def __init__(self, clock: Clock, journal: JournalSink) -> None:
        self._clock = clock
        self._journal = journal
        self._schemas = Schemas()
        self.running: dict[str, Drill] = {}

    # --- beginning and ending -----------------------------------------------------------------------------

    def begin(self, rule: DrillRule, plan: Plan) -> Drill:
        """Start one. Raises Refusal where it cannot be."""
        if rule.route in self.running:
            raise Refusal("drill_refused", f"a drill of the route {rule.route!r} is under way; stop it first")
        if not 0 < rule.share <= MAX_SHARE or not 0 < rule.for_s <= MAX_FOR_S:
            told = f"a drill leads up to {MAX_SHARE:.0%} away, for up to {MAX_FOR_S / 3600:g} hours"
            raise Refusal("drill_refused", told)
        reason = unfit(rule, plan)
        if reason:
            raise Refusal("drill_refused", reason)
        drill = Drill(rule, self._clock.monotonic(), self._clock.now_ms())
        drill.timer = self._clock.call_later(rule.for_s, lambda: self._over_time(rule.route))
        self.running[rule.route] = drill
        return drill

    def _over_time(self, route: str) -> None:
        self.end(route, "done", "its time is over")

    def end(self, route: str, verdict: str, reason: str) -> Drill | None:
        """End one and put what came of it on record; None where there is none."""
        drill = self.running.pop(route, None)
        if drill is None:
            return None
        if drill.timer is not None:
            drill.timer.cancel()
        rule = drill.rule
        if verdict == "done" and not drill.drilled.n:
            verdict, reason = "idle", "nobody who was drawn asked for anything"
        record = Drilled(
            rule.id,
            rule.route,
            rule.target,
            rule.share,
            drill.began_ms,
            self._clock.now_ms(),
            verdict,
            reason,
            rule.planned,
            report_of(drill.drilled, drill.usual),
        )
        self._journal.append(record)
        return drill

    def end_all(self, reason: str) -> None:
        """This process ends."""
        for route in list(self.running):
            self.end(route, "interrupted", reason)

    def swap(self, plan: Plan) -> None:
        """Another configuration is in force."""
        for route, drill in list(self.running.items()):
            if unfit(drill.rule, plan):
                self.end(route, "interrupted", _GONE)

    # --- leading -------------------------------------------------------------------------------------------

    def policy_of(self, route: Route, view: RequestView, notes: dict[str, str]) -> PolicyNode:
        """The way of one request: the fallback first for who is drawn, the route's own for all others."""
        drill = self.running.get(route.name)
        if drill is None or view.facts.purpose:
            return route.policy
        rule = drill.rule
        at = uniform(rule.id, view.who(_BY))
        if at >= rule.share * (1 + BESIDE):
            return route.policy
        first = node_of(route.policy, rule.target)
        if first is None:  # what is required of this request leaves it out
            return route.policy
        if at >= rule.share:
            notes[NOTE] = USUAL
            return route.policy
        notes[NOTE] = TO
        return FallbackNode((first, route.policy))

    # --- watching ------------------------------------------------------------------------------------------

    def watched(self, reply: Reply, request: OpenAIRequest, route: Route, facts: RequestFacts) -> Reply:
        """The reply to give; where a drill may want to see the answer, one that keeps it."""
        drill = self.running.get(route.name)
        if drill is None or request.endpoint.task != "chat":
            return reply
        drill.watched[facts.request_id] = None
        return Tee(reply, lambda tee: self._over(tee, drill, request, facts))

    def settled(self, event: ExchangeSettled) -> None:
        """An exchange with a note of a drill has ended."""
        drill = self.running.get(event.request.route)
        if drill is None or event.outcome in ("cancelled", "interrupted"):
            return
        if not event.attempts and (event.outcome == "ok" or event.status < 500):
            return  # a cache answered, or a guard, or the request was refused
        drilled = event.notes.get(NOTE) == TO
        side = drill.drilled if drilled else drill.usual
        attempts = event.attempts
        if drilled:
            attempts = [each for each in attempts if each.target == drill.rule.target]
        last = attempts[-1] if attempts else None
        if last is None:
            side.fail("not_tried" if drilled else event.code or "not_tried", 0)
        elif last.outcome == "ok":
            side.answered(last.cost_nanousd, last.total_us / 1e6)
            if event.request.request_id in drill.watched and last is event.attempts[-1]:
                drill.watched[event.request.request_id] = side
        elif last.outcome == "error":
            side.fail(last.cause, last.cost_nanousd)
        self._judge(drill)

    def _over(self, tee: Tee, drill: Drill, request: OpenAIRequest, facts: RequestFacts) -> None:
        """An answer has gone out: look what it is made of, once the loop has done what is due for clients."""
        side = drill.watched.pop(facts.request_id, None)
        answer = tee.answer()
        if side is not None and tee.ended and answer:
            self._clock.call_later(0.0, lambda: self._look(drill, side, request, answer))

    def _look(self, drill: Drill, side: Side, request: OpenAIRequest, answer: bytes) -> None:
        try:
            asked = chat_of(request)
        except Refusal:
            return
        reply = reply_of(request.endpoint, answer, stream=request.stream)
        if reply is None:
            side.looked("unreadable", "it cannot be read")
        else:
            found = shape_of(asked, reply, self._schemas)
            side.looked(found.kind, found.broken)
        self._judge(drill)

    def _judge(self, drill: Drill) -> None:
        if self.running.get(drill.rule.route) is drill:
            reason = trouble(drill.rule, drill.drilled, drill.usual)
            if reason:
                self.end(drill.rule.route, "stopped", reason)


def unfit(rule: DrillRule, plan: Plan) -> str:
    """Why a drill cannot be, empty where it can."""
    route = plan.routes.get(rule.route)
    if route is None:
        return f"there is no route {rule.route!r}"
    names = list(dict.fromkeys(target.id for target in targets_of(route.policy)))
    if rule.target not in names:
        return f"{rule.target!r} is no target of the route {rule.route!r}; there are {', '.join(names)}"
    if len(names) < 2:
        return (
            f"{rule.target!r} is the only target of the route {rule.route!r}: there is nothing to compare with"
        )
    return ""


def node_of(node: PolicyNode, target: str) -> TargetNode | None:
    """The first place of a target in a policy."""
    if isinstance(node, TargetNode):
        return node if node.target.id == target else None
    for child in node.below():
        found = node_of(child, target)
        if found is not None:
            return found
    return None
