"""The journal's events as rows of the ledger."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from penstock.core.exchange import (
    AdmissionRefused,
    AttemptFacts,
    AttemptOpened,
    Drilled,
    ExchangeSettled,
    RequestFacts,
    Subject,
)
from penstock.core.usage import NO_USAGE, Usage

Row = tuple[Any, ...]
_encode = msgspec.json.Encoder(order="deterministic").encode


def exchange_row(event: ExchangeSettled) -> Row:
    """One exchange in the order of `EXCHANGE_COLUMNS`; counts and costs are sums over its attempts.

    The cost is NULL as soon as one attempt is unpriced; `spent_nanousd` is the part that is known.
    """
    request, subject, attempts = event.request, event.subject, event.attempts
    last = attempts[-1] if attempts else _NOTHING
    costs = [attempt.cost_nanousd for attempt in attempts]
    known = sum([cost for cost in costs if cost is not None])
    estimated = "estimated" in [attempt.usage_source for attempt in attempts]
    return (
        *(request.request_id, request.ts_ms, event.ended_ms),
        *(subject.org, subject.team, subject.user, subject.key),
        *(request.route, last.target, request.dialect, request.endpoint, request.model),
        *(last.model_answered or last.model, request.stream),
        *(request.session, request.task, request.prompt_version, request.feature),
        _encode(request.tags).decode(),
        len(attempts),
        _causes(attempts) if len(attempts) > 1 else "{}",
        *(event.outcome, event.status, event.code, last.finish_reason, event.success, event.cache),
        *(event.ttft_us, event.total_us, event.overhead_us),
        *(last.connect_us, last.first_byte_us, sum([attempt.total_us for attempt in attempts])),
        *(event.bytes_in, event.bytes_out),
        "estimated" if estimated else "reported",
        None if None in costs else known,
        known,
        last.price_card,
        last.service_tier,
        _reported(attempts),
        *(request.purpose, request.parent),
        _encode(event.notes).decode() if event.notes else "{}",
        *msgspec.structs.astuple(_sum([attempt.usage for attempt in attempts])),
    )


def _causes(attempts: list[AttemptFacts]) -> str:
    """How often the attempts before the last one ended how."""
    return _encode(Counter(attempt.cause or attempt.outcome for attempt in attempts[:-1])).decode()


def attempt_row(request: RequestFacts, subject: Subject, attempt: AttemptFacts) -> Row:
    """One attempt in the order of `ATTEMPT_COLUMNS`."""
    return (
        *(request.request_id, attempt.index, subject.key, attempt.target, attempt.model),
        *(attempt.opened_ms, attempt.outcome, attempt.cause, attempt.status),
        *(attempt.usage_source, attempt.cost_nanousd, attempt.reserved_nanousd, attempt.price_card),
        *(attempt.model_answered, attempt.finish_reason, attempt.upstream_request_id),
        *(attempt.connect_us, attempt.first_byte_us, attempt.total_us, attempt.service_tier),
        attempt.reported_cost_nanousd,
        *msgspec.structs.astuple(attempt.usage),
    )


def refusal_row(boot: str, seq: int, event: AdmissionRefused) -> Row:
    """One request turned away in the order of `REFUSAL_COLUMNS`."""
    request, subject = event.request, event.subject
    return (
        *(boot, seq, request.request_id, request.ts_ms),
        *(subject.org, subject.team, subject.user, subject.key),
        *(request.route, request.model, request.dialect, request.endpoint, event.status, event.code),
    )


def drill_row(boot: str, seq: int, event: Drilled) -> Row:
    """What came of a drill in one gateway, in the order of `DRILL_COLUMNS`."""
    return (
        *(boot, seq, event.id, event.route, event.target, event.share, event.began_ms, event.ended_ms),
        *(event.verdict, event.reason, int(event.planned), _encode(event.report).decode()),
    )


def interrupted(event: AttemptOpened) -> AttemptFacts:
    """The end of an attempt whose process died: charged, as an estimate, at what it had reserved."""
    return AttemptFacts(
        index=event.index,
        target=event.target,
        model=event.model,
        opened_ms=event.at_ms,
        outcome="interrupted",
        cause="interrupted",
        usage=event.reserved,
        usage_source="estimated",
        cost_nanousd=event.reserved_nanousd,
        reserved_nanousd=event.reserved_nanousd,
        price_card=event.price_card,
        service_tier=event.service_tier,
    )


def _reported(attempts: list[AttemptFacts]) -> int | None:
    """What the vendors say that they bill; None as soon as an attempt that consumed something does not say."""
    told = [attempt.reported_cost_nanousd for attempt in attempts]
    known = [cost for cost in told if cost is not None]
    silent = any(
        cost is None and attempt.usage != NO_USAGE for cost, attempt in zip(told, attempts, strict=True)
    )
    return None if silent or not known else sum(known)


def _sum(usages: list[Usage]) -> Usage:
    if len(usages) == 1:
        return usages[0]
    if not usages:
        return NO_USAGE
    return Usage(*map(sum, zip(*(msgspec.structs.astuple(usage) for usage in usages), strict=True)))


_NOTHING = AttemptFacts(index=0, target="", model="", opened_ms=0, outcome="ok")
