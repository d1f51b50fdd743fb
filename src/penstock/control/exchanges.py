"""What is under way in this machine's gateways, through the eyes of who asks: listed, and stopped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from penstock.control.audit import Event
from penstock.control.objects import Asker
from penstock.control.plane import ControlPlane
from penstock.control.problems import Denied
from penstock.core.permissions import Place, Target, allows


def target_of(told: Mapping[str, Any]) -> Target:
    """An exchange as permissions know it: its user's own are his to stop."""
    return Target("exchange", Place(str(told["org"]), str(told["team"])), str(told["user"]))


class Exchanges:
    """Running exchanges."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane

    def page(
        self, asker: Asker, filters: Mapping[str, str], after: str | None, limit: int
    ) -> tuple[list[dict[str, Any]], bool, list[str]]:
        """Some of those that the asker may see, the oldest first; whether there are more; who did not answer.

        `filters` name fields and what they must be; `after` is the id of the last one of the page before.
        """
        found, silent = self._all()
        seen = [
            told
            for told in found
            if allows(asker.principal, "read", target_of(told))
            and all(told[name] == wanted for name, wanted in filters.items())
        ]
        # An id begins with the time, and stays what it is while one turns pages.
        seen.sort(key=lambda told: str(told["request_id"]))
        if after is not None:
            seen = [told for told in seen if str(told["request_id"]) > after]
        return seen[:limit], len(seen) > limit, silent

    def kill(self, asker: Asker, request_id: str, reason: str) -> dict[str, Any]:
        """Stop one; what it was. Raises Denied, StoreError."""
        found, _ = self._all()
        told = next((one for one in found if one["request_id"] == request_id), None)
        if told is None or not allows(asker.principal, "read", target_of(told)):
            raise _missing(request_id)
        event = Event(
            action="kill",
            kind="exchange",
            org=told["org"],
            team=told["team"],
            name=request_id,
            reason=reason,
            detail=f"key {told['key']}, route {told['route']}, {told['age_ms']} ms old",
        )
        if not allows(asker.principal, "delete", target_of(told)):
            self._plane.note(asker.actor, msgspec.structs.replace(event, outcome="denied"))
            raise Denied("forbidden", f"{asker.principal.name} may not stop this exchange")
        live = self._plane.live
        if live is None or not live.stop(told["gateway"], request_id):
            raise _missing(request_id)
        self._plane.note(asker.actor, event)
        return told

    def _all(self) -> tuple[list[dict[str, Any]], list[str]]:
        live = self._plane.live
        return live.exchanges() if live is not None else ([], [])


def _missing(request_id: str) -> Denied:
    told = f"no exchange {request_id[:64]!r} is under way on this machine, or you may not see it"
    return Denied("not_found", told)
