"""When and whether to try the same target again."""

from __future__ import annotations

import msgspec


class RetryRule(msgspec.Struct, frozen=True, gc=False):
    """`attempts` counts all tries on one target, the first included."""

    attempts: int = 2
    backoff_s: float = 0.25
    max_backoff_s: float = 8.0
    max_retry_share: float = 0.2


def backoff_s(rule: RetryRule, tries: int, retry_after_s: float | None, draw: float) -> float | None:
    """Seconds to wait before try number `tries` + 1, with full jitter; `draw` is uniform in [0, 1).

    An upstream's Retry-After is a floor. None where it asks for more than `max_backoff_s`: another target is
    the better answer. Full jitter: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    if retry_after_s is not None and retry_after_s > rule.max_backoff_s:
        return None
    jittered = draw * min(rule.max_backoff_s, rule.backoff_s * 2 ** (tries - 1))
    return max(jittered, retry_after_s or 0.0)
