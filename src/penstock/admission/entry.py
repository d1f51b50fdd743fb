"""An exchange's way in: a request of every rate, a place among those under way, all of them or none."""

from __future__ import annotations

from typing import Final

from penstock.admission.accounts import Allowance
from penstock.admission.counters import FOREVER_S, Counter
from penstock.admission.waiting import OK, WAIT
from penstock.core.errors import Refusal

_SPANS: Final = {1.0: "second", 60.0: "minute", 3600.0: "hour", 86_400.0: "day"}


def enter(allowance: Allowance, now: float, now_ms: int) -> Counter | None:
    """Take a place and count the request everywhere.

    The counter to wait for where that cannot be decided yet; then nothing is held. Raises Refusal, likewise.
    """
    taken: list[Counter] = []
    for counters in (allowance.slots, allowance.requests):
        for counter in counters:
            code = counter.take(1, now, now_ms)
            if code == OK:
                taken.append(counter)
                continue
            for each in taken:
                each.settle(1, 0, now, now_ms)
            if code == WAIT:
                return counter
            raise refusal_of(counter, 1, now, now_ms)
    return None


def leave(allowance: Allowance, now: float, now_ms: int) -> None:
    """The exchange is over: its place is free."""
    for counter in allowance.slots:
        counter.settle(1, 1, now, now_ms)


def refusal_of(counter: Counter, amount: int, now: float, now_ms: int) -> Refusal:
    """What a caller is told whose `amount` does not fit."""
    who, wait_s = told(counter.account), counter.wait_s(amount, now, now_ms)
    if counter.unknown():
        what = f"what {who} has left cannot be asked for just now; try again"
        return Refusal("limits_unavailable", what, retry_after_s=1.0)
    if counter.unit == "tally":
        what = f"{who} has made the {counter.limit} requests that it may; end it, or begin another one"
        return Refusal("session_exhausted", what)
    if counter.unit == "slots":
        what = f"{who} may have {counter.limit} requests under way; wait for one to end"
        return Refusal("too_many_concurrent", what, retry_after_s=wait_s)
    span = _SPANS.get(counter.window_s, f"{counter.window_s:g} s")
    what = f"{who} may use {counter.limit} {counter.unit.replace('_', ' ')} a {span}"
    if counter.unit == "requests":
        what = f"{who} may send {counter.limit} requests a {span}"
    if wait_s == FOREVER_S:
        return Refusal("rate_limited", f"{what}, and this request alone needs {amount}")
    return Refusal("rate_limited", f"{what}; the next fits in {wait_s:.1f} s", retry_after_s=wait_s)


def told(account: str) -> str:
    """An account in words: `key:dev` is "the key dev"."""
    kind, _, name = account.partition(":")
    if kind == "throttle":
        return f"whoever the throttle {name.partition('/')[2]} binds"
    if kind in ("key", "route", "deployment", "org"):
        return f"the {'organisation' if kind == 'org' else kind} {name}"
    return f"the {kind} {name.partition('/')[2]}"
