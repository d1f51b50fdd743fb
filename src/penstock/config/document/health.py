"""When a target is left alone because of how it does, and how that is found out."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from penstock.config.document.fields import Count, Seconds, Share


class Probe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Requests that Penstock itself makes where nobody else has of late.

    Attributes:
        every_s: Seconds between two probes of a target that nobody else uses.
        kind: `connect` asks the upstream's address for a head, which costs nothing and shows that it can be
            reached; `request` asks the model for one token, and is accounted like any other request.
        timeout_s: Seconds within which it must have answered.
    """

    every_s: Seconds
    kind: Literal["connect", "request"] = "connect"
    timeout_s: Seconds = 10.0


class Health(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a target is left alone, and for how long. Errors of a caller's request never count.

    Attributes:
        enabled: `false` tries a target whatever came of the attempts before.
        failures: So many failures one after the other open its breaker; a timeout counts twice.
        failure_share: Or this share of at least `min_attempts` attempts within `window_s`.
        min_attempts: Attempts below which a share says nothing.
        window_s: Seconds over which the share is taken.
        open_s: Seconds for which the breaker stays open at first; they double with each trial that fails.
        max_open_s: The most seconds to which they double.
        trials: How many requests try a target at the same time when its breaker has been open for so long.
        cooldown_s: Seconds for which a 429 without `Retry-After` keeps others away; they double, too.
        max_cooldown_s: The longest `Retry-After` that is believed, in seconds.
        headroom: Leaves a target when its vendor's rate-limit headers say that the next request will be
            refused.
        slow_factor: An answer that takes so many times the target's own 95th percentile is slow, and counts
            towards `failure_share`; 0 takes no notice.
        probe: Requests of our own; without it there are none.
    """

    enabled: bool = True
    failures: Annotated[int, Meta(ge=1, le=1000)] = 5
    failure_share: Share = 0.5
    min_attempts: Count = 20
    window_s: Seconds = 20.0
    open_s: Seconds = 2.0
    max_open_s: Seconds = 10.0
    trials: Annotated[int, Meta(ge=1, le=100)] = 1
    cooldown_s: Seconds = 1.0
    max_cooldown_s: Seconds = 300.0
    headroom: bool = True
    slow_factor: Annotated[float, Meta(ge=0, le=1000)] = 5.0
    probe: Probe | None = None


class RouteHealth(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a route makes of how its targets do.

    Attributes:
        skip: Passes over targets that are down, cooling down or without room; `false` tries all in order.
        max_slow: The share of a node's targets that may be passed over only because they are slow.
    """

    skip: bool = True
    max_slow: Share = 0.5
