"""What an attempt's end says of its target, told to its standing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from penstock.core.exchange import AttemptFacts
from penstock.core.health import Fault, fault_of
from penstock.pipeline.context import GatewayContext
from penstock.providers.openai.errors import Failure
from penstock.upstream.attempt import Attempt
from penstock.wire.http1 import parse_retry_after

# Why an attempt was let go that had not failed: another one's answer was accepted.
NOT_NEEDED: Final = "not_needed"


def report(ctx: GatewayContext, attempt: Attempt, facts: AttemptFacts, failure: Failure | None) -> None:
    """Tell it; for attempts that began."""
    if not attempt.began_at:
        return
    standing = ctx.standings.of(attempt.target.id)
    now = attempt.ended_at
    if facts.outcome != "ok" and facts.cause == NOT_NEEDED and not attempt.accepted:
        standing.outrun(now, attempt.began_at)
        return
    retry_after_s = failure.retry_after_s if failure is not None else None
    standing.ended(
        now,
        _fault(facts, failure),
        max(0.0, attempt.content_at - attempt.sent_at) if attempt.content_at else 0.0,
        now - attempt.began_at,
        facts.usage.output_tokens,
        attempt.headers,
        ctx.clock.now_ms(),
        retry_after_s if retry_after_s is not None else _asked_s(attempt, ctx),
        facts.usage.input_tokens,
    )


def _fault(facts: AttemptFacts, failure: Failure | None) -> Fault:
    if facts.outcome == "ok":
        return "ok"
    if failure is None:
        return "neutral"
    if failure.cause == "status_429" and failure.verdict == "fallback":
        return "refused"  # the account is empty: no time of waiting fills it
    return fault_of(failure.cause, failure.code)


def _asked_s(attempt: Attempt, ctx: GatewayContext) -> float:
    """A failure that is no HTTP error may come with a Retry-After, too."""
    if attempt.status in {0, 200}:
        return 0.0
    return parse_retry_after(attempt.headers.get(b"retry-after"), ctx.clock.now_ms() / 1000) or 0.0


def left_out(tried: Sequence[AttemptFacts], skipped: Sequence[tuple[str, str]]) -> str:
    """Which targets were not tried, and why; empty where all were."""
    names = {facts.target for facts in tried}
    left = [f"{target} ({reason})" for target, reason in skipped if target not in names]
    return f"; not tried: {', '.join(left)}" if left else ""
