"""`GET /v1/usage`: what the caller may use, has used, and has left, of every account that binds its key."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.admission.accounts import Account, Accounts
from penstock.admission.allowances import key_allowance, throttles_of, user_of
from penstock.admission.counters import BudgetCounter, Counter
from penstock.core.budget import FOREVER_MS, window_bounds
from penstock.core.plan import Plan, VirtualKey
from penstock.pipeline.heads import dollars

_SPANS = {1.0: "second", 60.0: "minute", 3600.0: "hour", 86_400.0: "day"}
_encode = msgspec.json.Encoder().encode


def usage_body(accounts: Accounts, plan: Plan, key: VirtualKey, now: float, now_ms: int) -> bytes:
    """JSON. Money is decimal text in dollars, exact; what is reserved by requests under way counts as used."""
    found = key_allowance(accounts, plan, key, now_ms).accounts
    subject = key.subject
    throttles = throttles_of(plan, subject.org, user_of(key), subject.key, now_ms)
    return _encode(
        {
            "object": "usage",
            "key": subject.key,
            "org": subject.org,
            "team": subject.team or None,
            "user": user_of(key) or None,
            "accounts": [told_of(account, now, now_ms) for account in found],
            "throttles": [
                {
                    "name": each.name,
                    "account": each.account,
                    "until_ms": each.until_ms,
                    "why": each.why,
                    "downgrade": each.downgrade_to or None,
                }
                for each in throttles
            ],
        }
    )


def told_of(account: Account, now: float, now_ms: int) -> dict[str, Any]:
    """One account: its limits, its slots, its budgets."""
    budgets = zip(account.budgets, account.rule.budgets, strict=True)
    return {
        "account": account.id,
        "limits": [_limit(counter, now, now_ms) for counter in (*account.requests, *account.tokens)],
        "concurrency": [_limit(counter, now, now_ms) for counter in account.slots],
        "budgets": [
            {
                "window": rule.window,
                "timezone": rule.timezone,
                "hard": rule.hard,
                "ends_ms": _end(rule.window, rule.timezone, now_ms),
                "limit_usd": dollars(rule.limit_nanousd).decode(),
                "used_usd": dollars(counter.used(now, now_ms)).decode(),
                "reserved_usd": _reserved(counter),
                "left_usd": dollars(counter.left(now, now_ms)).decode(),
            }
            for counter, rule in budgets
            if rule.limit_nanousd or rule.hard  # none of nothing: a throttle's downgrade
        ],
    }


def _end(window: Any, timezone: str, now_ms: int) -> int | None:
    end = window_bounds(window, now_ms, timezone)[1]
    return end if end < FOREVER_MS else None


def _reserved(counter: Counter) -> str | None:
    return dollars(counter.budget.reserved_nanousd).decode() if isinstance(counter, BudgetCounter) else None


def _limit(counter: Counter, now: float, now_ms: int) -> dict[str, Any]:
    told: dict[str, Any] = {"unit": "requests" if counter.unit == "slots" else counter.unit}
    if counter.window_s:
        told["per"] = _SPANS.get(counter.window_s, f"{counter.window_s:g} s")
    return {
        **told,
        "limit": counter.limit,
        "used": counter.used(now, now_ms),
        "left": counter.left(now, now_ms),
    }
