"""Failover drills."""

from __future__ import annotations

from typing import Any

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from penstock.control.api.resources import NamePath, Reason
from penstock.control.drills import DrillDesk
from penstock.control.objects import Asker
from penstock.control.plane import ControlPlane

Schema = dict[str, Any]


@get(
    "/drills",
    operation_id="get_drills",
    summary="Failover drills under way on this machine, and the last one of each route",
    tags=["routes"],
    sync_to_thread=True,
)
def listing(asker: NamedDependency[Asker], plane: NamedDependency[ControlPlane]) -> Response[dict[str, Any]]:
    """`running` has one entry for each gateway, `last` what the ledger knows."""
    return Response(DrillDesk(plane).page(asker), headers={"cache-control": "no-store"})


@post(
    "/routes/{name:str}/drill",
    operation_id="begin_drill",
    summary="Lead a share of this route's live traffic to a fallback for a while",
    tags=["routes"],
    status_code=200,
    sync_to_thread=True,
)
def begin(
    asker: NamedDependency[Asker],
    plane: NamedDependency[ControlPlane],
    name: NamePath,
    sent: NamedDependency[dict[str, Any]],
) -> dict[str, Any]:
    """Every gateway of this machine takes part, and stops by itself where it goes wrong."""
    return DrillDesk(plane).begin(asker, name, sent)


@delete(
    "/routes/{name:str}/drill",
    operation_id="stop_drill",
    summary="Stop the drill of this route",
    tags=["routes"],
    status_code=200,
    sync_to_thread=True,
)
def stop(
    asker: NamedDependency[Asker],
    plane: NamedDependency[ControlPlane],
    name: NamePath,
    reason: Reason = "",
) -> dict[str, Any]:
    """The next request goes its usual way; those under way end where they are."""
    return DrillDesk(plane).stop(asker, name, reason)


HANDLERS: list[HTTPRouteHandler] = [listing, begin, stop]


def drill_schema() -> Schema:
    """The body that begins a drill."""
    numbers = {
        "percent": ("Share of those who ask, 5 at most.", 0.0, 5.0),
        "for_s": ("How long, in seconds.", 0.0, 86_400.0),
        "max_cost_ratio": ("How many times the usual cost is borne.", 1.0, 100.0),
        "max_slowdown": ("How many times the usual time is borne.", 1.0, 100.0),
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["to"],
        "properties": {
            "to": {"type": "string", "description": "The fallback, one of the route's targets."},
            "reason": {"type": "string", "description": "Why, for the audit log."},
            **{
                name: {"type": "number", "exclusiveMinimum": least, "maximum": most, "description": text}
                for name, (text, least, most) in numbers.items()
            },
        },
    }
