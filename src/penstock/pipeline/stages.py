"""Which stages stand before a route's first attempt: its guards, then its cache."""

from __future__ import annotations

from penstock.core.plan import Route
from penstock.pipeline.preparing import Stage


def stages_of(route: Route) -> list[Stage]:
    """New stages for one exchange, in order. Neither engine is built yet, so that there are none."""
    del route
    return []
