"""Which upstreams have connections stand before the first request needs one (docs/adr/0009)."""

from __future__ import annotations

from penstock.adapters.http.client import HttpClient
from penstock.core.origin import Origin
from penstock.core.plan import Plan
from penstock.routing.trees import targets_of

# One for the first request and one for a second beside it; from there on the pool grows with the traffic.
CONNECTIONS = 2
CONNECT_S = 5.0


def warm(transport: HttpClient, plan: Plan) -> None:
    """Open what is missing; an upstream that cannot be reached is left to the first request that needs it."""
    for origin in origins_of(plan):
        transport.warm(origin, CONNECTIONS, CONNECT_S)


def origins_of(plan: Plan) -> set[Origin]:
    """The TLS upstreams that routes and deployments lead to.

    Plain HTTP has no handshake to save. A provider that nothing leads to, such as one that was detected by a
    key in the environment, is not called before somebody asks for it.
    """
    found = {target.origin for target in plan.deployments.values()}
    for route in plan.routes.values():
        found.update([target.origin for target in targets_of(route.policy)])
    return {origin for origin in found if origin.scheme == "https"}
