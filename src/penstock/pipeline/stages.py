"""Which stages stand before a route's first attempt: its guards, then its cache."""

from __future__ import annotations

from penstock.core.plan import Route
from penstock.pipeline.preparing import Stage
from penstock.pipeline.screening import Screening


def stages_of(route: Route) -> list[Stage]:
    """New stages for one exchange, in order. The cache is not built yet."""
    return [Screening(route.screen)] if route.screen is not None else []
