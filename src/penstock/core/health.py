"""Whether a target should be tried just now: what its last attempts say, as a state machine without a clock.

A breaker is *closed* (requests pass), *open* (none passes until an instant), or *half-open* (so many may try).
It opens by failures of the provider, never by errors of a caller's request, and for longer each time that a
trial fails. After M. Nygard, "Release It!", 2nd edition, 2018, chapter 5; outliers after Envoy's outlier
detection.
"""

from __future__ import annotations

from typing import Final, Literal

from penstock.core.health_rules import DEFAULT_RULE, HealthRule

# What an attempt's end says of its target.
#   ok           an answer
#   caller       the request is at fault: it says nothing about the target
#   neutral      nobody is at fault: cancelled, refused by ourselves, a connection that had idled too long
#   limited      429: too much for this credential, though the provider may be well
#   overload     503, 529: too much for the provider
#   timeout      no answer in time
#   unreachable  no connection: refused, no address, no TLS
#   failed       5xx, or what came was no answer: garbage, a stream that broke
#   refused      our credential or account is refused: 401, 402, 403, no quota
Fault = Literal["ok", "caller", "neutral", "limited", "overload", "timeout", "unreachable", "failed", "refused"]

_STATUS: Final[dict[str, Fault]] = {
    "status_401": "refused",
    "status_402": "refused",
    "status_403": "refused",
    "status_408": "timeout",
    "status_425": "overload",
    "status_429": "limited",
    "status_503": "overload",
    "status_504": "timeout",
    "status_529": "overload",
}
_CAUSES: Final[dict[str, Fault]] = {
    "": "ok",
    "connect_refused": "unreachable",
    "connect_timeout": "unreachable",
    "connect_error": "unreachable",
    "dns_error": "unreachable",
    "tls_error": "unreachable",
    "first_event_timeout": "timeout",
    "idle_timeout": "timeout",
    "total_timeout": "timeout",
    "stalled": "timeout",
    "reset": "failed",
    "cut": "failed",
    "bad_response": "failed",
    "garbage": "failed",
    "unpinned": "failed",
    "stream_error": "failed",
}
# What tells of a provider as a whole, and not only of one model there.
WIDE: Final[frozenset[Fault]] = frozenset({"unreachable"})
# Where another target that is open takes over at once, instead of a second try at this one.
OVERLOADED: Final[frozenset[Fault]] = frozenset({"limited", "overload", "timeout", "unreachable", "refused"})
_BAD: Final[frozenset[Fault]] = frozenset({"overload", "timeout", "unreachable", "failed", "refused"})


def fault_of(cause: str, code: str = "") -> Fault:
    """What a cause of `core.exchange.AttemptFacts` says of the target.

    `code` is that of the error the client would see: it tells apart what a stream's error event says, and a
    wrong key that a vendor calls a bad request.
    """
    if cause == "stream_error":
        if code == "upstream_rate_limited":
            return "limited"
        return "overload" if code == "upstream_overloaded" else "failed" if code else "caller"
    if code == "upstream_auth":
        return "refused"
    if cause.startswith("status_"):
        found = _STATUS.get(cause)
        if found is not None:
            return found
        return "failed" if cause >= "status_5" or cause < "status_4" else "caller"
    return _CAUSES.get(cause, "neutral")


CLOSED: Final = 0
OPEN: Final = 1
HALF_OPEN: Final = 2
STATES: Final = ("closed", "open", "half_open")


class Breaker:
    """The breaker of one target, provider or region. `now` and `began_at` are monotonic seconds.

    `reason` says why it is not closed, in words of low cardinality. `until`: when it may be tried again.
    """

    __slots__ = (
        "_bad",
        "_before_bad",
        "_before_calls",
        "_calls",
        "_closed_at",
        "_half",
        "_opened_for_s",
        "_streak",
        "_trials",
        "_tried_at",
        "changed_at",
        "opened",
        "reason",
        "rule",
        "state",
        "until",
    )

    def __init__(self, rule: HealthRule = DEFAULT_RULE) -> None:
        self.rule = rule
        self.state: int = CLOSED
        self.reason = ""
        self.until = 0.0
        self.changed_at = 0.0
        self.opened = 0
        self._opened_for_s = 0.0
        self._closed_at = 0.0
        self._streak = 0
        self._trials = 0
        self._tried_at = 0.0
        # Two halves of `window_s`: the share is that of this half and the one before.
        self._half = 0.0
        self._calls = self._bad = 0
        self._before_calls = self._before_bad = 0

    def closed_to(self, now: float) -> str:
        """Why nothing should be sent now; empty where it may be tried."""
        if self.state == CLOSED or not self.rule.on:
            return ""
        if self.state == OPEN:
            if now < self.until:
                return self.reason
            self.state = HALF_OPEN
            self._trials = 0
        if self._trials < self.rule.trials or now - self._tried_at > max(self._opened_for_s, 5.0):
            return ""
        return "half-open: its trial is under way"

    def began(self, now: float) -> None:
        """An attempt starts."""
        if self.state == OPEN and now >= self.until:
            self.state = HALF_OPEN
            self._trials = 0
        if self.state == HALF_OPEN:
            self._trials += 1
            self._tried_at = now

    def ended(self, now: float, began_at: float, fault: Fault, retry_after_s: float = 0.0) -> None:
        """An attempt that began at `began_at` ended; `retry_after_s` is what the provider asks for."""
        if fault in {"neutral", "caller"}:
            if self.state == HALF_OPEN and began_at >= self.changed_at and self._trials:
                self._trials -= 1
                if fault == "caller":
                    self._close(now)  # it answered, as far as this request let it
        elif fault == "ok":
            self._good(now, began_at)
        elif fault == "limited" or retry_after_s > 0.0:
            self._limited(now, began_at, fault, retry_after_s)
        elif fault in _BAD:
            self._failed(now, began_at, fault)

    def _good(self, now: float, began_at: float) -> None:
        if self.state == CLOSED:
            self._streak = 0
            self._count(now, 0)
        elif began_at >= self.changed_at:
            # A trial, or somebody who had nowhere else to go.
            self._close(now)

    def slow(self, now: float, began_at: float) -> None:
        """An answer came, far later than usual."""
        if self.state == CLOSED:
            self._count(now, 1)
            if self._over():
                self.open(now, 0.0, "slow: far above its usual latency")
        elif began_at >= self.changed_at:
            self.open(now, 0.0, "slow: far above its usual latency")

    def _limited(self, now: float, began_at: float, fault: Fault, retry_after_s: float) -> None:
        rule = self.rule
        reason = "cooling down: rate limited" if fault == "limited" else "cooling down: overloaded"
        asked_s = min(retry_after_s, rule.max_cooldown_s)
        if self.state != CLOSED and began_at < self.changed_at:
            self.until = max(self.until, now + asked_s)  # one of many that were under way then
        else:
            self.open(now, asked_s, reason, rule.cooldown_s)

    def _failed(self, now: float, began_at: float, fault: Fault) -> None:
        reason = "breaker open: " + fault
        if self.state == CLOSED:
            self._streak += 2 if fault == "timeout" else 1
            self._count(now, 1)
            if self._streak >= self.rule.failures or self._over():
                self.open(now, 0.0, reason)
        elif began_at >= self.changed_at:
            self.open(now, 0.0, reason)

    def open(self, now: float, least_s: float, reason: str, first_s: float = 0.0) -> None:
        """Let nothing pass for `least_s`, or for as long as its history says, if that is longer."""
        rule = self.rule
        if self.state == CLOSED and now - self._closed_at > self._opened_for_s:
            self._opened_for_s = 0.0  # it has been well for longer than it was closed to: that is forgotten
        last = self._opened_for_s
        own_s = min(rule.max_open_s, 2.0 * last if last else first_s or rule.open_s)
        if self.state == OPEN and now < self.until:
            own_s = last  # somebody tried although it is open: that it fails is no news
        self._opened_for_s = own_s
        self.state = OPEN
        self.until = max(now + max(own_s, least_s), self.until)
        self.reason = reason
        self.changed_at = now
        self.opened += 1
        self._streak = self._trials = 0
        self._calls = self._bad = self._before_calls = self._before_bad = 0

    def adopt(self, now: float, for_s: float, reason: str) -> None:
        """Another gateway has found it so: nothing passes for so long, and then it is tried here."""
        self._opened_for_s = for_s
        self.state = OPEN
        self.until = now + for_s
        self.reason = reason
        self.changed_at = now
        self._streak = self._trials = 0

    def release(self, now: float) -> None:
        """The gateway from which it was adopted has found it well."""
        if self.state != CLOSED:
            self._close(now)

    def _close(self, now: float) -> None:
        self.state = CLOSED
        self.reason = ""
        self.changed_at = self._closed_at = now
        self._streak = self._trials = 0
        self.until = 0.0

    def _count(self, now: float, bad: int) -> None:
        half_s = 0.5 * self.rule.window_s
        if now - self._half >= half_s:
            recent = now - self._half < 2.0 * half_s
            self._before_calls = self._calls if recent else 0
            self._before_bad = self._bad if recent else 0
            self._calls = self._bad = 0
            self._half = now
        self._calls += 1
        self._bad += bad

    def _over(self) -> bool:
        calls = self._calls + self._before_calls
        return calls >= self.rule.calls and self._bad + self._before_bad >= self.rule.share * calls
