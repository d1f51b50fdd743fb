"""What there is to say about vendors' prompt caches: a route reads less from them than it used to.

Pure. What is counted is counted by hour (UTC): answers, their input tokens, and how many of these were read
from a vendor's cache.
"""

from __future__ import annotations

from collections.abc import Iterator

from penstock.core.alerts import Reading, Rule

HOUR_MS = 3_600_000
DROP = 0.1
RECENT_HOURS = 3
EARLIER_HOURS = 7 * 24
LEAST_ANSWERS = 100
_MOST = 10_000
# By route and hour: answers, input tokens, tokens read from a cache.
Reads = dict[str, dict[int, list[int]]]


def count_reads(reads: Reads, route: str, ended_ms: int, input_tokens: int, read_tokens: int) -> None:
    """One more answer."""
    hours = reads.get(route)
    if hours is None:
        if len(reads) >= _MOST:
            return
        hours = reads[route] = {}
    counts = hours.setdefault(ended_ms // HOUR_MS, [0, 0, 0])
    counts[0] += 1
    counts[1] += input_tokens
    counts[2] += min(read_tokens, input_tokens)


def oldest_hour(now_ms: int) -> int:
    """The first hour that a rule still looks at."""
    return now_ms // HOUR_MS - EARLIER_HOURS - RECENT_HOURS


def cache_drops(reads: Reads, now_ms: int, cooldown_ms: int) -> Iterator[Reading]:
    """Routes whose share of cached input in the last whole hours is 10 points below that of the week before."""
    this = now_ms // HOUR_MS
    for route, hours in reads.items():
        recent = _sum(hours, this - RECENT_HOURS, this)
        earlier = _sum(hours, this - RECENT_HOURS - EARLIER_HOURS, this - RECENT_HOURS)
        if min(recent[0], earlier[0]) < LEAST_ANSWERS or not recent[1] or not earlier[1]:
            continue
        # As one fraction: ten points are ten points.
        drop = (earlier[2] * recent[1] - recent[2] * earlier[1]) / (earlier[1] * recent[1])
        now, before = recent[2] / recent[1], earlier[2] / earlier[1]
        yield Reading(
            rule=Rule("prompt_cache.drop", "warning", DROP, DROP * 0.8, cooldown_ms),
            group=f"prompt_cache.drop {route}",
            subject=f"route {route}",
            value=drop,
            message=f"{now:.0%} of the input of the route {route!r} was read from its vendors' caches in "
            f"the last {RECENT_HOURS} hours, {before:.0%} in the week before: compare the prompts with "
            "penstock cache diff",
            labels={"route": route, "share": f"{now:.3f}", "before": f"{before:.3f}"},
        )


def _sum(hours: dict[int, list[int]], first: int, end: int) -> tuple[int, int, int]:
    found = [counts for hour, counts in hours.items() if first <= hour < end]
    return sum(each[0] for each in found), sum(each[1] for each in found), sum(each[2] for each in found)
