"""How targets stand, for people and for other processes."""

from __future__ import annotations

from penstock.core.health import CLOSED, STATES
from penstock.routing.standings import Group, Standing, Standings


def told(standings: Standings, now: float) -> dict[str, object]:
    """Every target that was ever tried, every provider and region."""
    return {
        "targets": [target_told(each, now) for each in standings.all()],
        "groups": [_group_told(each, now) for each in standings.groups()],
    }


def target_told(standing: Standing, now: float) -> dict[str, object]:
    """One target; durations of the last 5 minutes in milliseconds, None before there are a few."""
    good, tried = standing.success(now)
    breaker = standing.breaker
    reason = standing.closed_to(now)
    return {
        "target": standing.id,
        "provider": standing.provider.id if standing.provider is not None else "",
        "region": standing.region.id if standing.region is not None else "",
        "open": not reason,
        "reason": reason,
        "breaker": STATES[breaker.state],
        "opened": breaker.opened,
        "retry_in_s": round(standing.wait_s(now), 3),
        "under_way": standing.under_way,
        "answers": good,
        "attempts": tried,
        "ttft_p50_ms": _ms(standing, "ttft", 0.5, now),
        "ttft_p95_ms": _ms(standing, "ttft", 0.95, now),
        "total_p50_ms": _ms(standing, "total", 0.5, now),
        "total_p95_ms": _ms(standing, "total", 0.95, now),
        "output_tokens": round(standing.output_tokens),
        "left": standing.headroom.told(now),
    }


def _ms(standing: Standing, measure: str, share: float, now: float) -> int | None:
    found = standing.latency_s(measure, share, now)
    return None if found is None else round(found * 1000)


def _group_told(group: Group, now: float) -> dict[str, object]:
    breaker = group.breaker
    reason = breaker.closed_to(now) if breaker.state != CLOSED else ""
    answers = tried = 0
    for member in group.members:
        good, total = member.success(now)
        answers += good
        tried += total
    return {
        "id": group.id,
        "kind": "region" if "@" in group.id else "provider",
        "open": not reason,
        "reason": reason,
        "breaker": STATES[breaker.state],
        "targets": len(group.members),
        "answers": answers,
        "attempts": tried,
    }
