"""What a policy may know of one exchange, put together from what all exchanges share."""

from __future__ import annotations

from penstock.core.exchange import RequestFacts, Subject
from penstock.core.plan import Route, VirtualKey
from penstock.pipeline.context import GatewayContext
from penstock.routing.view import RequestView
from penstock.routing.walk import Walk
from penstock.shapes.openai_request import OpenAIRequest


def view_of(
    ctx: GatewayContext,
    route: Route,
    request: OpenAIRequest,
    facts: RequestFacts,
    subject: Subject,
    key: VirtualKey,
) -> RequestView:
    """The request as predicates and choosing nodes see it."""
    return RequestView(request, facts, subject, key, ctx.learned_of, route.policy, ctx.plan.region, ctx.floors)


def walk_of(ctx: GatewayContext, route: Route, view: RequestView, deadline: float) -> Walk:
    """A new walk through a route's policy; `deadline` in monotonic seconds."""
    walk = Walk(route.retry, ctx.share_of(route.name), view, ctx.standings)
    walk.skips, walk.max_slow = route.skips, route.max_slow
    walk.deadline = deadline
    walk.outside = ctx.outside
    return walk
