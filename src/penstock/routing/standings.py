"""How every target stands: breaker, room, latencies; kept across reloads, read whenever a policy chooses.

A target is not tried while its own breaker is open, that of its provider, or that of its provider's region.
Providers and regions open by what tells of them as a whole: connections that do not stand, and several of their
targets down at the same time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from penstock.core.headroom import Headroom
from penstock.core.health import CLOSED, WIDE, Breaker, Fault
from penstock.core.health_rules import DEFAULT_RULE, HealthRule, Place
from penstock.core.latency import SLOT_S, SLOTS, LatencyWindow

MAX_STANDINGS: Final = 16_384
# So many attempts are under way, and none has made progress for far longer than usual: it hangs.
STALLED_CALLS: Final = 4
STALLED: Final = "breaker open: nothing comes back"
_HANGING: Final = frozenset({STALLED, "breaker open: timeout"})
STALLED_LEAST_S: Final = 2.0
STALLED_UNKNOWN_S: Final = 20.0
_SAMPLES: Final = 20
LATE_CALLS: Final = 8
SLOW: Final = "slow: it keeps requests waiting"
_NONE: Final[dict[bytes, bytes]] = {}


class Group:
    """A provider, or one region of it: down when connections fail, or when most of its targets are."""

    __slots__ = ("breaker", "id", "members")

    def __init__(self, group_id: str) -> None:
        self.id = group_id
        self.breaker = Breaker()
        self.members: list[Standing] = []

    def ended(self, now: float, began_at: float, fault: Fault) -> None:
        """An attempt at one of its targets ended."""
        breaker = self.breaker
        if fault in WIDE:
            breaker.ended(now, began_at, fault)
        elif fault in {"neutral", "caller"}:
            breaker.ended(now, began_at, "neutral")
        elif breaker.state == CLOSED:
            breaker.ended(now, began_at, "ok")  # it could be reached
        elif began_at > breaker.changed_at:
            breaker.ended(now, began_at, fault)

    def member_opened(self, now: float) -> None:
        """One of its targets was found down: with two thirds of three or more, the rest is not waited for."""
        tried = [each for each in self.members if each.breaker.opened or each.tried_lately(now)]
        down = [each for each in tried if each.breaker.state != CLOSED]
        if self.breaker.state == CLOSED and len(tried) >= 3 and 3 * len(down) >= 2 * len(tried):
            self.breaker.open(now, 0.0, "breaker open: most of its targets are down")


class Standing:
    """One target. Times are monotonic seconds; every attempt calls `began` once and `ended` once."""

    __slots__ = (
        "_bad",
        "_began",
        "_good",
        "_late",
        "_progress_at",
        "_stamps",
        "_total",
        "_ttft",
        "answered_at",
        "breaker",
        "headroom",
        "id",
        "output_tokens",
        "provider",
        "region",
        "under_way",
    )

    def __init__(self, target_id: str, provider: Group | None = None, region: Group | None = None) -> None:
        self.id = target_id
        self.breaker = Breaker()
        self.provider = provider
        self.region = region
        self.under_way = 0
        # When the last answer came.
        self.answered_at = -1.0e9
        # Tokens of a usual answer, learnt; 0 before there was one.
        self.output_tokens = 0.0
        self.headroom = Headroom()
        self._ttft = LatencyWindow()
        self._total = LatencyWindow()
        self._progress_at = 0.0
        self._late = 0
        self._began = -1.0e9
        self._stamps: list[int] = [-1] * SLOTS
        self._good: list[int] = [0] * SLOTS
        self._bad: list[int] = [0] * SLOTS

    # --- what a policy asks -------------------------------------------------------------------------------

    def closed_to(self, now: float) -> str:
        """Why it should not be tried now, empty where it may."""
        breaker = self.breaker
        reason = breaker.closed_to(now) if breaker.state != CLOSED else ""
        if reason:
            return reason
        if not breaker.rule.on:
            return ""
        if self.headroom.watched and breaker.rule.headroom and self.headroom.short(now):
            return "no room: the vendor's limit is nearly used up"
        if self.under_way >= STALLED_CALLS and self._stalled(now):
            breaker.open(now, 0.0, STALLED)
            self._opened(now)
            return breaker.reason
        return self._group_closed(now)

    def _group_closed(self, now: float) -> str:
        provider, region = self.provider, self.region
        if provider is not None and provider.breaker.state != CLOSED:
            reason = provider.breaker.closed_to(now)
            if reason:
                return f"provider {provider.id}: {reason}"
        if region is not None and region.breaker.state != CLOSED:
            reason = region.breaker.closed_to(now)
            if reason:
                return f"region {region.id}: {reason}"
        return ""

    def _stalled(self, now: float) -> bool:
        if self.breaker.state != CLOSED or self.breaker.rule.slow_factor <= 0.0:
            return False
        return now - self._progress_at > self._patience_s(now)

    def _patience_s(self, now: float) -> float:
        """How long a target may say nothing at all before it is taken for hanging."""
        usual = self._total.usual(0.95, now)
        if usual is None:
            return STALLED_UNKNOWN_S
        return max(STALLED_LEAST_S, self.breaker.rule.slow_factor * usual)

    def hangs(self, now: float, began_at: float) -> bool:
        """Whether an attempt that began then, and has had no answer, will most likely never have one."""
        if now - began_at < STALLED_LEAST_S or not self.closed_to(now):
            return False
        return self.breaker.reason in _HANGING and now - began_at > self._patience_s(now)

    def soft(self) -> bool:
        """Whether it is left only because it is slow: few of a route's targets may be left for that."""
        return self.breaker.reason.startswith("slow")

    def wait_s(self, now: float) -> float:
        """Seconds until it may be tried again: the least bad of closed targets has the fewest."""
        wait_s = max(0.0, self.breaker.until - now) if self.breaker.state != CLOSED else 0.0
        for group in (self.provider, self.region):
            if group is not None and group.breaker.state != CLOSED:
                wait_s = max(wait_s, group.breaker.until - now)
        return max(wait_s, self.headroom.until_s(now)) if self.headroom.watched else wait_s

    def latency_s(self, measure: str, quantile: float, now: float) -> float | None:
        """A quantile of `ttft` or `total` over the last 5 minutes, in seconds; None before there are a few."""
        window = self._ttft if measure == "ttft" else self._total
        return window.quantile(quantile, now)

    def samples(self, measure: str, now: float) -> int:
        """How many durations of `ttft` or `total` the last 5 minutes have."""
        return (self._ttft if measure == "ttft" else self._total).count(now)

    def success(self, now: float) -> tuple[int, int]:
        """Answers, and attempts that say something of the target, in the last 5 minutes."""
        oldest = int(now / SLOT_S) - SLOTS
        good = bad = 0
        for at in range(SLOTS):
            if self._stamps[at] > oldest:
                good += self._good[at]
                bad += self._bad[at]
        return good, good + bad

    def tried_lately(self, now: float) -> bool:
        """Whether anything was sent there in the last minute."""
        return now - self._began < 60.0

    def used_since(self, instant: float) -> bool:
        """Whether anything was sent there since then."""
        return self._began >= instant

    # --- what attempts tell -------------------------------------------------------------------------------

    def began(self, now: float) -> None:
        """An attempt starts."""
        if not self.under_way:
            self._progress_at = now
        self.under_way += 1
        self._began = now
        if self.breaker.state != CLOSED:
            self.breaker.began(now)
        if self.provider is not None and self.provider.breaker.state != CLOSED:
            self.provider.breaker.began(now)
        if self.region is not None and self.region.breaker.state != CLOSED:
            self.region.breaker.began(now)
        self.headroom.began(now)

    def progressed(self, now: float, began_at: float) -> None:
        """The first content of an attempt that began at `began_at` has come: the target answers."""
        self._progress_at = now
        self._late = 0
        if self.breaker.state != CLOSED:
            self.breaker.ended(now, began_at, "ok")

    def late(self, now: float) -> None:
        """An attempt takes longer than most do; many in a row without an answer between make it slow."""
        self._late += 1
        if self._late >= LATE_CALLS and self.breaker.state == CLOSED and self.breaker.rule.on:
            self._late = 0
            self.breaker.open(now, 0.0, SLOW)

    def outrun(self, now: float, began_at: float) -> None:
        """An attempt was let go before any answer, because another one's came first.

        How long it would have taken is not known; that it took so long is.
        """
        waited_s = now - began_at
        self._ttft.add(waited_s, now)
        self._total.add(waited_s, now)
        if self.breaker.state != CLOSED and began_at >= self.breaker.changed_at:
            self.breaker.slow(now, began_at)  # a trial that was too slow
        self.ended(now, "neutral", 0.0, waited_s)

    def reached(self, now: float, began_at: float, fault: Fault) -> None:
        """A probe that only connects: it tells of nothing but whether the target can be reached."""
        if fault == "ok" and not self.breaker.reason.endswith("unreachable"):
            return
        self.breaker.ended(now, began_at, fault)
        for group in (self.provider, self.region):
            if group is not None:
                group.ended(now, began_at, fault)

    def ended(
        self,
        now: float,
        fault: Fault,
        ttft_s: float = 0.0,
        total_s: float = 0.0,
        output_tokens: int = 0,
        headers: dict[bytes, bytes] = _NONE,
        now_ms: int = 0,
        retry_after_s: float = 0.0,
        input_tokens: int = 0,
    ) -> None:
        """An attempt that took `total_s` ended.

        `ttft_s`: until its first content, 0 where it was not streamed. `headers`: those of its answer.
        """
        began_at = now - total_s
        if self.under_way:
            self.under_way -= 1
        if headers:
            self.headroom.heard(headers, now, now_ms, began_at)
        if fault == "ok":
            self._answered(now, began_at, ttft_s, total_s, output_tokens)
            self.headroom.used(output_tokens + input_tokens)
        else:
            was = self.breaker.state
            self.breaker.ended(now, began_at, fault, retry_after_s)
            if fault not in {"neutral", "caller"}:
                self._progress_at = now
                self._count(now, 0, 1)
            if was == CLOSED and self.breaker.state != CLOSED and fault != "limited":
                self._opened(now)
        if self.provider is not None:
            self.provider.ended(now, began_at, fault)
        if self.region is not None:
            self.region.ended(now, began_at, fault)

    def _answered(self, now: float, began_at: float, ttft_s: float, total_s: float, output_tokens: int) -> None:
        self._progress_at = self.answered_at = now
        self._late = 0
        slow = self._is_slow(ttft_s, total_s, now)
        if ttft_s > 0.0:
            self._ttft.add(ttft_s, now)
        self._total.add(total_s, now)
        self._count(now, 1, 0)
        if output_tokens:
            known = self.output_tokens
            self.output_tokens = 0.95 * known + 0.05 * output_tokens if known else float(output_tokens)
        if slow:
            self.breaker.slow(now, began_at)
        else:
            self.breaker.ended(now, began_at, "ok")

    def _is_slow(self, ttft_s: float, total_s: float, now: float) -> bool:
        factor = self.breaker.rule.slow_factor
        if factor <= 0.0:
            return False
        streamed = ttft_s > 0.0
        took_s = ttft_s if streamed else total_s
        if took_s < 0.25:
            return False  # nobody leaves a target for that
        window = self._ttft if streamed else self._total
        usual = window.usual(0.95, now)
        return usual is not None and took_s > factor * usual and window.count(now) >= _SAMPLES

    def _count(self, now: float, good: int, bad: int) -> None:
        stamp = int(now / SLOT_S)
        at = stamp % SLOTS
        if self._stamps[at] != stamp:
            self._stamps[at] = stamp
            self._good[at] = self._bad[at] = 0
        self._good[at] += good
        self._bad[at] += bad

    def _opened(self, now: float) -> None:
        if self.provider is not None:
            self.provider.member_opened(now)
        if self.region is not None:
            self.region.member_opened(now)


class Standings:
    """All targets by id, their providers and regions."""

    def __init__(self) -> None:
        self._known: dict[str, Standing] = {}
        self._groups: dict[str, Group] = {}
        self._places: dict[str, Place] = {}
        self._rule = DEFAULT_RULE

    def apply(self, places: dict[str, Place], rule: HealthRule = DEFAULT_RULE) -> None:
        """A new Plan: where its targets are, and the rule of all others. What is known stays known."""
        self._places = places
        self._rule = rule
        for group in self._groups.values():
            group.members.clear()
        for standing in self._known.values():
            self._settle(standing)

    def of(self, target_id: str) -> Standing:
        """How a target stands."""
        standing = self._known.get(target_id)
        if standing is None:
            standing = Standing(target_id)
            if len(self._known) < MAX_STANDINGS:
                self._known[target_id] = standing
                self._settle(standing)
        return standing

    def _settle(self, standing: Standing) -> None:
        place = self._places.get(standing.id)
        if place is None:
            place = Place(standing.id.partition("/")[0], "", self._rule)
        standing.breaker.rule = place.rule
        standing.provider = self._group(place.provider, standing)
        region = f"{place.provider}@{place.region}" if place.region else ""
        standing.region = self._group(region, standing) if region else None

    def _group(self, group_id: str, member: Standing) -> Group:
        group = self._groups.get(group_id)
        if group is None:
            group = self._groups[group_id] = Group(group_id)
        group.breaker.rule = self._rule
        group.members.append(member)
        return group

    def all(self) -> Iterable[Standing]:
        """Those that were ever tried."""
        return self._known.values()

    def groups(self) -> Iterable[Group]:
        """Their providers, and the regions of these."""
        return self._groups.values()
