"""How an attempt and an exchange are written down: usage, cost, timings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from penstock.core.exchange import AttemptFacts, Outcome
from penstock.core.plan import Route
from penstock.core.usage import NO_USAGE, Usage, UsageSource, total
from penstock.pipeline.media_bounds import media_bound
from penstock.pipeline.tool_bounds import tool_bound
from penstock.pipeline.tool_prices import cost_of
from penstock.routing.policies.structured import FAILED
from penstock.routing.policies.structured import NOTE as STRUCTURED
from penstock.upstream.attempt import Attempt
from penstock.upstream.learned import Learned
from penstock.upstream.told import (
    finish_reason,
    inner_uses,
    model_answered,
    output_chars,
    reported_cost,
    reported_usage,
    service_tier,
)

_FINISHED: Final = frozenset(
    {"stop", "tool_calls", "function_call", "completed", "end_turn", "eos", "stop_sequence"}
)
_NOTHING_SENT: Final = ("connect_", "dns_", "tls_", "stale", "budget", "unpriced")


def settle_attempt(attempt: Attempt, outcome: Outcome, cause: str, learned: Learned) -> AttemptFacts:
    """The attempt's facts; what it taught is learnt on the way."""
    usage = reported_usage(attempt)
    source: UsageSource = "reported"
    target = attempt.target
    card = target.card
    tier = service_tier(attempt)
    cost: int | None
    inner = inner_uses(attempt)
    if usage is not None:
        if outcome == "ok":
            learned.learn(
                attempt.request.prompt_chars,
                usage.input_tokens,
                output_chars(attempt),
                usage.output_tokens,
                usage.cache_read_tokens,
            )
        cost = cost_of(target, usage, inner, tier)
        unmeasured = cost is None and card is not None and not usage.audio_ms
        if unmeasured and card is not None and media_bound(attempt.request, target) is not None:
            # What the vendor reports has no price, such as a request where minutes are charged.
            usage, source = estimate(attempt, outcome, learned), "estimated"
            cost = cost_of(target, usage, (), tier)
    elif _not_billed(attempt, cause):
        usage = NO_USAGE
        cost = 0 if card is not None else None
    else:
        usage = estimate(attempt, outcome, learned)
        source = "estimated"
        cost = cost_of(target, usage, (), tier)
    sent_at = attempt.sent_at
    named = attempt.headers.get(b"x-request-id")
    return AttemptFacts(  # by position: this runs once a request, and names cost twice as much
        attempt.index,
        target.id,
        target.model,
        attempt.opened_ms,
        outcome,
        cause,
        attempt.status,
        usage,
        source,
        cost,
        attempt.reserved_nanousd,
        card.version if card is not None else "",
        model_answered(attempt),
        finish_reason(attempt),
        named.decode("latin-1")[:128] if named is not None else "",
        _us(sent_at, attempt.connected_at),
        _us(sent_at, attempt.first_at),
        _us(sent_at, attempt.ended_at),
        tier,
        reported_cost(attempt),
    )


def _us(start: float, end: float) -> int:
    return int((end - start) * 1_000_000) if end > start else 0


def _not_billed(attempt: Attempt, cause: str) -> bool:
    """Providers do not charge for a request that never arrived or that they answered with an error."""
    return (
        not attempt.reached_upstream
        or attempt.status not in (0, 200)
        or cause.startswith(_NOTHING_SENT)
        or (cause == "stream_error" and not output_chars(attempt))
    )


def estimate(attempt: Attempt, outcome: Outcome, learned: Learned) -> Usage:
    """The usage of an answer whose end was not seen, or that did not say."""
    request = attempt.request
    media = media_bound(request, attempt.target)
    if media is not None:
        text = learned.input_tokens(request.prompt_chars)
        return replace(media.likely, input_tokens=text + media.likely.input_tokens)
    chars = output_chars(attempt)
    if not request.endpoint.cap_fields:
        made = 0
    elif outcome == "ok" or request.stream:
        made = learned.output_tokens(chars)
    else:
        # Nothing of a whole answer is seen before its end: it is taken for one of usual length.
        made = min(learned.typical_output_tokens() * request.choices, attempt.reserved_usage.output_tokens)
    usage = Usage(
        input_tokens=learned.input_tokens(request.prompt_chars),
        output_tokens=made,
        requests=1,
    )
    tools = tool_bound(request, attempt.target, 0, 0)
    return usage if tools is None else total((usage, tools.likely))


def succeeded(route: Route, outcome: Outcome, facts: AttemptFacts, notes: Mapping[str, str]) -> bool:
    """Whether the answer passes the route's quality gate; `notes` are the exchange's."""
    gates = route.success
    if outcome != "ok" or ("finish" in gates and facts.finish_reason not in _FINISHED):
        return False
    if "schema" in gates and notes.get(STRUCTURED) == FAILED:
        return False
    return "not_blocked" not in gates or not any(
        name.startswith("guard.") and verdict.startswith("block") for name, verdict in notes.items()
    )


def total_cost(before: list[AttemptFacts], last: AttemptFacts) -> int | None:
    """The cost of all attempts; None as soon as one of them is unpriced."""
    total = last.cost_nanousd
    for facts in before:
        if total is None or facts.cost_nanousd is None:
            return None
        total += facts.cost_nanousd
    return total
