"""Failover drills on this machine: begun by somebody or by the clock, stopped by anybody who may.

Gateways drill and stop by themselves; here they are begun together, and where one has stopped all others do.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from typing import Any

import msgspec

from penstock.config.document import Document
from penstock.control.audit import Actor, Event
from penstock.control.objects import Asker, Objects
from penstock.control.plane import ControlPlane
from penstock.control.problems import Denied
from penstock.core.drills import DrillRule
from penstock.core.permissions import Target, allows

CLOCK = Actor(name="clock", kind="clock")
# How soon after its start a control process begins drills that are due, and how soon it tries again.
FIRST_MS, AGAIN_MS = 600_000, 3_600_000
MAX_SHARE, MAX_FOR_S = 0.05, 86_400
log = logging.getLogger("penstock.control")


class DrillRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked for; `for_s` in seconds."""

    to: str
    percent: float = 1.0
    for_s: float = 900.0
    max_cost_ratio: float = 2.0
    max_slowdown: float = 3.0
    reason: str = ""


class Planned(msgspec.Struct, frozen=True):
    """A drill by schedule."""

    asked: DrillRequest
    every_s: int


def planned_of(document: Document) -> dict[str, Planned]:
    """The drills by schedule, by route."""
    return {
        name: Planned(
            DrillRequest(
                to=route.drill.to,
                percent=route.drill.percent,
                for_s=float(route.drill.for_s),
                max_cost_ratio=route.drill.max_cost_ratio,
                max_slowdown=route.drill.max_slowdown,
            ),
            route.drill.every,
        )
        for name, route in document.routes.items()
        if route.drill is not None
    }


class DrillDesk:
    """Begins, lists and stops them."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane

    def begin(self, asker: Asker, route: str, sent: dict[str, Any]) -> dict[str, Any]:
        """Begin one in every gateway of this machine. Raises Denied, StoreError."""
        Objects(self._plane).get(asker, "route", "", route)
        try:
            asked = msgspec.convert(sent, DrillRequest, strict=False)
        except msgspec.ValidationError as error:
            raise Denied("invalid_request", f"the drill cannot be read: {error}") from None
        if not 0 < asked.percent <= MAX_SHARE * 100 or not 0 < asked.for_s <= MAX_FOR_S:
            raise Denied("invalid_request", "a drill leads away up to 5 percent, for up to 24 hours")
        event = Event(action="drill", kind="route", org="", team="", name=route, reason=asked.reason)
        self._allowed(asker, event)
        rule = rule_of(route, asked)
        found, refused = begun(self._plane, rule)
        if not found:
            raise Denied("drill_refused", refused[0] if refused else "no gateway answers on this machine")
        detail = f"to {asked.to}, {asked.percent:g} percent, {asked.for_s:g} s"
        self._plane.note(asker.actor, msgspec.structs.replace(event, detail=detail))
        return {"id": rule.id, "gateways": found, "refused": refused}

    def stop(self, asker: Asker, route: str, reason: str) -> dict[str, Any]:
        """Stop those of a route. Raises Denied, StoreError."""
        Objects(self._plane).get(asker, "route", "", route)
        event = Event(action="kill", kind="route", org="", team="", name=route, reason=reason, detail="drill")
        self._allowed(asker, event)
        live = self._plane.live
        stopped = live.end_drill(route) if live is not None else []
        if not stopped:
            raise Denied("not_found", f"no drill of the route {route!r} is under way on this machine")
        self._plane.note(asker.actor, event)
        return {"route": route, "stopped": stopped}

    def page(self, asker: Asker) -> dict[str, Any]:
        """Those under way, and the last one of each route, as far as the asker may see routes."""
        live = self._plane.live
        seen = allows(asker.principal, "read", Target("route"))
        if not seen:
            raise Denied("forbidden", f"{asker.principal.name} may not look at routes")
        return {"running": live.drills() if live is not None else [], "last": last_drills(self._plane)}

    def _allowed(self, asker: Asker, event: Event) -> None:
        if not allows(asker.principal, "write", Target("route")):
            self._plane.note(asker.actor, msgspec.structs.replace(event, outcome="denied"))
            raise Denied("forbidden", f"{asker.principal.name} may not change routes, and so not drill them")


def rule_of(route: str, asked: DrillRequest, *, planned: bool = False) -> DrillRule:
    """The rule of a new drill; its id also draws who is in it."""
    return DrillRule(
        f"drill_{secrets.token_hex(8)}",
        route,
        asked.to,
        asked.percent / 100,
        asked.for_s,
        asked.max_cost_ratio,
        asked.max_slowdown,
        planned,
    )


def begun(plane: ControlPlane, rule: DrillRule) -> tuple[list[dict[str, Any]], list[str]]:
    """A drill in every gateway of this machine."""
    live = plane.live
    return live.begin_drill(msgspec.to_builtins(rule)) if live is not None else ([], [])


def last_drills(plane: ControlPlane) -> list[dict[str, Any]]:
    """What the ledger knows of the newest drill of each route, by gateway; empty without a ledger."""
    if plane.drilled is None:
        return []
    newest: dict[str, str] = {}
    return [row for row in plane.drilled() if newest.setdefault(row["route"], row["id"]) == row["id"]]


class DrillClock:
    """Begins drills that are due by schedule, and stops what another gateway has found to go wrong."""

    def __init__(
        self, plane: ControlPlane, document: Callable[[], Document], now_ms: Callable[[], int]
    ) -> None:
        self._plane = plane
        self._document = document
        self._now_ms = now_ms
        self._first_ms = now_ms() + FIRST_MS
        self._tried: dict[str, int] = {}
        self._looked: dict[str, str] = {}

    def tick(self) -> None:
        """Look at what is due. Trouble with the ledger or with gateways is logged."""
        planned = planned_of(self._document())
        if planned and self._now_ms() >= self._first_ms:
            self._begin_due(planned)

    def spread(self) -> None:
        """Where a drill runs in some gateways and has stopped in another for trouble, stop it everywhere."""
        live = self._plane.live
        running = live.drills() if live is not None else []
        if not running or self._plane.drilled is None:
            return
        stopped = {row["id"] for row in self._plane.drilled() if row["verdict"] in ("stopped", "killed")}
        for route in {str(each["route"]) for each in running if each["id"] in stopped}:
            log.warning("the drill of the route %s has stopped in one gateway, and stops in all", route)
            if live is not None:
                live.end_drill(route)

    def _begin_due(self, planned: dict[str, Planned]) -> None:
        now = self._now_ms()
        waiting = {name: each for name, each in planned.items() if now >= self._tried.get(name, 0) + AGAIN_MS}
        if not waiting:
            return
        last = {row["route"]: int(row["began_ms"]) for row in last_drills(self._plane)}
        for name, plan in waiting.items():
            if now < last.get(name, 0) + plan.every_s * 1000:
                continue
            self._tried[name] = now
            found, refused = begun(self._plane, rule_of(name, plan.asked, planned=True))
            if found:
                log.info("a drill of the route %s to %s has begun, as planned", name, plan.asked.to)
            else:
                log.warning(
                    "the planned drill of the route %s did not begin: %s", name, refused or "no gateway"
                )
