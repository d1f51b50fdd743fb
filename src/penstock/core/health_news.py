"""What gateways tell each other of breakers."""

from __future__ import annotations

from typing import Literal

import msgspec

# A target, or a provider or region of one.
Kind = Literal["target", "group"]


class BreakerNews(msgspec.Struct, frozen=True, array_like=True):
    """A breaker of the gateway `origin` opened, for `for_s` seconds from now; an empty `reason`: it closed."""

    kind: Kind
    id: str
    origin: str
    reason: str = ""
    for_s: float = 0.0
