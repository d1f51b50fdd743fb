"""Which stages stand before a route's first attempt: its guards, then its cache."""

from __future__ import annotations

from penstock.core.plan import Route
from penstock.pipeline.caching import Caching
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.preparing import Stage
from penstock.pipeline.screening import Screening


def stages_of(ctx: GatewayContext, route: Route) -> list[Stage]:
    """New stages for one exchange, in order."""
    stages: list[Stage] = []
    if route.screen is not None:
        stages.append(Screening(route.screen))
    if route.cache is not None:
        stages.append(Caching(route.cache, ctx.caches))
    return stages
