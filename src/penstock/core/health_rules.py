"""When a target is left alone, and where it is: what the Plan says of its health."""

from __future__ import annotations

from typing import Final

import msgspec


class ProbeRule(msgspec.Struct, frozen=True, gc=False):
    """Requests of our own to a target that nobody has used for `every_s`. `asks`: of the model itself."""

    every_s: float
    asks: bool = False
    timeout_s: float = 10.0


class HealthRule(msgspec.Struct, frozen=True, gc=False):
    """When a target is left alone, and for how long; times in seconds, shares in 0..1.

    Attributes:
        on: Whether it is ever left alone.
        failures: So many failures one after the other open the breaker; a timeout counts twice.
        share: Or this share of at least `calls` attempts within `window_s`.
        open_s: How long it stays open at first; each trial that fails doubles that, up to `max_open_s`.
        trials: How many requests try a half-open target at the same time.
        cooldown_s: How long a 429 without `Retry-After` keeps others away at first.
        max_cooldown_s: The longest `Retry-After` that is believed.
        headroom: Whether it is left when the vendor's own headers say that the next request will be refused.
        slow_factor: An answer that takes so many times its p95 of the last minutes is slow, and slow answers
            count towards `share`; 0 takes no notice.
        probe: Requests of our own, None without.
    """

    on: bool = True
    failures: int = 5
    share: float = 0.5
    calls: int = 20
    window_s: float = 20.0
    open_s: float = 2.0
    max_open_s: float = 10.0
    trials: int = 1
    cooldown_s: float = 1.0
    max_cooldown_s: float = 300.0
    headroom: bool = True
    slow_factor: float = 5.0
    probe: ProbeRule | None = None


DEFAULT_RULE: Final[HealthRule] = HealthRule()


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where a target is, and when it is left alone; `region` is empty where it is not known."""

    provider: str
    region: str = ""
    rule: HealthRule = DEFAULT_RULE
