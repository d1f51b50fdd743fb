"""What there is to say about routes: fallbacks, retries, models that have changed or will be gone.

Pure: exchanges and instants come in, readings come out. What is counted is counted by minute (fallbacks) and by
day (attempts beyond the first), in UTC.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import msgspec

from penstock.core.alerts import Reading, Rule, Severity
from penstock.core.exchange import FALLBACK_FROM, Drilled, ExchangeSettled
from penstock.core.pins import UNPINNED
from penstock.core.prompt_cache_alerts import Reads, cache_drops, count_reads, oldest_hour

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
FALLBACK_MINUTES = 10
FALLBACK_SHARES: tuple[tuple[float, Severity], ...] = ((0.05, "warning"), (0.2, "critical"))
RETRY_RISE = 0.05
RETRY_DAYS = 14
# Fewer requests than these say nothing.
LEAST_RECENT = 20
LEAST_A_DAY = 100
DEPRECATION_DAYS = 90
URGENT_DAYS = 30
_MOST = 10_000
# A drill is late after so many of its intervals.
DRILL_LATE = 1.5


class Deprecation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of a feed: `model` as a policy names it (`provider/model`), the day on which it is gone.

    `instead` is what its vendor recommends, `source` the page that says so.
    """

    model: str
    date: date
    instead: str = ""
    source: str = ""


class Answered(msgspec.Struct):
    """Which model answers for a target, and when that last changed; 0: never, as far as is known."""

    model: str
    before: str = ""
    changed_ms: int = 0


class LastDrill(msgspec.Struct):
    """When a route was drilled last (its schedule was seen first, where it never was), and how that ended."""

    at_ms: int
    failed_ms: int = 0
    reason: str = ""


class RoutingWatch(msgspec.Struct):
    """What is remembered of exchanges and drills; it can be kept on disk between two starts.

    By route: requests and how many of them fell back (`minutes`, answered ones) or were tried again (`days`).
    """

    days: dict[str, dict[int, list[int]]] = {}
    models: dict[str, Answered] = {}
    minutes: dict[str, dict[int, list[int]]] = {}
    reads: Reads = {}
    drills: dict[str, LastDrill] = {}
    unpinned: dict[str, int] = {}

    def drilled(self, event: Drilled) -> None:
        """A drill has ended. One that nobody was led away by, or that was cut short, proves nothing."""
        if event.verdict in ("done", "stopped"):
            known = self.drills.setdefault(event.route, LastDrill(event.ended_ms))
            known.at_ms = max(known.at_ms, event.ended_ms)
            known.failed_ms = event.ended_ms if event.verdict == "stopped" else 0
            known.reason = event.reason if event.verdict == "stopped" else ""

    def drill_readings(self, every_s: Mapping[str, int], now_ms: int, cooldown_ms: int) -> Iterator[Reading]:
        """Drills that went wrong, and routes that are drilled by schedule and were not for long.

        `every_s` has the seconds between the drills of a route.
        """
        for route, seconds in every_s.items():
            known = self.drills.setdefault(route, LastDrill(now_ms))
            days = (now_ms - known.at_ms) // DAY_MS
            yield Reading(
                rule=Rule("drill.age", "warning", DRILL_LATE, 1.0, cooldown_ms),
                group=f"drill.age {route}",
                subject=f"route {route}",
                value=(now_ms - known.at_ms) / (seconds * 1000),
                message=f"the route {route!r} was last drilled {days} days ago and should be every "
                f"{seconds / 86_400:g} days: whether its fallback would do is not known",
                labels={"route": route, "days": str(days)},
            )
        for route, known in self.drills.items():
            if known.failed_ms:
                yield Reading(
                    rule=Rule("drill.failed", "critical", 1.0, 0.5, cooldown_ms),
                    group=f"drill.failed {route} {known.failed_ms}",
                    subject=f"route {route}",
                    value=1.0,
                    message=f"the failover drill of the route {route!r} was stopped: {known.reason}",
                    labels={"route": route},
                )

    def take(self, event: ExchangeSettled) -> None:
        """One more exchange of a client. Copies and other requests of the gateway's own do not count."""
        if event.request.purpose or not event.attempts:
            return
        route, last = event.request.route, event.attempts[-1]
        other = event.notes.get(UNPINNED)
        if other is not None and (other in self.unpinned or len(self.unpinned) < _MOST):
            self.unpinned[other] = event.ended_ms
        if event.outcome == "ok":
            fell_back = FALLBACK_FROM in event.notes
            _count(self.minutes, route, event.ended_ms // MINUTE_MS, fell_back)
            self._answered(last.target, last.model, last.model_answered, event.ended_ms)
            usage = last.usage
            count_reads(self.reads, route, event.ended_ms, usage.input_tokens, usage.cache_read_tokens)
        targets = {attempt.target for attempt in event.attempts}
        _count(self.days, route, event.ended_ms // DAY_MS, len(event.attempts) > len(targets))

    def _answered(self, target: str, model: str, answered: str, at_ms: int) -> None:
        if not answered:
            return
        key = f"{target} {model}"
        known = self.models.get(key)
        if known is None:
            if len(self.models) < _MOST:
                self.models[key] = Answered(answered)
        elif known.model != answered and at_ms > known.changed_ms:
            self.models[key] = Answered(answered, known.model, at_ms)

    def forget(self, now_ms: int) -> None:
        """Drop what no rule looks at any more."""
        _drop(self.minutes, now_ms // MINUTE_MS - FALLBACK_MINUTES)
        _drop(self.days, now_ms // DAY_MS - RETRY_DAYS - 1)
        _drop(self.reads, oldest_hour(now_ms))

    def readings(self, now_ms: int, cooldown_ms: int) -> Iterator[Reading]:
        """What the rules see now."""
        for route, minutes in self.minutes.items():
            yield from _fallbacks(route, minutes, now_ms, cooldown_ms)
        for route, days in self.days.items():
            yield from _retries(route, days, now_ms, cooldown_ms)
        yield from cache_drops(self.reads, now_ms, cooldown_ms)
        for key, answered in self.models.items():
            if answered.changed_ms > now_ms - DAY_MS:
                yield _changed(key, answered, cooldown_ms)
        for other, at_ms in self.unpinned.items():
            if at_ms > now_ms - DAY_MS:
                yield _unpinned(other, cooldown_ms)


def _count(table: dict[str, dict[int, list[int]]], route: str, slot: int, which: bool) -> None:
    slots = table.get(route)
    if slots is None:
        if len(table) >= _MOST:
            return
        slots = table[route] = {}
    counts = slots.get(slot)
    if counts is None:
        counts = slots[slot] = [0, 0]
    counts[0] += 1
    counts[1] += which


def _drop(table: dict[str, dict[int, list[int]]], oldest: int) -> None:
    for route in list(table):
        kept = {slot: counts for slot, counts in table[route].items() if slot >= oldest}
        if kept:
            table[route] = kept
        else:
            del table[route]


def _fallbacks(route: str, minutes: dict[int, list[int]], now_ms: int, cooldown_ms: int) -> Iterator[Reading]:
    first = now_ms // MINUTE_MS - FALLBACK_MINUTES + 1
    recent = [counts for minute, counts in minutes.items() if minute >= first]
    answered, fell_back = sum(each[0] for each in recent), sum(each[1] for each in recent)
    share = fell_back / answered if answered >= LEAST_RECENT else 0.0
    for threshold, severity in FALLBACK_SHARES:
        yield Reading(
            rule=Rule("fallback.share", severity, threshold, threshold * 0.8, cooldown_ms),
            group=f"fallback.share {route}",
            subject=f"route {route}",
            value=share,
            message=f"{share:.0%} of the answers of the route {route!r} in the last {FALLBACK_MINUTES} minutes "
            f"came from another target than its first one ({fell_back} of {answered})",
            labels={"route": route, "answers": str(answered), "fallbacks": str(fell_back)},
        )


def _retries(route: str, days: dict[int, list[int]], now_ms: int, cooldown_ms: int) -> Iterator[Reading]:
    # Yesterday is the last day that is whole.
    recent, earlier = now_ms // DAY_MS - 1, now_ms // DAY_MS - 1 - RETRY_DAYS
    now, before = days.get(recent, [0, 0]), days.get(earlier, [0, 0])
    if min(now[0], before[0]) < LEAST_A_DAY:
        return
    # As one fraction: five points are five points.
    rise = (now[1] * before[0] - before[1] * now[0]) / (now[0] * before[0])
    yield Reading(
        rule=Rule("retry.rise", "warning", RETRY_RISE, RETRY_RISE * 0.8, cooldown_ms),
        group=f"retry.rise {route}",
        subject=f"route {route}",
        value=rise,
        message=f"{now[1] / now[0]:.1%} of yesterday's requests to the route {route!r} were tried again, "
        f"{before[1] / before[0]:.1%} two weeks earlier",
        labels={"route": route},
    )


def _changed(key: str, answered: Answered, cooldown_ms: int) -> Reading:
    target, _, model = key.partition(" ")
    return Reading(
        rule=Rule("model.changed", "warning", 1.0, 0.5, cooldown_ms),
        group=f"model.changed {key} {answered.model}",
        subject=f"target {target}",
        value=1.0,
        message=f"{target} was asked for {model!r} and is now answered by {answered.model!r}, before by "
        f"{answered.before!r}: compare quality and cost before you trust it",
        labels={"target": target, "asked": model, "answered": answered.model, "before": answered.before},
    )


def _unpinned(other: str, cooldown_ms: int) -> Reading:
    target, _, answered = other.partition(": ")
    return Reading(
        rule=Rule("model.changed", "critical", 1.0, 0.5, cooldown_ms),
        group=f"model.changed pin {other}",
        subject=f"target {target}",
        value=1.0,
        message=f"{target} is pinned to another model than {answered!r}, which answered for it",
        labels={"target": target, "answered": answered},
    )


def deprecations(
    feed: Sequence[Deprecation], routes: dict[str, frozenset[str]], today: date, cooldown_ms: int
) -> Iterator[Reading]:
    """Models that will be gone within 90 days, with the routes that lead to them.

    `routes` has the names of all targets by route.
    """
    for line in feed:
        concerned = sorted(name for name, targets in routes.items() if line.model in targets)
        left = (line.date - today).days
        if not concerned or left > DEPRECATION_DAYS:
            continue
        names = ", ".join(concerned)
        gone = f"is gone since {line.date}" if left < 0 else f"will be gone on {line.date}, in {left} days"
        task = f"move {names} to {line.instead or 'another model'}: mirror it first, then canary, then change"
        yield Reading(
            rule=Rule(
                "model.deprecated", "critical" if left <= URGENT_DAYS else "warning", 0.0, -0.5, cooldown_ms
            ),
            group=f"model.deprecated {line.model} {line.date} {left <= URGENT_DAYS}",
            subject=f"model {line.model}",
            value=float(DEPRECATION_DAYS - left),
            message=f"{line.model} {gone}; routes that lead to it: {names}. Task: {task}",
            labels={
                "model": line.model,
                "date": line.date.isoformat(),
                "routes": names,
                "instead": line.instead,
                "source": line.source,
                "task": task,
            },
        )
