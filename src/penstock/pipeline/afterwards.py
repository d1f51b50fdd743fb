"""What happens to an answer once its client has it: drills look at it, copies and judgements begin."""

from __future__ import annotations

from penstock.core.exchange import RequestFacts
from penstock.core.plan import Route, VirtualKey
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.evaluating import Evaluations
from penstock.pipeline.mirroring import Mirrors
from penstock.ports.http_server import HttpRequest, Reply
from penstock.shapes.openai_request import OpenAIRequest


class Afterwards:
    """Gives an exchange the reply whose end begins whatever comes after it."""

    __slots__ = ("_drills", "evaluations", "mirrors")

    def __init__(self, ctx: GatewayContext) -> None:
        self._drills = ctx.drills
        self.mirrors = Mirrors(ctx)
        self.evaluations = Evaluations(ctx)

    def watched(
        self, reply: Reply, request: OpenAIRequest, route: Route, key: VirtualKey, facts: RequestFacts
    ) -> Reply:
        """For every exchange."""
        if self._drills.running:
            reply = self._drills.watched(reply, request, route, facts)
        return self.evaluations.told(reply, request, route, key, facts)

    def copied(
        self,
        reply: Reply,
        http: HttpRequest,
        request: OpenAIRequest,
        route: Route,
        key: VirtualKey,
        facts: RequestFacts,
    ) -> Reply:
        """For an exchange of which nothing is kept, so that its request may be sent again."""
        return self.mirrors.told(reply, http, request, route, key, facts)
