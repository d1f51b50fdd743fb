"""Keeping an answer: watched as its client gets it, judged once it is whole, told to those who wait for it."""

from __future__ import annotations

from penstock.core.cache_plan import CachePlan
from penstock.core.chat import ChatReply
from penstock.core.exchange import AttemptFacts
from penstock.core.kept import Kept
from penstock.core.parts import Opaque, Refused, Text, ToolCall
from penstock.pipeline.cache_replay import form_for
from penstock.pipeline.caches import Caches, Flight
from penstock.pipeline.preparing import Preparing, Watcher
from penstock.pipeline.read_back import reply_from
from penstock.pipeline.settlement import succeeded
from penstock.ports.semantic import Meant
from penstock.upstream.attempt import Attempt

# What must be allowed for an answer that ended so.
_ALSO = {
    "length": "truncated",
    "tool_calls": "tool_calls",
    "pause": "tool_calls",
    "refusal": "refused",
    "content_filter": "blocked",
}
_WHOLE = frozenset({"stop", "stop_sequence"})


class Fill(Watcher):
    """One answer. With `leads`, others may wait for it."""

    __slots__ = (
        "_caches",
        "_exchange",
        "_flight",
        "_kept",
        "_key",
        "_meant",
        "_pieces",
        "_plan",
        "_seen",
        "_size",
        "_ttl_s",
    )  # fmt: skip

    def __init__(
        self,
        caches: Caches,
        plan: CachePlan,
        exchange: Preparing,
        key: bytes,
        ttl_s: int,
        meant: Meant | None,
        *,
        leads: bool,
    ) -> None:
        self._caches = caches
        self._plan = plan
        self._exchange = exchange
        self._key = key
        self._ttl_s = ttl_s
        self._meant = meant
        self._pieces: list[bytes] = []
        self._size = 0
        self._seen = False
        self._kept: Kept | None = None
        self._flight: Flight | None = None
        if leads:
            self._flight = caches.flights[key] = Flight()

    def piece(self, data: bytes) -> None:
        """See Watcher."""
        self._size += len(data)
        if self._size <= self._plan.max_entry_bytes:
            self._pieces.append(data)
        else:
            self._pieces.clear()

    def complete(self, attempt: Attempt, last: bytes, facts: AttemptFacts) -> None:
        """See Watcher."""
        self.piece(last)
        self._seen = True
        if self._size > self._plan.max_entry_bytes or facts.outcome != "ok" or attempt.status != 200:
            return
        exchange = self._exchange
        if exchange.route.name != exchange.facts.route:
            return  # a guard led it elsewhere because of what it was answered
        docket = exchange.docket
        if succeeded(exchange.route, "ok", facts, exchange.notes) and (docket is None or docket.keeps()):
            self._kept = self._entry(b"".join(self._pieces), facts)

    def over(self) -> None:
        """See Watcher: keep it in a later turn, when clients have what they wait for."""
        flight, self._flight = self._flight, None
        if self._kept is None:
            self._free(flight)
        else:
            self._exchange.ctx.clock.call_soon(lambda: self._keep(flight))

    def _free(self, flight: Flight | None) -> None:
        """Nothing is kept. Who waits asks: one for all where nothing came, else each by itself."""
        if self._seen:
            self._caches.counts_of(self._exchange.route.name).not_kept += 1
        if flight is None:
            return
        if self._caches.flights.get(self._key) is flight:
            del self._caches.flights[self._key]
        waiting, flight.waiting = flight.waiting, []
        for follower in waiting:
            following = self._caches.flights.get(self._key)
            if self._seen or following is None:
                follower.told(None, leads=not self._seen)
            else:
                follower.follow(following)

    def _keep(self, flight: Flight | None) -> None:
        kept, caches = self._kept, self._caches
        if kept is None or not self._may_be_kept(kept) or not caches.keep(kept):
            self._free(flight)
            return
        caches.counts_of(kept.route).kept += 1
        if self._meant is not None and caches.semantic is not None:
            semantic = self._plan.semantic
            text = said_in(kept) if semantic is not None and semantic.bound else ""
            caches.semantic.keep(self._meant, kept.key, kept.ends_ms, text)
        if flight is None:
            return
        if caches.flights.get(self._key) is flight:
            del caches.flights[self._key]
        waiting, flight.waiting = flight.waiting, []
        for follower in waiting:
            follower.told(kept, leads=False)

    def _entry(self, body: bytes, facts: AttemptFacts) -> Kept:
        exchange, plan = self._exchange, self._plan
        now_ms = exchange.ctx.clock.now_ms()
        form = form_for(exchange.request, exchange.http.query)
        expires_ms = now_ms + self._ttl_s * 1000
        subject, key = exchange.subject, exchange.key
        return Kept(
            self._key,
            subject.org,
            subject.team,
            subject.user,
            key.id if key.secret_hash in exchange.ctx.plan.keys else "",
            exchange.route.name,
            facts.target,
            tuple([f"{name}={value}" for name, value in exchange.facts.tags.items()]),
            exchange.facts.ts_ms,
            now_ms,
            expires_ms,
            expires_ms + (plan.stale_s * 1000 if self._ttl_s else 0),
            form.api,
            form.framing,
            form.with_usage,
            body,
            facts.usage,
            facts.cost_nanousd,
        )

    def _may_be_kept(self, kept: Kept) -> bool:
        if self._exchange.request.endpoint.task != "chat":
            return True
        reply = reply_from(kept.api, kept.framing, kept.body)
        return reply is not None and is_whole(reply, self._plan.also)


def is_whole(reply: ChatReply, also: frozenset[str]) -> bool:
    """Whether an answer is complete, and of a kind that is kept; `also`: kinds that are kept besides."""
    if not reply.choices:
        return False
    for choice in reply.choices:
        finish = choice.finish or ""
        if finish not in _WHOLE and _ALSO.get(finish, "") not in also:
            return False
        for part in choice.parts:
            if isinstance(part, ToolCall | Opaque) and "tool_calls" not in also:
                return False
            if isinstance(part, Refused) and part.text and "refused" not in also:
                return False
        if finish in _WHOLE and not any(_says(part) for part in choice.parts):
            return False
    return True


def _says(part: object) -> bool:
    return not isinstance(part, Text) or bool(part.text)


def said_in(kept: Kept) -> str:
    """The text of an answer, for comparison with others."""
    reply = reply_from(kept.api, kept.framing, kept.body)
    if reply is None or not reply.choices:
        return ""
    return "".join([part.text for part in reply.choices[0].parts if isinstance(part, Text)])
